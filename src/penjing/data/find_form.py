"""Whether a file is annotated texts rather than a table, and in which form: told from its first lines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from penjing.core.errors import PenjingError
from penjing.data.annotated.json_relations import LISTS, gold_of
from penjing.data.annotated.tags import OUTSIDE, split_tag
from penjing.data.encoding import find_encoding
from penjing.data.source import open_source

_LINES = 400
_BYTES = 2**20
_LEAST = 5  # lines with a tag
_ROWS = 200  # rows of JSON
_AROUND = re.compile(r'\s*\{\s*"[^"\\]*"\s*:\s*\[\s*(?=\{)')
_BETWEEN = re.compile(r"[\s,]*")


def find_form(path: Path) -> str | None:
    """The name of the form, None for a table, for what is not plain, and for what cannot be read."""
    if path.is_dir():
        return "brat" if any(path.rglob("*.ann")) else None
    head = _head(path)
    if head is None:
        return None
    if head.lstrip().startswith(("{", "[")):
        return _json_form(head)
    return "conll" if _is_conll(head) else None


def has_relations(path: Path) -> bool:
    """Whether JSON rows relate the pieces of their texts."""
    return any(map(_has_relations, _rows(_head(path) or "")))


def is_label_studio(path: Path) -> bool:
    """Whether a file is an export of Label Studio as JSON, whatever its annotations are about."""
    first = _first_object(_head(path) or "")
    return first is not None and isinstance(first.get("data"), dict) and isinstance(first.get("annotations"), list)


def _head(path: Path) -> str | None:
    """The first text of a file; None for what is no plain text, or cannot be read."""
    if not path.is_file():  # a pipe can be read once only
        return None
    try:
        source = open_source(path)
        if source.format != "text":
            return None
        encoding = find_encoding(source.open, source.name)
        with source.open() as raw:
            return raw.read(_BYTES).decode(encoding.name, "replace").lstrip("\ufeff")
    except PenjingError:
        return None


def _is_conll(head: str) -> bool:
    """Whether nearly all lines end with a tag, some of an entity, and blank lines part them."""
    lines = [line.strip() for line in islice(head.split("\n"), _LINES)]
    cells = [line.split() for line in lines if line and not line.startswith("-DOCSTART-")]
    tags = [each[-1] for each in cells if len(each) > 1 and split_tag(each[-1]) is not None]
    begun = [tag for tag in tags if tag != OUTSIDE]
    return bool(begun) and len(tags) >= _LEAST and 10 * len(tags) >= 9 * len(cells) and "" in lines[:-1]


def _json_form(head: str) -> str | None:
    rows = _rows(head)
    if not rows:
        return "squad" if '"paragraphs"' in head and '"qas"' in head and '"context"' in head else None
    first = rows[0]
    if isinstance(first.get("data"), dict):
        kinds = [each for done in _objects(first.get("annotations")) for each in _objects(done.get("result"))]
        return "label_studio" if any(each.get("type") in ("labels", "relation") for each in kinds) else None
    if _objects(first.get("data")):
        return "squad" if _objects(first["data"][0].get("paragraphs")) else None
    if '"qas"' in head and _objects(first.get("paragraphs")):
        return "squad"
    # The first texts may have nothing in them.
    return "jsonl" if any(_is_annotated(row) for row in rows) else None


def _is_annotated(row: Mapping[str, Any]) -> bool:
    spans = any(_has_spans(row.get(key)) for key in ("spans", "entities", "label", "labels"))
    return spans or _has_relations(row)


def _has_relations(row: Mapping[str, Any]) -> bool:
    """Whether a row has a list of relations in one of the forms of JSON, or entities and relations in one key."""
    if gold_of(row) is not None or isinstance(row.get("label"), str):
        return not isinstance(row.get("label"), str)
    return any(
        (isinstance(one, dict) and len(one) > 1)
        or (isinstance(one, list) and len(one) == 3 and all(isinstance(word, str) for word in one))
        for key in LISTS
        for one in (row[key][:1] if isinstance(row.get(key), list) else [])
    )


def _rows(head: str) -> list[dict[str, Any]]:
    """The first objects of JSON rows: of lines, of a list, or of the only list in an object around them."""
    around = _AROUND.match(head)
    found = _decoded(head, len(head) - len(head.lstrip(" \t\r\n[")))
    if around and (not found or (len(found) == 1 and not any(isinstance(one, str) for one in found[0].values()))):
        found = _decoded(head, around.end()) or found
    return found


def _decoded(head: str, place: int) -> list[dict[str, Any]]:
    decoder, found = json.JSONDecoder(), list[dict[str, Any]]()
    while len(found) < _ROWS:
        try:
            value, place = decoder.raw_decode(head, place)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        found.append(value)
        place = _BETWEEN.match(head, place).end()  # type: ignore[union-attr]
    return found


def _first_object(head: str) -> dict[str, Any] | None:
    return next(iter(_decoded(head, len(head) - len(head.lstrip(" \t\r\n[")))), None)


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _has_spans(value: object) -> bool:
    """Whether a value is spans in one of the forms of JSON: lists of two places and a label, objects, or by label."""
    if isinstance(value, dict):
        inner = list(value.values())
        return bool(inner) and all(isinstance(each, dict) and each for each in inner)
    if not isinstance(value, list) or not value:
        return False
    first = value[0]
    if isinstance(first, dict):
        places = any(key.startswith("start") for key in first) and any(key.startswith("end") for key in first)
        return places or (isinstance(first.get("pos"), list) and len(first["pos"]) == 2)
    return isinstance(first, list) and len(first) == 3 and all(type(place) is int for place in first[:2])
