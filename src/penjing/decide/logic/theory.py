"""Whether a solution of the solver can be a case: a case with it, or clauses that say what no case can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penjing.decide.logic.clauses import RowVariables, TextProperty, TextVariables
from penjing.decide.logic.counts import counts_of
from penjing.decide.logic.rows import CLOCK, DAY, DAYS, MadeCase, TableRows
from penjing.decide.logic.simplex import probabilities
from penjing.decide.logic.text_theory import Clauses, TextTheory
from penjing.decide.logic.texts import MadeText

_ANSWER = ("p", "margin")
_SURE = 950_000  # the p to take where nothing is asked of it


@dataclass(frozen=True)
class _Bound:
    """A number is at least (`is_lower`) or at most so much, because this literal is true."""

    fact: str
    is_lower: bool
    value: int
    literal: int


class Theory:
    """All facts of a query. hints: for each number and listed value the one to take where nothing is asked of it."""

    def __init__(self, rows: TableRows, variables: RowVariables, hints: Mapping[str, int | str]) -> None:
        self._rows, self._variables, self._hints = rows, variables, hints
        self._labels = rows.schema.labels
        self._places = {f"p.{label}": place for place, label in enumerate(self._labels)}

    def solve(self, model: set[int]) -> MadeCase | Clauses:
        """The case of a solution (the true literals), or clauses that it breaks."""
        absent = frozenset(fact for fact, literal in self._variables.absent.items() if literal in model)
        names, clauses = self._names(model)
        texts: dict[str, MadeText] = {}
        said = self._variables.said(model)
        for fact in self._rows.facts:
            if self._rows.is_text(fact):
                found = self._text(fact, said.get(fact, set()), absent)
                if isinstance(found, MadeText):
                    texts[fact] = found
                else:
                    clauses += found
        numbers: dict[str, int] = {}
        counts = counts_of(self._rows, self._variables, model, names, self._hints)
        for part in (self._answer(model, names), self._dates(model, absent), counts):
            if isinstance(part, dict):
                numbers |= part
            else:
                clauses += part
        if clauses:
            return clauses
        numbers |= self._others(model, numbers)
        return MadeCase(numbers, names, absent | self._without_pieces(numbers, absent), texts)

    def _without_pieces(self, numbers: Mapping[str, int], absent: frozenset[str]) -> frozenset[str]:
        """The facts about pieces that no row of the query asks of, where the case has no such piece."""
        pieces = self._rows.schema.bounds.pieces
        about = [fact for fact in self._rows.facts if fact in pieces]
        there = {pieces[fact] for fact in about if fact in self._variables.absent and fact not in absent}
        return frozenset(
            fact
            for fact in about
            if fact not in self._variables.absent and not numbers.get(pieces[fact]) and pieces[fact] not in there
        )

    def _text(self, fact: str, true: set[TextProperty], absent: frozenset[str]) -> MadeText | Clauses:
        if fact in absent and self._rows.may_be_absent(fact):
            return MadeText(exact=True)
        empty = self._variables.absent[fact] if fact in absent else None
        return TextTheory(self._rows, self._variables.texts.get(fact, TextVariables()), true).solve(empty)

    def _names(self, model: set[int]) -> tuple[dict[str, str], Clauses]:
        """One value of each listed fact."""
        found: dict[str, str] = {}
        clauses: Clauses = []
        for fact in self._rows.facts:
            if self._rows.is_text(fact) or self._rows.is_number(fact):
                continue
            known = self._variables.names.get(fact)
            if known is None:
                found[fact] = str(self._hints[fact])
                continue
            true = [(value, literal) for value, literal in known.items() if literal in model]
            clauses += [[-true[0][1], -literal] for _, literal in true[1:]]
            found[fact] = true[0][0]
        return found, clauses

    def _bounds(self, fact: str, model: set[int]) -> list[_Bound]:
        """The bounds that a solution puts on a number, beyond its limits."""
        found = []
        cuts = self._variables.cuts.get(fact, [])
        met = [cut for cut in cuts if self._variables.cut(fact, cut) in model]
        if met:
            found.append(_Bound(fact, True, met[-1], self._variables.cut(fact, met[-1])))
        if len(met) < len(cuts):
            cut = cuts[len(met)]
            found.append(_Bound(fact, False, cut - 1, -self._variables.cut(fact, cut)))
        return found

    def _span(self, fact: str, bounds: list[_Bound]) -> tuple[int, int]:
        low, high = self._rows.limits(fact)
        for each in bounds:
            if each.fact == fact:
                low, high = (max(low, each.value), high) if each.is_lower else (low, min(high, each.value))
        return low, high

    def _answer(self, model: set[int], names: dict[str, str]) -> dict[str, int] | Clauses:
        """p, margin and the probabilities of labels; also the label, where no row of the query asks of it."""
        tested = [fact for fact in (*_ANSWER, *self._places) if fact in self._rows.facts]
        if not self._labels or not tested:
            return {}
        bounds = [each for fact in tested if fact in self._variables.cuts for each in self._bounds(fact, model)]
        known = self._variables.names.get("label")
        label = names.get("label", str(self._hints.get("label", self._labels[0])))
        literal = known[label] if known else None
        wanted = label if known else None
        found = self._first(bounds, wanted, label)
        if found is not None:
            top, x = found
            if "label" in names:
                names["label"] = self._labels[top]
            second = max((each for i, each in enumerate(x) if i != top), default=0)
            return {"p": x[top], "margin": x[top] - second} | {
                fact: x[self._places[fact]] for fact in tested if fact in self._places
            }
        for each in list(bounds):
            fewer = [other for other in bounds if other != each]
            if self._first(fewer, wanted, label) is None:
                bounds = fewer
        if literal is not None and self._first(bounds, None, label) is None:
            literal = None
        return [[-each.literal for each in bounds] + ([-literal] if literal is not None else [])]

    def _first(self, bounds: list[_Bound], label: str | None, hint: str) -> tuple[int, tuple[int, ...]] | None:
        """Probabilities within the bounds, of this label or of any; a sure answer where it can be."""
        p, margin = (self._span(fact, bounds) for fact in _ANSWER)
        named = {
            place: self._span(fact, bounds)
            for fact, place in self._places.items()
            if any(each.fact == fact for each in bounds)
        }
        plainest = _near(_SURE, *p)
        # Labels without a bound are alike, but that the first of equal ones is the answer.
        plain = next((place for place in range(len(self._labels)) if place not in named), 0)
        labels = [self._labels[place] for place in (plain, *named)]
        for span in ((plainest, plainest), p) if p[0] <= p[1] else ():
            for each in [label] if label is not None else dict.fromkeys((hint, *labels)):
                top = self._labels.index(each)
                if (x := probabilities(len(self._labels), top, span, margin, named)) is not None:
                    return top, x
        return None

    def _dates(self, model: set[int], absent: frozenset[str]) -> dict[str, int] | Clauses:
        """The clock and all dates. Each date allows the clock one interval of days; all meet if each two of them do."""
        dates = [fact for fact in self._rows.facts if self._rows.kinds[fact] == "date" and fact != CLOCK]
        intervals = [(*self._clock_days(CLOCK, bounds := self._bounds(CLOCK, model)), bounds)]
        for fact in dates:
            if fact not in absent and fact + DAYS in self._variables.cuts:
                bounds = self._bounds(fact, model) + self._bounds(fact + DAYS, model)
                intervals.append((*self._clock_days(fact, bounds), bounds))
        last_start, first_end = max(intervals, key=lambda each: each[0]), min(intervals, key=lambda each: each[1])
        if last_start[0] > first_end[1]:
            return [sorted({-each.literal for each in (*last_start[2], *first_end[2])})]
        clock = self._span(CLOCK, intervals[0][2])
        day = _clamp(int(self._hints[CLOCK]) // DAY, last_start[0], first_end[1])
        found = {CLOCK: _clamp(day * DAY, *clock)}
        for fact in dates:
            low, high = self._span(fact, self._bounds(fact, model))
            least, most = self._span(fact + DAYS, self._bounds(fact + DAYS, model))
            chosen = _clamp(
                int(self._hints[fact]), max(low, (day + least) * DAY), min(high, (day + most + 1) * DAY - 1)
            )
            found[fact] = chosen
        return found

    def _clock_days(self, fact: str, bounds: list[_Bound]) -> tuple[int, int]:
        """The days on which the clock can be, for one date within its bounds, or for the clock's own."""
        low, high = (each // DAY for each in self._span(fact, bounds))
        if fact == CLOCK:
            return low, high
        least, most = self._span(fact + DAYS, bounds)
        return low - most, high - least

    def _others(self, model: set[int], known: Mapping[str, int]) -> dict[str, int]:
        """All other numbers; those that are ordered rise, because their cuts are the same."""
        found = {}
        chains = self._rows.schema.bounds.chains
        chained = {fact for chain in chains for fact in chain}
        for fact in self._rows.facts:
            if self._rows.is_number(fact) and fact not in known and fact not in chained:
                found[fact] = self._listed(
                    fact, _near(int(self._hints[fact]), *self._span(fact, self._bounds(fact, model)))
                )
        for chain in chains:
            tested = [fact for fact in chain if fact in self._rows.facts]
            spans = [self._span(fact, self._bounds(fact, model)) for fact in tested]
            for place, fact in enumerate(tested):
                low = max(low for low, _ in spans[: place + 1])
                high = min(high for _, high in spans[place:])
                found[fact] = self._listed(fact, _clamp(int(self._hints[tested[0]]), low, high))
        return found

    def _listed(self, fact: str, value: int) -> int:
        """The value, or of a fact that has few the next one below it."""
        return max((whole for whole in self._rows.listed(fact) if whole <= value), default=value)


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def _near(value: int, low: int, high: int) -> int:
    """The value if it lies within the bounds, else a round number near the bound that is nearer."""
    end = _clamp(value, low, high)
    if end == value:
        return value
    room = max(1, abs(end) // 4)
    low, high = (max(low, end - room), end) if value > high else (end, min(high, end + room))
    steps: list[int] = [10**power for power in range(12, -1, -1)]
    for step in steps:
        if (found := -(-low // step) * step) <= high:
            return found
    return end
