"""Request bodies: read within bounds, parsed strictly, and checked against a schema."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Request
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)
from starlette.requests import ClientDisconnect

from penjing.core.errors import shown
from penjing.core.options import explain
from penjing.core.pair import FURTHER, SEPARATOR, join_texts
from penjing.core.whole_number import whole_number
from penjing.serve.errors import AnswerError
from penjing.serve.settings import Settings

Value = StrictStr | StrictBool | StrictInt | StrictFloat | None
_YAML_KEY = re.compile(r"`(\w+): ")
_CLOSE = {"Connection": "close"}
# More keys than any valid request has. They are counted first, because checking each one costs more.
_MOST_KEYS, _MOST_FIELDS = 16, 256


class _StrictBody(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _CaseBody(_StrictBody):
    """The texts of one case, and its declared fields."""

    text: StrictStr
    other: StrictStr | None = Field(None, description="the second text, where the release compares two")
    head: StrictStr | None = Field(None, description="the first entity, where the release tells relations")
    tail: StrictStr | None = Field(None, description="the second entity, where the release tells relations")
    question: StrictStr | None = Field(None, description="the question, where the release answers from the text")
    fields: dict[str, Value] = Field({}, description="the fields that the release declares")

    def whole(self) -> str:
        """The text, or all texts of the case as one."""
        return _whole(self.text, *_further(self).values())


class RequestItem(_CaseBody):
    """One text with its declared fields."""

    text: StrictStr = Field(description="the text to decide")
    ref: StrictStr | None = Field(None, description="your own case number, by which the decision is found again")
    keep: dict[str, Value] = Field({}, description="columns that are stored beside the decision and returned with it")


class DecideOne(RequestItem):
    """POST /v1/decide with one text."""

    evidence: StrictBool = Field(False, description="also return the words that decided; slower")
    evidence_of: Annotated[StrictStr, Field(min_length=1)] | None = Field(
        None, description="the same for one label of a set, or one of several tasks"
    )
    counterfactual: StrictBool = Field(
        False, description="also return a small deletion that changes the decision, if one is found; slower"
    )
    why: Literal["en", "zh"] | None = Field(None, description="also return the reasons in words, in this language")


def _further(item: _CaseBody) -> dict[str, str]:
    """The texts after the first one that are given, by their names."""
    return {name: text for name in FURTHER if (text := getattr(item, name)) is not None}


def _longest(text: str, further: Mapping[str, str]) -> str:
    """The name of the longest text of a case."""
    named = {"text": text, **further}
    return max(named, key=lambda name: len(named[name]))


def _whole(text: str, *further: str) -> str:
    """One text has no separator of several in it: cleaning would make it a space too."""
    return join_texts(text, *further) if further else text.replace(SEPARATOR, " ")


def _as_item(value: Any) -> Any:
    """A plain text is an item without fields."""
    return {"text": value} if isinstance(value, str) else value


class DecideMany(_StrictBody):
    """POST /v1/decide with several texts, recorded together or not at all."""

    items: Annotated[list[Annotated[RequestItem, BeforeValidator(_as_item)]], Field(min_length=1)] = Field(
        description="the texts, each alone or with its fields"
    )
    evidence: StrictBool = Field(False, description="also return the words that decided; slower")
    evidence_of: Annotated[StrictStr, Field(min_length=1)] | None = Field(
        None, description="the same for one label of a set, or one of several tasks"
    )
    counterfactual: StrictBool = Field(
        False, description="also return a small deletion that changes the decision, if one is found; slower"
    )
    why: Literal["en", "zh"] | None = Field(None, description="also return the reasons in words, in this language")


class PredictOne(_CaseBody):
    """POST /v1/predict with one text; its fields count where the model of the release reads them."""

    text: StrictStr = Field(description="the text to predict")


class PredictMany(_StrictBody):
    """POST /v1/predict with several texts."""

    items: Annotated[list[Annotated[PredictOne, BeforeValidator(_as_item)]], Field(min_length=1)] = Field(
        description="the texts, each alone or with its fields"
    )


AnyBody = TypeVar("AnyBody", bound=_StrictBody)


async def read_json(request: Request, settings: Settings) -> Any:
    """The JSON body of a request. Raises AnswerError: 415 (type), 413 (size), 408 (too slow), 400 (not JSON)."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise AnswerError(
            415, "content_type", "the body must be JSON", "send the header Content-Type: application/json"
        )
    if any(value.strip().lower() not in ("", "identity") for value in request.headers.getlist("content-encoding")):
        raise AnswerError(
            415,
            "content_encoding",
            "the body is compressed, which this service does not read",
            "send plain JSON, without the header Content-Encoding",
            {"Accept-Encoding": "identity"},
        )
    return parse_json(await _read_body(request, settings))


