"""Facts for rules about the words, numbers and types of entities, and of the two ends of relations.

Of several pieces of one type, and of several relations of one name, the first in the text is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penjing.core.abilities import Bounds
from penjing.core.answers import Link, Span
from penjing.core.task import FactKind
from penjing.tasks.tag_numbers import least_and_most

_OF_ENTITIES: Mapping[str, FactKind] = {"text": "str", "min": "float", "max": "float"}
_ENDS = ("head", "tail")
_OF_ENDS: Mapping[str, FactKind] = {"text": "str", "type": "enum"}


def entity_facts(types: Sequence[str]) -> dict[str, FactKind]:
    """Of each type the text of its first entity, and the smallest and the largest number in its entities."""
    return {f"entity.{label}.{what}": kind for label in types for what, kind in _OF_ENTITIES.items()}


def entity_values(spans: Sequence[Span], text: str, types: Sequence[str]) -> dict[str, str | float | None]:
    """None for a type without an entity, and for numbers where its entities have none."""
    found: dict[str, str | float | None] = dict.fromkeys(entity_facts(types))
    words: dict[str, list[str]] = {}
    for span in spans:
        words.setdefault(span.label, []).append(text[span.start : span.end])
    for label, each in words.items():
        found[f"entity.{label}.text"] = each[0]
        if (numbers := least_and_most(each)) is not None:
            found[f"entity.{label}.min"], found[f"entity.{label}.max"] = numbers
    return found


def end_facts(relations: Sequence[str]) -> dict[str, FactKind]:
    """Of each relation the text and the type of the head and of the tail of its first triple."""
    return {
        f"relation.{label}.{end}.{what}": kind
        for label in relations
        for end in _ENDS
        for what, kind in _OF_ENDS.items()
    }


def end_types(relations: Sequence[str], types: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The types that those of `end_facts` can be which are a type."""
    return {fact: tuple(types) for fact, kind in end_facts(relations).items() if kind == "enum"}


def end_values(links: Sequence[Link], text: str, relations: Sequence[str]) -> dict[str, str | float | None]:
    """None for a relation that the text does not have. links: in the order of their heads in the text."""
    found: dict[str, str | float | None] = dict.fromkeys(end_facts(relations))
    for link in reversed(links):
        for end, span in zip(_ENDS, (link.head, link.tail), strict=True):
            found[f"relation.{link.relation}.{end}.text"] = text[span.start : span.end]
            found[f"relation.{link.relation}.{end}.type"] = span.label
    return found


def piece_bounds(types: Sequence[str], relations: Sequence[str] = ()) -> Bounds:
    """No value without a piece or a relation; the smallest number of a type is at most its largest one."""
    ends = {fact: f"relation.{label}.count" for label in relations for fact in end_facts([label])}
    return Bounds(
        rising=tuple((f"entity.{label}.min", f"entity.{label}.max") for label in types),
        pieces={fact: f"entity.{label}.count" for label in types for fact in entity_facts([label])} | ends,
    )
