"""A body is read within its bounds and parsed with the place of its fault; no server around it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from fastapi import Request
from tests.work_done import assert_done_within

from penjing.serve.bodies import (
    DecideMany,
    DecideOne,
    PredictMany,
    PredictOne,
    parse_items,
    parse_json,
    read_json,
    request_schema,
)
from penjing.serve.errors import AnswerError
from penjing.serve.settings import Settings

SETTINGS = Settings(max_body=1024, max_items=2, max_characters=100, body_seconds=0.1)
JSON = {"content-type": "application/json"}


def read(blocks: Sequence[bytes | None], pause: float = 0.0, **headers: str) -> Any:
    """What comes of a body in these blocks; None: the client goes away."""
    waiting = list(blocks)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        block = waiting.pop(0)
        if block is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": block, "more_body": bool(waiting)}

    pairs = [(name.encode(), value.encode()) for name, value in (JSON | headers).items()]
    return asyncio.run(read_json(Request({"type": "http", "headers": pairs}, receive), SETTINGS))


def refused(run: Any) -> AnswerError:
    with pytest.raises(AnswerError) as caught:
        run()
    assert caught.value.fix
    return caught.value


def test_a_body_may_come_in_blocks_that_cut_a_character() -> None:
    raw = '{"text": "盆景"}'.encode()
    assert read([raw[:11], raw[11:]]) == {"text": "盆景"}


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/problem+json"])
def test_json_by_its_other_names(kind: str) -> None:
    assert read([b"{}"], **{"content-type": kind}) == {}


@pytest.mark.parametrize(
    ("blocks", "headers", "pause", "status", "code"),
    [
        ([b"{}"], {"content-type": "text/json"}, 0.0, 415, "content_type"),
        ([b"{}"], {"content-length": "1025"}, 0.0, 413, "too_large"),
        ([b"{}"], {"content-length": "-1"}, 0.0, 413, "too_large"),
        ([b"x" * 1000, b"x" * 25], {}, 0.0, 413, "too_large"),
        ([b"{"] * 4, {}, 0.04, 408, "too_slow"),
        ([b"{", None], {}, 0.0, 400, "disconnected"),
        ([b'{"a": Infinity}'], {}, 0.0, 400, "bad_json"),
        ([b"\xff"], {}, 0.0, 400, "encoding"),
    ],
)
def test_a_body_out_of_bounds(
    blocks: list[bytes | None], headers: dict[str, str], pause: float, status: int, code: str
) -> None:
    error = refused(lambda: read(blocks, pause, **headers))
    assert (error.status, error.code) == (status, code)


def test_one_text_and_several() -> None:
    body: dict[str, Any] = {"text": "a", "fields": {"amount": 3}, "evidence": True}
    (item,), evidence, batch = parse_items(body, DecideOne, DecideMany, SETTINGS)
    assert (item.text, item.fields, evidence, batch) == ("a", {"amount": 3}, True, False)
    items, evidence, batch = parse_items({"items": [{"text": "a"}] * 2}, PredictOne, PredictMany, SETTINGS)
    assert ([item.text for item in items], evidence, batch) == (["a", "a"], False, True)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"items": [{"text": "a"}, {"text": 1}]}, "bad_request", "items.1.text"),
        ({"items": [{"text": "a"}, {"text": "x" * 101}]}, "too_long", "items.1.text: 101 characters"),
        ({"text": "x" * 101}, "too_long", "text: 101 characters; the most is 100"),
        (
            {"text": "x", "question": "y" * 100},
            "too_long",
            "question: 101 characters, all texts of the case together; the most is 100",
        ),
        ({"items": [{"text": "x" * 90, "other": "y" * 80}]}, "too_long", "items.0.text: 170 characters, all texts"),
        ({"items": [{"text": "a"}] * 3}, "too_many", "3 texts in one request; the most is 2"),
        ({"text": "a", "items": [{"text": "a"}]}, "bad_request", "text"),
        (["a"], "bad_request", "must be a JSON object"),
    ],
)
def test_a_fault_is_named_with_its_place(body: Any, code: str, words: str) -> None:
    error = refused(lambda: parse_items(body, DecideOne, DecideMany, SETTINGS))
    assert (error.status, error.code) == (422, code)
    assert words in error.what


@pytest.mark.parametrize(("one", "many"), [(DecideOne, DecideMany), (PredictOne, PredictMany)])
def test_the_schema_of_both_forms_refers_to_nothing_outside(one: Any, many: Any) -> None:
    schema = request_schema(one, many)["requestBody"]["content"]["application/json"]["schema"]
    assert "$ref" not in json.dumps(schema)
    assert [form["required"] for form in schema["anyOf"]] == [["text"], ["items"]]
    text, item = schema["anyOf"][1]["properties"]["items"]["items"]["anyOf"]
    assert (text, item["required"]) == ({"type": "string"}, ["text"])


def test_a_text_alone_is_an_item() -> None:
    items, _, batch = parse_items({"items": ["a", {"text": "b"}]}, DecideOne, DecideMany, SETTINGS)
    assert ([item.text for item in items], batch) == (["a", "b"], True)
    error = refused(lambda: parse_items({"items": ["a", 1]}, DecideOne, DecideMany, SETTINGS))
    assert error.what.startswith("items.1: ")


def test_a_bom_is_skipped_and_a_key_that_occurs_twice_is_refused() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    for raw in (b'{"a": 1, "b": 2, "a": 1}', b'{"items": [{"text": "x", "\\u0074ext": "y"}]}'):
        error = refused(lambda raw=raw: parse_json(raw))
        assert (error.status, error.code) == (400, "double_key")
    assert "`a`" in refused(lambda: parse_json(b'{"a": 1, "a": 1}')).what


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "identity, gzip", "x"])
def test_a_compressed_body_is_refused_in_its_own_words(coding: str) -> None:
    error = refused(lambda: read([b"\x1f\x8b"], **{"content-encoding": coding}))
    assert (error.status, error.code) == (415, "content_encoding")
    assert error.headers["Accept-Encoding"] == "identity"
    assert read([b"{}"], **{"content-encoding": "Identity"}) == {}


def test_what_has_too_many_parts_is_refused_before_each_is_checked() -> None:
    many = {f"k{n}": [] for n in range(100_000)}
    for body in (many, {"text": "a", "fields": many}, {"items": [many]}, {"items": [{"text": "a", "fields": many}]}):
        read = partial(parse_items, body, DecideOne, DecideMany, SETTINGS)
        error = refused(read)
        assert (error.status, error.code) == (422, "bad_request")
        assert_done_within(0.1, lambda read=read: refused(read))
    error = refused(lambda: parse_items({"items": [1] * 300_000}, DecideOne, DecideMany, SETTINGS))
    assert error.code == "too_many" and "PENJING_MAX_ITEMS" in (error.fix or "")


@pytest.mark.parametrize(
    ("body", "message", "fix"),
    [
        ({"txt": "a"}, "unknown key `txt`", "did you mean `text`?"),
        ({}, "the key `text` is missing", 'add "text" there, for example {"text": "..."}'),
        ({"items": [{"text": "a"}, {"txt": "b"}]}, "items.1: unknown key `txt`", "did you mean `text`?"),
        ({"text": 5}, "text: `text` is `5`; it must be text", 'put it in quotes: `"text": "5"`'),
    ],
)
def test_a_misspelt_key_is_named_before_the_one_that_is_missing(body: Any, message: str, fix: str) -> None:
    with pytest.raises(AnswerError) as caught:
        parse_items(body, DecideOne, DecideMany, SETTINGS)
    assert (caught.value.what, caught.value.fix) == (message, fix)
