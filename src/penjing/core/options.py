"""Options as data: bounds and descriptions are written once; messages, docs and tests are derived from them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, ValidationError

from penjing.core.errors import RecipeError
from penjing.core.expected import Expected, Place, find_place, in_words, number

_LONGEST_WORD = 60  # characters of the user's input that a message repeats
_NEAR = 100
_SHOWN = 10  # faults after the first that a message lists
_DIGITS = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


class Options(BaseModel):
    """The settings of a method. Every field has a default, a description, and a bound where one is needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WrongValueError(ValueError):
    """A fault found by a validator of a model. what: the words after the name of the value; fix: what to do."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


def nearest(word: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """'did you mean `x`?' for the nearest known word, whatever its case, else a list of the known ones."""
    names = list(known)
    folded = {name.casefold(): name for name in reversed(names)}
    close = difflib.get_close_matches(word[:_NEAR].casefold(), list(folded), n=1, cutoff=0.6)
    return f"did you mean `{folded[close[0]]}`?" if close else "known are: " + ", ".join(f"`{name}`" for name in names)


def explain(error: ValidationError, model: type[BaseModel]) -> list[tuple[tuple[str | int, ...], str, str]]:
    """Each fault of a validation once, as (path, what, fix): what was given, what is expected, what to write."""
    places = [(find_place(model, fault["loc"]), fault) for fault in error.errors(include_url=False)]
    found: dict[tuple[str | int, ...], tuple[Place, Any]] = {}
    for place, fault in places:
        # A value may have several forms: the one with a fault inside it is taken to be the one that was meant.
        if not any(other.path[: len(place.path)] == place.path != other.path for other, _ in places):
            found.setdefault(place.path, (place, fault))
    explained = []
    for place, fault in found.values():
        what, fix = _explained(place, fault, model)
        explained.append((tuple(_cut(part) if isinstance(part, str) else part for part in place.path), what, fix))
    return explained


def fields_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Names of the keys that a model takes at a path of keys."""
    return [key for form in _forms_at(model, path) if form.is_model for key in form.kind.model_fields]


def build_options(
    model: type[Options], given: Mapping[str, Any] | None, where: str, place: Callable[..., str] | None = None
) -> Options:
    """The options of a method from what the recipe says. Raises RecipeError with all faults.

    place: gives the position of the value under these keys; without it, the error names `where` only.
    """
    try:
        return model(**(given or {}))
    except ValidationError as error:
        faults = [(place(*keys) if place else where, what, fix) for keys, what, fix in explain(error, model)]
        raise all_faults(faults) from None


def all_faults(faults: Sequence[tuple[str, str, str]]) -> RecipeError:
    """One error for all faults (where, what, fix): the first, and below it at most ten others."""
    (where, what, fix), *others = faults
    more = "".join(f"\n  {place}: {said} ({hint})" for place, said, hint in others[:_SHOWN])
    if len(others) > _SHOWN:
        more += f"\n  and {len(others) - _SHOWN} more"
    return RecipeError(what + more, where=where, fix=fix)


def _forms_at(model: type[BaseModel], path: Sequence[str | int]) -> Sequence[Expected]:
    here: Sequence[Expected] = [Expected(model)]
    for part in path:
        inside: list[Expected] = []
        for form in here:
            if form.is_model and part in form.kind.model_fields:
                inside += find_place(form.kind, [part]).expected
            elif form.is_list or form.is_mapping:
                inside += form.inner()
        here = inside
    return here


def _explained(place: Place, fault: Any, model: type[BaseModel]) -> tuple[str, str]:
    name, value = _name(place.path), fault.get("input")
    if fault["type"] == "extra_forbidden":
        return f"unknown key {name}", _known(name, fields_at(model, place.path[:-1]))
    if place.key:
        return f"unknown key {name}", _known(name, [str(each) for form in place.expected for each in form.choices])
    if fault["type"] == "missing":
        return f"the key {name} is missing", f"add `{_cut(str(place.path[-1]))}:` there"
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, WrongValueError):
        return f"{name} {cause.what}", cause.fix
    if isinstance(cause, ValueError):
        return f"{name} is {_shown(value)}: {_cut(str(cause), 200)}", "correct it there"
    if fault["type"] in ("too_short", "too_long") and isinstance(value, list | tuple | dict):
        return _sized(name, value, fault["ctx"])
    words = in_words(place.expected) or "a value of another kind"
    return f"{name} is {_shown(value)}; it must be {words}", _advice(place, value)


