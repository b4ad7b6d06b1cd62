"""Faults that differ only in what they quote and count are of one kind: the first are shown, the others counted."""

from __future__ import annotations

import re
from collections.abc import Sequence

EACH = 3
MOST = 20
# What is quoted, and numbers: with them a message says where and about what, without them what is wrong.
_PARTS = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"|\d[\d,.]*")


def kind_of(message: str) -> str:
    """The message without what it quotes and counts; two messages of one kind have the same."""
    return _PARTS.sub("#", message)


def first_of_each(lines: Sequence[str], most: int = MOST) -> list[str]:
    """The first lines of each kind, and below them how many more there are; at most `most` lines, and the number of all
    others. Kinds are in the order of their first lines.

    >>> first_of_each([f"row {number}: no label" for number in range(1, 31)])
    ['row 1: no label', 'row 2: no label', 'row 3: no label', 'and 27 more like these']
    """
    kinds: dict[str, list[str]] = {}
    for line in lines:
        kinds.setdefault(kind_of(line), []).append(line)
    shown: list[str] = []
    left = len(lines)
    for same in kinds.values():
        room = most - len(shown)
        if room <= 0:
            break
        first = same[: min(EACH if len(same) > EACH + 1 else len(same), room)]
        shown += first
        left -= len(first)
        if len(first) < len(same) and room > len(first):
            shown.append(f"and {len(same) - len(first):,} more like {'these' if len(first) > 1 else 'this'}")
            left -= len(same) - len(first)
    return [*shown, f"and {left:,} more"] if left else shown
