"""Relations in JSON: by number or id of the entities, with the entities in them, or by their words as DuIE has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penjing.core.errors import DataError, shown
from penjing.core.json_signs import with_odd_sign
from penjing.data.annotated.document import LabelledRelation, LabelledSpan
from penjing.data.annotated.words import ENTITY, Word
from penjing.data.json_rows import json_object, key_twice

GOLD = "triples"  # the key of entities and relations together, and of lists of triples
NUMBERED = "relations"
LISTS = (NUMBERED, "spo_list", GOLD, "triple_list", "relationMentions")
_HEAD = ("head_span", "head", "from_id", "from", "subject", "subj", "em1Text", "h")
_TAIL = ("child_span", "tail", "to_id", "to", "object", "obj", "em2Text", "t")
_LABEL = ("predicate", "relation", "label", "type", "r")
_TYPES = (("subject_type", "head_type"), ("object_type", "tail_type"))
_SURFACE = ("text", "word", "name", "surface", "entity")
_TYPE = ("label", "type", "entity_type", "tag")
_VALUE = "@value"  # DuIE 2: the object itself, among further ones of the same event
_BEGINS_JSON = re.compile(r"\[\s*[\[{\"\]]|\{\s*[\"}]")
_FIX = (
    'write {"head": 0, "tail": 1, "label": …} with the numbers or the ids of the entities, or their words: '
    '{"subject": …, "predicate": …, "object": …}'
)


@dataclass
class Entities:
    """The entities of a row so far: spans and words, and the position of each id.

    ids: by the id that is written, else by number; named: some entity has a written id.
    """

    found: list[LabelledSpan | Word] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    named: bool = False
    types_differ: bool = False

    def add(self, entity: LabelledSpan | Word, key: str | None = None) -> None:
        """One more of the listed entities, with its id. Raises DataError for an id or number of another one."""
        self.named |= key is not None
        key = str(len(self.found)) if key is None else key
        if key in self.ids:
            fix = "give each entity of a text an id of its own"
            raise DataError(f"two entities have the id `{shown(key, 40)}`", fix=fix)
        self.ids[key] = len(self.found)
        self.found.append(entity)

    def of_span(self, span: LabelledSpan) -> int:
        """The position of an entity at these places, which is added if it is new."""
        for position, one in enumerate(self.found):
            if isinstance(one, LabelledSpan) and (one.start, one.end) == (span.start, span.end):
                return position
        self.found.append(span)
        return len(self.found) - 1

    def of_word(self, text: str, word: Word) -> int:
        """The position of the entity with these words, which is added if it is new: a word is one entity of its row."""
        for position, one in enumerate(self.found):
            written = one.surface if isinstance(one, Word) else text[max(one.start, 0) : max(one.end, 0)]
            if written == word.surface:
                self.types_differ |= word.label not in (ENTITY, one.label)
                return position
        self.found.append(word)
        return len(self.found) - 1


def gold_of(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The entities and relations in the key GOLD, an object or its JSON; None where it has none."""
    inner = value.get(GOLD)
    if isinstance(inner, str) and inner.lstrip().startswith("{"):
        try:
            inner = json.loads(inner)
        except (ValueError, RecursionError):
            return None
    return inner if isinstance(inner, dict) and "entities" in inner and NUMBERED in inner else None


def from_text(value: object, key: str) -> object:
    """A list or object that a cell holds as the text of its JSON, as a table would; any other value as it is.

    Raises DataError for a text that begins as such a JSON and is none, or has a key twice. `[urgent]` is a name.
    """
    if not isinstance(value, str) or not (written := value.strip()).startswith(("[", "{")):
        return value
    try:
        found = json.loads(written, object_pairs_hook=json_object)
    except (ValueError, RecursionError):
        if not _BEGINS_JSON.match(written):
            return value
        what = f"`{key}` holds `{shown(written, 40)}`, which begins as JSON and is none"
        raise DataError(
            with_odd_sign(what, written), fix="write the list itself, or its JSON as it was written"
        ) from None
    if (twice := key_twice(0, found)) is not None:
        raise DataError(twice.what, fix=twice.fix)
    return found if isinstance(found, list | dict) else value


