"""Columns of a table that belong together as the two texts of a case, by their names: `sentence1` and `sentence2`."""

from __future__ import annotations

from collections.abc import Sequence

from penjing.data.fold import fold_name

# The last characters of two names whose beginning is the same.
_MARKS = (("1", "2"), ("a", "b"), ("一", "二"), ("甲", "乙"))
_NAMES = (("premise", "hypothesis"), ("anchor", "positive"), ("原句", "对比句"), ("原文", "对比文本"))
_BETWEEN = "_- "


def couples(names: Sequence[str]) -> list[tuple[str, str]]:
    """(column of the first text, column of the second) for each couple among these names, in their order."""
    written = {fold_name(name): name for name in reversed(names)}
    return [(name, written[other]) for name in names for other in _others(fold_name(name)) if other in written]


def _others(name: str) -> list[str]:
    """The folded names that the second text may have if the first one has this name."""
    found = [other for one, other in _NAMES if name == one]
    for one, other in _MARKS:
        stem = name.removesuffix(one)
        if stem != name and len(stem.rstrip(_BETWEEN)) > 0:
            found.append(stem + other)
    return found
