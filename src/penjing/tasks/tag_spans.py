"""Gold of the task `tag`: pieces of a text with their types as JSON, read in one form; nested pieces are refused.

    [{"start": 0, "end": 3, "label": "ORG"}]        places in characters, the end is the place after the last one

Sorted by place, without blanks. `[]` is a text without entities.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from penjing.core.errors import DataError, RequestError, shown
from penjing.core.json_signs import with_odd_sign
from penjing.core.task import MaskedText
from penjing.data.labels import LONGEST_LABEL, read_label

# (start, end, type) of an entity.
Entity = tuple[int, int, str]
_FORM = 'write [{"start": 0, "end": 3, "label": "ORG"}], and [] for a text without entities'
_KEYS = {"start", "end", "label"}
_MOST = 10_000


def read_entities(cell: str, masked: MaskedText | None = None) -> list[Entity]:
    """The entities of a cell, in order; with `masked` their places are moved from the user's text to the masked one.

    Raises DataError for what is no list of entities, for places beyond the text, and for entities that overlap.
    """
    try:
        value = json.loads(cell, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError):
        what = f"`{shown(cell.strip(), 40)}` is no JSON list of entities"
        raise DataError(with_odd_sign(what, cell), fix=_FORM) from None
    if not isinstance(value, list):
        raise DataError(f"`{shown(cell.strip(), 40)}` is no JSON list of entities", fix=_FORM)
    if len(value) > _MOST:
        raise DataError(f"a text with {len(value):,} entities", fix=f"a text has at most {_MOST:,}: cut it into parts")
    written = sorted(_entity(one) for one in value)
    _check_apart(written)
    if masked is None:
        return written
    moved = sorted(_moved(one, masked) for one in written)
    _check_apart(moved, masked=True)
    return moved


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises DataError for a key that it has twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"the key `{shown(twice, 40)}` occurs twice in one object", fix="keep one of them")
    return found


def write_entities(entities: Sequence[Entity]) -> str:
    """The canonical form of gold and outcomes."""
    listed = [{"start": start, "end": end, "label": label} for start, end, label in sorted(entities)]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


def _entity(value: Any) -> Entity:
    if not isinstance(value, dict) or set(value) != _KEYS:
        written = shown(json.dumps(value, ensure_ascii=False), 60)
        raise DataError(f"the entity {written} has not the keys `start`, `end` and `label` alone", fix=_FORM)
    start, end, label = value["start"], value["end"], value["label"]
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        places = shown(json.dumps([start, end], ensure_ascii=False), 60)
        fix = "count characters from 0; the end is the place after the last one"
        raise DataError(f"the places {places} of an entity are not two whole numbers, the first one smaller", fix=fix)
    if not isinstance(label, str):
        raise DataError(f"the type of the entity {start}..{end} is no text", fix=_FORM)
    try:
        name = read_label(label)
    except RequestError as error:
        raise DataError(error.what, fix=error.fix) from None
    if not name:
        raise DataError(f"the type of the entity {start}..{end} is empty", fix="name the type of each entity")
    if len(name) > LONGEST_LABEL:
        raise DataError(f"a type of {len(name)} characters", fix="is `label` the name of the type?")
    return start, end, name


def _check_apart(entities: Sequence[Entity], *, masked: bool = False) -> None:
    for (start, end, label), (other, other_end, other_label) in pairwise(entities):
        if other < end:
            what = f"the entities `{label}` {start}..{end} and `{other_label}` {other}..{other_end} overlap"
            raise DataError(
                f"in the masked text {what}" if masked else what,
                fix="keep one of them: this task takes no nested and no overlapping entities",
            )


def _moved(entity: Entity, masked: MaskedText) -> Entity:
    start, end, label = entity
    try:
        return (*masked.offsets.to_masked(start, end), label)
    except RequestError as error:
        raise DataError(f"the entity `{label}`: {error.what}", fix=error.fix) from None