def read_relations(
    value: Mapping[str, Any], text: str, entities: Entities, inline: Any
) -> tuple[LabelledRelation, ...]:
    """The relations of a row under any of LISTS; entities that only they name are added. Raises DataError.

    inline: the span of an entity that is an object with places.
    """
    found: dict[LabelledRelation, None] = {}
    for key in LISTS:
        for each in _listed(from_text(value.get(key), key), key):
            for head, label, tail in _triples(each, key):
                ends = [_end(one, key, text, entities, inline) for one in (head, tail)]
                found[LabelledRelation(ends[0], ends[1], label)] = None
    return tuple(found)


def _listed(value: object, key: str) -> list[Any]:
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        what = f"`{key}` is `{shown(value, 40)}`, which is no list of relations"
        raise DataError(what, fix="write a list of relations; where it is something else, name the column otherwise")
    return value


def _triples(value: object, key: str) -> Iterator[tuple[Any, str, Any]]:
    """(head, label, tail) of an entry; several for an object with further values. Raises DataError."""
    if isinstance(value, list) and len(value) == 3 and all(isinstance(one, str) and one.strip() for one in value):
        yield Word(value[0].strip()), value[1].strip(), Word(value[2].strip())
        return
    if not isinstance(value, dict):
        raise DataError(f"`{key}` holds `{shown(value)}`, which is no relation", fix=_FIX)
    head, tail, label = (_first(value, names) for names in (_HEAD, _TAIL, _LABEL))
    label = label[0] if isinstance(label, list) and len(label) == 1 else label
    if head is None or tail is None or not isinstance(label, str) or not label.strip():
        raise DataError(f"`{key}` holds `{shown(value)}`, which is no relation", fix=_FIX)
    head_type, tail_type = (_first(value, names) for names in _TYPES)
    for role, one in tail.items() if isinstance(tail, dict) and _VALUE in tail else [(_VALUE, tail)]:
        if one is None or one == "":
            continue
        of_role = tail_type.get(role) if isinstance(tail_type, dict) else tail_type
        said = label.strip() if role == _VALUE else f"{label.strip()}.{role}"
        yield _typed(head, head_type), said, _typed(one, of_role)


def _typed(end: Any, label: object) -> Any:
    """Words with their type; what is no text as it is."""
    return Word(end.strip(), label.strip()) if isinstance(end, str) and isinstance(label, str) and label else end


def _end(end: Any, key: str, text: str, entities: Entities, inline: Any) -> int:
    """The position of a head or tail among the entities; -1 for one that is not there. Raises DataError."""
    if isinstance(end, int) and not isinstance(end, bool) and key == NUMBERED:
        return entities.ids.get(str(end), -1)
    if isinstance(end, str):
        if key == NUMBERED and (end in entities.ids or entities.named):
            return entities.ids.get(end, -1)
        end = Word(end.strip())
    if isinstance(end, Word) and end.surface:
        return entities.of_word(text, end)
    if isinstance(end, dict):
        if has_places(end):
            return entities.of_span(inline(end))
        surface, label = _first(end, _SURFACE), _first(end, _TYPE)
        if isinstance(surface, str) and surface.strip():
            return entities.of_word(text, Word(surface.strip(), label if isinstance(label, str) else ENTITY))
    raise DataError(f"`{key}` holds `{shown(end)}` as a head or tail, which names no entity", fix=_FIX)


def has_places(value: Mapping[str, Any]) -> bool:
    """Whether an entity has a start or an end, or both as `pos`."""
    return any(str(key).startswith(("start", "end", "begin")) or key == "pos" for key in value)


def _first(value: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)
