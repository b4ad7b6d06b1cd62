"""All rows of a table as one compiled expression of zen, over whole numbers and yes/no only.

No word of the rules file or of a request enters the expression: each fact gets a generated name, each listed value a
number. So there is nothing to escape (zen knows no escapes in strings), nothing is rounded (numbers are millionths),
and no misspelt name can be null in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from penjing.decide.cells import Among, Contains, Is, Test, scale
from penjing.decide.schema import Kind

if TYPE_CHECKING:
    from zen import Expression

_OTHER = -1


class Matcher:
    """Rows of (fact, kind, condition) compiled once; `first` says which row is the first to hold.

    own: the facts that come of the model; the others are fields of the request, and counts of masked kinds.
    """

    def __init__(self, rows: Sequence[Sequence[tuple[str, Kind, Test]]], own: Collection[str]) -> None:
        self._own = frozenset(own)
        self._names: dict[str, str] = {}
        self._kinds: dict[str, Kind] = {}
        self._codes: dict[str, dict[str, int]] = {}
        self._phrases: dict[tuple[str, ...], str] = {}
        self.source = "[" + ", ".join(self._row(row) for row in rows) + "]"
        self._compiled = _compile(self.source)

    def first(self, facts: Mapping[str, Any]) -> int | None:
        """Index of the first row that holds for these facts; a field that is None holds everywhere."""
        held: list[bool] = self._compiled.evaluate(self.context(facts))
        return held.index(True) if True in held else None

    def context(self, facts: Mapping[str, Any]) -> dict[str, int | bool]:
        """The values of the generated names for these facts."""
        found: dict[str, int | bool] = {}
        for fact, name in self._names.items():
            value, kind = self._look_up(facts, fact), self._kinds[fact]
            found[f"n{name}"] = value is None
            if value is None:
                found[name] = False if kind == "bool" else 0
            elif kind == "bool":
                found[name] = bool(value)
            elif fact in self._codes:
                found[name] = self._codes[fact].get(value, _OTHER)
            else:
                # By way of its shortest decimal: a large amount times a million is beyond a float's 53 bits.
                found[name] = int(Decimal(repr(value)) * scale(kind))
        held = facts["contains"] if self._phrases else {}
        for phrases, name in self._phrases.items():
            found[name] = any(held[phrase] is True for phrase in phrases)
        return found

    def _look_up(self, facts: Mapping[str, Any], fact: str) -> Any:
        if fact.startswith("pii."):
            return facts["pii"][fact.removeprefix("pii.")]
        return facts[fact] if fact in self._own else facts["fields"][fact]

    def _row(self, row: Sequence[tuple[str, Kind, Test]]) -> str:
        return "(" + " and ".join(self._condition(*cell) for cell in row) + ")" if row else "true"

    def _condition(self, fact: str, kind: Kind, test: Test) -> str:
        if isinstance(test, Contains):
            # Joined here: each name more that the expression is given costs about a microsecond.
            return self._phrases.setdefault(test.phrases, f"w{len(self._phrases)}")
        name = self._names.setdefault(fact, f"f{len(self._names)}")
        self._kinds[fact] = kind
        if isinstance(test, Among):
            codes = self._codes.setdefault(fact, {})
            held = f"{name} in [{', '.join(str(codes.setdefault(value, len(codes))) for value in test.values)}]"
        elif isinstance(test, Is):
            held = f"{name} == {str(test.value).lower()}"
        else:
            held = " or ".join(_between(name, low, high) for low, high in test.ranges)
        return f"(n{name} or {held})"


def _between(name: str, low: int | None, high: int | None) -> str:
    if low is not None and low == high:
        return f"{name} == {low}"
    sides = [f"{name} >= {low}"] if low is not None else []
    sides += [f"{name} <= {high}"] if high is not None else []
    return "(" + " and ".join(sides) + ")"


def _compile(source: str) -> Expression:
    import zen

    return zen.compile_expression(source)