def parse_json(raw: bytes) -> Any:
    """The value of a JSON body; a BOM before it is skipped. Raises AnswerError 400."""
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8 (byte {error.start})"
        raise AnswerError(400, "encoding", message, "send the JSON in UTF-8") from None
    except RecursionError:
        raise AnswerError(400, "too_deep", "the JSON is nested too deeply", "a request has three levels") from None
    except json.JSONDecodeError as error:
        message = f"the body is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise AnswerError(400, "bad_json", message, 'for example {"text": "..."}') from None
    except ValueError as error:
        raise AnswerError(400, "bad_json", f"the body is not valid JSON: {error}", "send plain numbers") from None


def parse_items(
    body: Any, one: type[AnyBody], many: type[_StrictBody], settings: Settings
) -> tuple[list[Any], bool, bool]:
    """(items, evidence, whether the batch form was used). Raises AnswerError 422 with the place of the fault."""
    batch = isinstance(body, dict) and "items" in body
    model: type[_StrictBody] = many if batch else one
    if not isinstance(body, dict):
        raise AnswerError(422, "bad_request", "the body must be a JSON object", 'for example {"text": "..."}')
    _check_counts(body, batch, settings)
    try:
        parsed = model.model_validate(body)
    except ValidationError as error:
        raise _refused(error, model) from None
    items = parsed.items if batch else [parsed]  # type: ignore[attr-defined]
    for number, item in enumerate(items):
        further = _further(item)
        length, longest = len(item.text) + sum(map(len, further.values())), _longest(item.text, further)
        if length > settings.max_characters:
            place = f"items.{number}.{longest}" if batch else longest
            message = f"{place}: {length:,} characters; the most is {settings.max_characters:,}"
            if further:
                message = (
                    f"{place}: {length:,} characters, all texts of the case together; the most is "
                    f"{settings.max_characters:,}"
                )
            raise AnswerError(422, "too_long", message, "send the part that matters, or raise PENJING_MAX_CHARACTERS")
    evidence = getattr(parsed, "evidence", False) or bool(getattr(parsed, "evidence_of", None))
    return items, evidence, batch


def _refused(error: ValidationError, model: type[BaseModel]) -> AnswerError:
    """The first fault; a misspelt key goes before the missing one that it stands for."""
    faults = explain(error, model)
    path, what, fix = next((each for each in faults if each[1].startswith("unknown key")), faults[0])
    # The keys of a recipe are written without quotes.
    if fix.startswith("add `"):
        fix = f'add "{path[-1]}" there, for example {{"text": "..."}}'
    fix = _YAML_KEY.sub(r'`"\1": ', fix)
    # A key that is unknown or missing is named in the message.
    place = ".".join(map(str, path[:-1] if "key `" in what else path))
    return AnswerError(422, "bad_request", f"{place}: {what}" if place else what, fix)


def request_schema(one: type[BaseModel], many: type[BaseModel]) -> dict[str, Any]:
    """The request schema of both forms, for /openapi.json."""
    forms = [model.model_json_schema(ref_template="#/$defs/{model}") for model in (one, many)]
    for form in forms:
        inner = form.pop("$defs", {})
        if "items" in form["properties"] and inner:
            item = next(iter(inner.values()))
            form["properties"]["items"]["items"] = {"anyOf": [{"type": "string"}, item]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": {"anyOf": forms}}}}}


async def _read_body(request: Request, settings: Settings) -> bytes:
    declared = request.headers.get("content-length", "0")
    if whole_number(declared, 0, settings.max_body) is None:
        raise _too_large(settings)
    raw = bytearray()
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for block in request.stream():
                raw += block
                if len(raw) > settings.max_body:
                    raise _too_large(settings)
    except TimeoutError:
        message = f"the body did not come within {settings.body_seconds:g} s"
        raise AnswerError(408, "too_slow", message, "send it faster", _CLOSE) from None
    except ClientDisconnect:
        raise AnswerError(400, "disconnected", "the client went away", "send the whole body", _CLOSE) from None
    return bytes(raw)


def _too_large(settings: Settings) -> AnswerError:
    message = f"the body is larger than {settings.max_body:,} bytes"
    return AnswerError(413, "too_large", message, "send fewer or shorter texts in one request", _CLOSE)


def _check_counts(body: dict[str, Any], batch: bool, settings: Settings) -> None:
    found = body["items"] if batch else [body]
    if batch and isinstance(found, list) and len(found) > settings.max_items:
        message = f"{len(found):,} texts in one request; the most is {settings.max_items}"
        raise AnswerError(422, "too_many", message, "send several requests, or raise PENJING_MAX_ITEMS")
    for item in [body, *(found if isinstance(found, list) else [])]:
        if isinstance(item, dict):
            fields = item.get("fields")
            kept = item.get("keep")
            many = any(isinstance(each, dict) and len(each) > _MOST_FIELDS for each in (fields, kept))
            if len(item) > _MOST_KEYS or many:
                message = f"a request has at most {_MOST_KEYS} keys and {_MOST_FIELDS} fields"
                raise AnswerError(422, "bad_request", message, "use the names in /openapi.json")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names: set[str] = set()
        double = next(name for name, _ in pairs if name in names or names.add(name))  # type: ignore[func-returns-value]
        raise AnswerError(400, "double_key", f"the key `{shown(double)}` occurs twice in one object", "send it once")
    return found
