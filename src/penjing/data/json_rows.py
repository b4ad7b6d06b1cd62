"""Rows of JSON: one object a line, a list of objects, or an annotation tool's export; each key once."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from penjing.core.errors import DataError
from penjing.core.json_signs import with_odd_sign
from penjing.data.cells import CONVERSATION, Fault, UnreadableCell, json_cell, speakers

_LIST = re.compile(r"\s*\[\s*(\{|$)")
FIELDS = "fields"
_FLAT = 'write {"text": …, "label": …}'
_PANDAS = 'write rows: df.to_json(FILE, orient="records", lines=True, force_ascii=False)'
_LABEL_STUDIO = "read as a Label Studio export: texts from `data`, labels from the choices of `annotations`"


class _Object(dict[str, Any]):
    """A JSON object; `twice`: a key that occurs twice in it, or in an object within it."""

    twice: str | None = None


def begins_json(first: str) -> bool:
    """Whether a first line, not blank, begins JSON rows: an object, or a list of objects."""
    if _LIST.match(first):
        return True
    try:
        return first.lstrip().startswith("{") and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def json_rows(lines: Iterable[str], where: str, notes: list[str]) -> Iterator[tuple[int, dict[str, str] | Fault]]:
    """(line on which it begins, cells or what is wrong) of each row; no two rows have one number.

    Raises DataError for JSON that has no rows.
    """
    found = json_values(lines, where, notes)
    controls: dict[str, None] = {}
    for number, value in found:
        if isinstance(value, Fault):
            yield number, value
        elif not isinstance(value, dict):
            yield number, Fault(number, f"a JSON {_kind(value)}, not an object", _FLAT)
        elif (fault := key_twice(number, value)) is not None:
            yield number, fault
        elif _is_annotated(value):
            if _LABEL_STUDIO not in notes:
                notes.append(_LABEL_STUDIO)
            yield number, _annotated(value, controls)
        else:
            yield number, {str(key): json_cell(inner) for key, inner in _flat(value).items()}


def json_values(lines: Iterable[str], where: str, notes: list[str]) -> Iterable[tuple[int, object]]:
    """(line on which it begins, the value, or a Fault where it is no JSON) of each row. Raises as `json_rows`."""
    rest = iter(lines)
    first_lines = _through_next_line(rest)
    first_lines[:1] = [line.lstrip("\ufeff") for line in first_lines[:1]]
    # A single line may hold all rows as one list or object.
    between = _through_next_line(rest)
    numbered = enumerate(chain(first_lines, between, rest), start=1)
    if between and between[-1].strip() and begins_json(first_lines[-1]) and not _LIST.match(first_lines[-1]):
        return _by_line(numbered)
    text = "".join(line for _, line in numbered)
    whole = _whole(text, where, notes)
    # Not `str.splitlines`, which also ends a line at characters that texts hold, such as U+2028.
    return whole if whole is not None else _by_line(enumerate(io.StringIO(text, newline=""), start=1))


def key_twice(number: int, value: object) -> Fault | None:
    """The fault of a row in which some object has one key twice: readers differ on which of them holds."""
    twice = _twice(value)
    return None if twice is None else Fault(number, f"the key `{twice}` occurs twice in this row", "keep one of them")


def _twice(value: object) -> str | None:
    """The key; of a list, of the first of its objects that has one twice."""
    if isinstance(value, list):
        return next((twice for one in value if (twice := _twice(one)) is not None), None)
    return value.twice if isinstance(value, _Object) else None


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    """The row as a request of the service has it, with its `fields` as columns next to the text."""
    inner = value.get(FIELDS)
    if not isinstance(inner, dict) or inner.keys() & value.keys():
        return value
    return {key: each for key, each in value.items() if key != FIELDS} | inner


def _through_next_line(lines: Iterator[str]) -> list[str]:
    """Blank lines and the line after them."""
    found = []
    for line in lines:
        found.append(line)
        if line.strip():
            break
    return found


def _by_line(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, object]]:
    for number, line in numbered:
        if not line.strip():
            continue
        try:
            yield number, json.loads(line, object_pairs_hook=json_object)
        except RecursionError:
            yield number, Fault(number, "JSON nested too deeply", "a row is a flat object of text, numbers and words")
        except ValueError as error:
            said = str(error).split(":")[0]
            what = f"not valid JSON ({said}): `{line.strip()[:60]}`"
            yield number, Fault(number, with_odd_sign(what, line), "write one JSON object a line")


def _whole(text: str, where: str, notes: list[str]) -> list[tuple[int, object]] | None:
    """The objects of a text that is one list, one object around a list, or objects over several lines; else None."""
    decoder = json.JSONDecoder(object_pairs_hook=json_object)
    space = re.compile(r"[\s,]*")
    start = len(text) - len(text.lstrip())
    is_list = text[start : start + 1] == "["
    place = start + is_list
    found: list[tuple[int, object]] = []
    line, counted = 1, 0
    try:
        while True:
            place = space.match(text, place).end()  # type: ignore[union-attr]
            if place >= len(text):
                break
            if is_list and text[place] == "]":
                break
            value, end = decoder.raw_decode(text, place)
            line += text.count("\n", counted, place)
            counted, place = place, end
            found.append((line, value))
    except (ValueError, RecursionError):
        return None
    if not is_list and len(found) == 1 and isinstance(found[0][1], dict):
        return _inside(found[0][0], found[0][1], where, notes)
    if len({row for row, _ in found}) < len(found):  # a row is identified by its number
        notes.append("several rows are on one line; they are numbered from 1")
        return [(number, value) for number, (_, value) in enumerate(found, start=1)]
    return found


def _inside(line: int, value: Mapping[str, Any], where: str, notes: list[str]) -> list[tuple[int, object]]:
    """The rows in a single object."""
    lists = [key for key, inner in value.items() if isinstance(inner, list) and inner and isinstance(inner[0], dict)]
    spoken = speakers(value[lists[0]]) if len(lists) == 1 else []
    if spoken:
        what = f"one conversation (`{lists[0]}`: {len(value[lists[0]])} messages of {', '.join(spoken[:5])}), not rows"
        raise DataError(what, where=where, fix=CONVERSATION)
    if len(lists) == 1 and not _is_annotated(value):
        notes.append(f"the rows are the list `{lists[0]}` of one JSON object; they are numbered from 1")
        return list(enumerate(value[lists[0]], start=1))
    columns = [key for key, inner in value.items() if isinstance(inner, list | dict)]
    if len(columns) == len(value) > 1 or len(lists) > 1:
        keys = ", ".join(f"`{key}`" for key in list(value)[:8])
        raise DataError(f"one JSON object with {keys}, not rows", where=where, fix=_PANDAS)
    return [(line, value)]


def _is_annotated(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("data"), dict) and any(
        isinstance(value.get(key), list) for key in ("annotations", "completions", "predictions")
    )


def _annotated(value: Mapping[str, Any], controls: dict[str, None]) -> dict[str, str]:
    """A task of Label Studio: its data, and for each control the choice that was made.

    `controls`: names found in the rows above, so that a row without an annotation has the same columns.
    """
    chosen: dict[str, list[tuple[str, ...]]] = {}
    for done in _listed(value.get("annotations")) or _listed(value.get("completions")):
        if not isinstance(done, dict) or done.get("was_cancelled"):
            continue
        for result in _listed(done.get("result")):
            inner = result.get("value") if isinstance(result, dict) else None
            choices = inner.get("choices") if isinstance(inner, dict) else None
            if isinstance(choices, list):
                name = str(result.get("from_name") or "label")
                chosen.setdefault(name, []).append(tuple(str(choice) for choice in choices))
    controls.update(dict.fromkeys(chosen))
    cells = {str(key): json_cell(inner) for key, inner in value["data"].items()}
    for name in controls or {"label": None}:
        unlike: dict[frozenset[str], tuple[str, ...]] = {}
        for choices in chosen.get(name, []):
            unlike.setdefault(frozenset(choices), choices)  # the order in which they were ticked says nothing
        given = list(unlike.values())
        if len(given) > 1:
            shown = "; ".join(", ".join(choices) for choices in given[:5])
            cells[name] = UnreadableCell(shown, f"annotated differently ({shown})", "choose one label and export again")
        else:
            cells[name] = json_cell(list(given[0])) if given else ""
    return cells


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def json_object(pairs: list[tuple[str, Any]]) -> _Object:
    """An object of JSON, for `object_pairs_hook`; `key_twice` tells whether a key occurs twice in it."""
    found = _Object(pairs)
    names = [name for name, _ in pairs]
    own = next((name for name in names if names.count(name) > 1), None) if len(found) < len(pairs) else None
    found.twice = _twice([value for _, value in pairs]) if own is None else own
    return found


def _kind(value: object) -> str:
    return {list: "list", str: "string", bool: "true or false", type(None): "null"}.get(type(value), "number")