def _sized(name: str, value: Any, bounds: Mapping[str, Any]) -> tuple[str, str]:
    """A list or mapping with too few or too many entries."""
    least, most = bounds.get("min_length"), bounds.get("max_length")
    given = f"has {len(value):,} entr{'y' if len(value) == 1 else 'ies'}" if value else "is empty"
    if most is not None:
        return f"{name} {given}; at most {most:,} are allowed", f"leave out {len(value) - most:,}"
    return f"{name} {given}; it needs at least {least or 1:,}", "write one there"


def _advice(place: Place, value: Any) -> str:
    key, expected = _cut(str(place.path[-1])) if place.path else "", place.expected
    if isinstance(value, str) and _DIGITS.fullmatch(value) and any(form.kind in (int, float) for form in expected):
        value = float(value)  # an environment variable, or digits in quotes
    choices = [str(choice) for form in expected for choice in form.choices]
    if isinstance(value, str) and choices:
        return nearest(value, choices)
    if any(form.is_share for form in expected) and (share := _percent(value)) is not None:
        return f"it is a share between 0 and 1: write {share:g} for {100 * share:g} %"
    kinds = {form.kind for form in expected}
    if isinstance(value, bool | int | float) and str in kinds:
        return f"put it in quotes: `{key}: {_quoted(value)}`"
    inside = [each for form in expected for each in form.inner()] if isinstance(value, str) else []
    if any(form.is_mapping and _holds_mappings(form) for form in expected):
        return f"write `{_cut(str(value))}: {{}}`" if isinstance(value, str) else "write `{name: {}}`"
    if any(form.is_list for form in expected) and any(map(_holds_mappings, inside)):
        return f"write `[{{{_cut(str(value))}: {{}}}}]`"
    if isinstance(value, str | int | float) and any(form.is_list for form in expected):
        return f"write `[{_cut(str(value))}]`"
    if any(form.is_model or form.is_mapping for form in expected) and not kinds & {int, float, str, bool}:
        keys = [name for form in expected if form.is_model for name in form.kind.model_fields] or ["name"]
        return f"write `{{{keys[0]}: …}}`"
    if isinstance(value, list | dict):
        return "give one value"
    for form in expected:
        if form.kind in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
            return _bounded(form, value)
    if value is None:
        return "give a value, or take the line out"
    return "write digits, for example 3" if kinds & {int, float} else "correct it there"


def _holds_mappings(form: Expected) -> bool:
    """Whether it is a mapping from names to mappings, as a step with its options is."""
    return form.is_mapping and any(each.is_mapping for each in form.inner())


def _bounded(form: Expected, value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return "write a finite number"
    for kind, word in ((Le, "at most"), (Lt, "less than"), (Ge, "at least"), (Gt, "more than")):
        bound = form.bound(kind)
        beyond = bound is not None and (value >= bound if kind is Lt else value > bound if kind is Le else False)
        below = bound is not None and (value <= bound if kind is Gt else value < bound if kind is Ge else False)
        if beyond or below:
            return f"write {word} {number(bound)}"
    return "write a whole number, without decimals" if form.kind is int else "write a number within these bounds"


def _percent(value: Any) -> float | None:
    """The share that a number from 1 to 100, or a text such as `5 %`, means."""
    if isinstance(value, str):
        try:
            value = float(value.strip().rstrip("%％").strip())
        except ValueError:
            return None
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value / 100 if plain and 2 <= value <= 100 else None


def _name(path: tuple[str | int, ...]) -> str:
    if not path:
        return "the whole"
    if isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of {_name(path[:-1])}" if len(path) > 1 else f"entry {path[-1] + 1}"
    return f"`{_cut(path[-1])}`"


def _known(name: str, known: Sequence[str]) -> str:
    return nearest(name.strip("`"), known) if known else "take it out"


def _quoted(value: Any) -> str:
    return f'"{str(value).lower() if isinstance(value, bool) else _cut(str(value))}"'


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, str | float) or (isinstance(value, int) and abs(value) < 10**_LONGEST_WORD):
        return f"`{_cut(str(value))}`" if value != "" else "empty"
    if isinstance(value, int):
        return "a number of more than 60 digits"
    return (
        "a list"
        if isinstance(value, list | tuple)
        else "a mapping"
        if isinstance(value, Mapping)
        else "of another kind"
    )


def _cut(text: str, most: int = _LONGEST_WORD) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
