"""Columns of a table that are the head and the tail of a relation: by their names, and because they are in the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penjing.data.fold import fold_name

_NAMES = (
    ("head", "tail"), ("subject", "object"), ("subj", "obj"), ("head_entity", "tail_entity"), ("entity1", "entity2"),
    ("entity_1", "entity_2"), ("entity_a", "entity_b"), ("e1", "e2"), ("头实体", "尾实体"), ("主体", "客体"),
    ("主语", "宾语"), ("实体1", "实体2"), ("实体一", "实体二"),
)  # fmt: skip
_FOUND = 0.9  # of the rows must have both in one and the same other column


def ends_of(values: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """(column of the heads, column of the tails); None where no two columns are named so and lie in a third one."""
    written = {fold_name(name): name for name in reversed(list(values))}
    for one, other in _NAMES:
        head, tail = written.get(fold_name(one)), written.get(fold_name(other))
        if head is not None and tail is not None and _within(values, head, tail):
            return head, tail
    return None


def _within(values: Mapping[str, Sequence[str]], head: str, tail: str) -> bool:
    pairs = [
        (place, one.strip(), other.strip())
        for place, (one, other) in enumerate(zip(values[head], values[tail], strict=True))
        if one.strip() and other.strip()
    ]
    return bool(pairs) and any(
        sum(one in cells[place] and other in cells[place] for place, one, other in pairs) >= _FOUND * len(pairs)
        for name, cells in values.items()
        if name not in (head, tail)
    )
