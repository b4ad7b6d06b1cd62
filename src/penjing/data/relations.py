"""Columns of a table that are the head and the tail of a relation: by their names, and because they are in the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penjing.data.fold import fold_name

_NAMES = (
    ("head", "tail"), ("subject", "object"), ("subj", "obj"), ("head_entity", "tail_entity"), ("entity1", "entity2"),
    ("entity_1", "entity_2"), ("entity_a", "entity_b"), ("e1", "e2"), ("头实体", "尾实体"), ("主体", "客体"),
    ("主语", "宾语"), ("实体1", "实体2"), ("实体一", "实体二"),
)  # fmt: skip
_RELATION = ("relation", "predicate", "relation_type", "rel", "relationship", "关系", "谓词", "谓语", "关系类型")
_FOUND = 0.9  # of the rows must have both in one and the same other column


def ends_of(values: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """(column of the heads, column of the tails); None where no two columns are named so and lie in a third one."""
    written = {fold_name(name): name for name in reversed(list(values))}
    for one, other in _NAMES:
        head, tail = written.get(fold_name(one)), written.get(fold_name(other))
        if head is not None and tail is not None and text_of_ends(values, head, tail) is not None:
            return head, tail
    return None


def columns_of_triples(names: Sequence[str]) -> tuple[str, str, str] | None:
    """The columns of the heads, of the tails and of the relations, by their names; None where one is not there."""
    written = {fold_name(name): name for name in reversed(list(names))}
    relation = next((written[fold_name(one)] for one in _RELATION if fold_name(one) in written), None)
    ends = next(((one, other) for one, other in _NAMES if {fold_name(one), fold_name(other)} <= written.keys()), None)
    if relation is None or ends is None:
        return None
    return written[fold_name(ends[0])], written[fold_name(ends[1])], relation


def text_of_ends(values: Mapping[str, Sequence[str]], head: str, tail: str) -> str | None:
    """The first other column in which the heads and the tails lie; None where there is none."""
    pairs = [
        (place, one.strip(), other.strip())
        for place, (one, other) in enumerate(zip(values[head], values[tail], strict=True))
        if one.strip() and other.strip()
    ]
    if not pairs:
        return None
    return next(
        (
            name
            for name, cells in values.items()
            if name not in (head, tail)
            and sum(one in cells[place] and other in cells[place] for place, one, other in pairs) >= _FOUND * len(pairs)
        ),
        None,
    )
