"""Terms of a pair of texts: what both have, what only one has, and measures of how alike they are.

    =t   t is in both texts, as often as in the one that has it less;   ≠t   the rest;   ~m   a measure m in [0, 1]

The order of the two texts changes nothing. Measures: Dice's coefficient 2 |a ∩ b| / (|a| + |b|) over words and over
characters 1-3 with repetitions, the cosine of the counts of all terms, and the shorter length by the longer one.
Source: Dice, Measures of the Amount of Ecologic Association Between Species, 1945.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

BOTH, ONE, MEASURE = "=", "≠", "~"
_DICE: Mapping[str, Callable[[str], bool]] = {
    "words": lambda term: term[0] == "w" and " " not in term,
    "characters_1": lambda term: term[0] == "c" and len(term) == 2,
    "characters_2": lambda term: term[0] == "c" and len(term) == 3,
    "characters_3": lambda term: term[0] == "c" and len(term) == 4,
}
MEASURES = tuple(f"{MEASURE}{name}" for name in (*_DICE, "cosine", "length"))


def pair_terms(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """All terms of a pair with repetitions, from those of its texts as `Terms.of` writes them; each measure once."""
    left, right = Counter(first), Counter(second)
    both = left & right
    one = (left - both) + (right - both)
    return [*(BOTH + term for term in both.elements()), *(ONE + term for term in one.elements()), *MEASURES]


def pair_measures(first: Sequence[str], second: Sequence[str]) -> dict[str, float]:
    """The measures of a pair by their terms, each in [0, 1]; 0 where neither text has anything to compare."""
    left, right = Counter(first), Counter(second)
    found = {}
    for name, belongs in _DICE.items():
        one, other = (Counter({term: n for term, n in each.items() if belongs(term)}) for each in (left, right))
        whole = one.total() + other.total()
        found[MEASURE + name] = 2 * (one & other).total() / whole if whole else 0.0
    norm = math.sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values()))
    dot = sum(n * right[term] for term, n in left.items())
    found[f"{MEASURE}cosine"] = min(1.0, dot / norm) if norm else 0.0
    lengths = sorted((left.total(), right.total()))
    found[f"{MEASURE}length"] = lengths[0] / lengths[1] if lengths[1] else 0.0
    return found
