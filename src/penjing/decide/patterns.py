"""The regular expressions of a table, searched in a folded text in linear time by RE2.

RE2 derives from each expression the words of which a match must have some, finds these words in one pass, and runs only
the expressions that are left (`FilteredRE2`). Prefer it to one automaton of all expressions (`RE2::Set`), whose states
multiply (LOG.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penjing.decide.regex import options

# Expressions that share one pass. With 1,000 of them the pass needs more states than it may keep, and is slow.
_TOGETHER = 500


class Patterns:
    """Expressions compiled once; safe for several threads."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises ValueError for an expression that RE2 does not take."""
        self._groups = [_filter(patterns[i : i + _TOGETHER]) for i in range(0, len(patterns), _TOGETHER)]

    def found(self, folded: str) -> list[str]:
        """The expressions that are found in a folded text, in their order."""
        raw = folded.encode()
        return [patterns[i] for search, patterns in self._groups for i in search.Match(raw) or ()]


def _filter(patterns: Sequence[str]) -> tuple[Any, Sequence[str]]:
    import re2

    search, compiled = re2.Filter(), options()
    for pattern in patterns:
        try:
            search.Add(pattern, compiled)
        except re2.error as error:
            raise ValueError(f"RE2 does not take the expression {pattern[:80]!r}") from error
    search.Compile()
    return search, patterns
