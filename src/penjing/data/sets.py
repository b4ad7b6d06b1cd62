"""Columns of sets of labels: whether cells hold several labels, and what is between them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

# In the order in which they are tried; of two widths that which occurs.
SEPARATORS = (";", "；", "|", "｜", "、", ",", "，")
# Of the cells so many have a separator, and of the labels in such cells so many also occur in another set.
_LEAST_SHARE = 0.05
_LEAST_RECURRING = 0.9
# A label is on average in so many cells, and has at most so many characters.
_LEAST_ROWS = 3
_LONGEST = 60


def find_separator(cells: Sequence[str]) -> str | None:
    """What is between the labels of these cells, `;` for lists of JSON; None for cells that are no sets.

    A text with commas is none, because its parts do not recur in other combinations.
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    lists = [found for cell in filled if (found := words_of_list(cell)) is not None]
    if len(lists) >= _LEAST_SHARE * len(filled) and _recur([*lists, *([cell] for cell in filled if cell[0] != "[")]):
        return ";"
    for separator in SEPARATORS:
        if _recur([[part.strip() for part in cell.split(separator)] for cell in filled]):
            return separator
    return None


def words_of_list(cell: str) -> list[str] | None:
    """The words of a cell that is a list of JSON; None for any other cell."""
    if not cell.startswith("["):
        return None
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(each, str) for each in found) else None


def _recur(sets: Sequence[Sequence[str]]) -> bool:
    """Whether these are sets of labels that occur again and again."""
    several = [one for one in sets if len(one) > 1]
    if len(several) < max(2, _LEAST_SHARE * len(sets)):
        return False
    rows = Counter(word for one in sets for word in set(one) if word)
    parts = [word for one in several for word in one if word]
    if not rows or max(map(len, rows)) > _LONGEST or sum(rows.values()) < _LEAST_ROWS * len(rows):
        return False
    beside: dict[str, set[frozenset[str]]] = {}
    for one in sets:
        for word in one:
            beside.setdefault(word, set()).add(frozenset(one))
    # A label that is one word with a comma in it recurs too, but always in the same company.
    return sum(len(beside[word]) > 1 for word in parts) >= _LEAST_RECURRING * len(parts)
