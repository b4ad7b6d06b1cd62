"""Whether a file is annotated texts rather than a table, and in which form: told from its first lines."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

from penjing.core.errors import PenjingError
from penjing.data.annotated.tags import OUTSIDE, split_tag
from penjing.data.encoding import find_encoding
from penjing.data.source import open_source

_LINES = 400
_BYTES = 2**20
_LEAST = 5  # lines with a tag


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
    first = _first_object(head)
    if first is None:
        return "squad" if '"paragraphs"' in head and '"qas"' in head and '"context"' in head else None
    if isinstance(first.get("data"), dict):
        kinds = [each for done in _objects(first.get("annotations")) for each in _objects(done.get("result"))]
        return "label_studio" if any(each.get("type") in ("labels", "relation") for each in kinds) else None
    if _objects(first.get("data")):
        return "squad" if _objects(first["data"][0].get("paragraphs")) else None
    found = any(_has_spans(first.get(key)) for key in ("spans", "entities", "label", "labels"))
    return "jsonl" if found else None


def _first_object(head: str) -> dict[str, Any] | None:
    start = len(head) - len(head.lstrip(" \t\r\n["))
    try:
        value, _ = json.JSONDecoder().raw_decode(head, start)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


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
        return any(key.startswith("start") for key in first) and any(key.startswith("end") for key in first)
    return isinstance(first, list) and len(first) == 3 and all(type(place) is int for place in first[:2])
