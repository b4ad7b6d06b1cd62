"""All rows of a table as one compiled expression of zen, over whole numbers and yes/no only.

No text of the rules file or of a request is in the expression: each fact gets a generated name, each listed value a
number. So nothing needs escaping (zen has no escapes in strings), nothing is rounded (numbers are millionths), and a
misspelt name cannot silently be null.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from penjing.data.dates import span_of
from penjing.decide.first.cells import Among, Contains, Is, Test
from penjing.decide.schema import Kind, scale

if TYPE_CHECKING:
    from zen import Expression

_OTHER = -1


class Matcher:
    """Rows of (fact, kind, condition) compiled once; `first` returns the first row that holds.

    own: the facts that come from the model; the others are fields of the request, and counts of masked kinds.
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
            elif kind == "date":
                found[name] = span_of(value)[0]
            elif fact in self._codes:
                found[name] = self._codes[fact].get(value, _OTHER)
            else:
                # Through its shortest decimal: a large amount times a million needs more than the 53 bits of a float.
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
            # Combined here, because each additional name in the expression costs about a microsecond.
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
