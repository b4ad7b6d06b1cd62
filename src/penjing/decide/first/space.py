"""The space of facts as finitely many cells, and boxes of cells that are subtracted exactly.

Each fact is cut at the bounds of all conditions, so that every cell is wholly inside or outside every condition. A box
is one bit mask of cells per fact. A rule is one box and the phrases that it needs. Subtracting a box from another
leaves at most one new box per fact, so the whole product of cells is never built.

Phrases need no cells. Rules require that a phrase occurs, never that it does not. So the case that meets the fewest
rules above its own has only the phrases that its rule needs, and the shorter ones inside them. It is enough to check
these texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from penjing.core.errors import RuleError
from penjing.decide.first.cells import Among, Between, Contains, Is, Test, scale
from penjing.decide.first.table import Condition, Rule, RuleTable
from penjing.decide.schema import MICRO, FactSchema

MAX_TEXTS = 2_000
MAX_WORK = 3_000_000
OTHER = "any other value"
Box = tuple[int, ...]


@dataclass(frozen=True)
class Axis:
    """One fact: its cells are listed values (and `other`), or inclusive ranges of whole units (None: no bound)."""

    fact: str
    values: tuple[str, ...] = ()
    ranges: tuple[tuple[int | None, int | None], ...] = ()

    @cached_property
    def full(self) -> int:
        """The mask of all cells."""
        return (1 << (len(self.values) or len(self.ranges))) - 1

    def mask(self, test: Test) -> int:
        """The cells in which a condition holds."""
        if isinstance(test, Among):
            return sum(1 << self.values.index(value) for value in test.values)
        if isinstance(test, Is):
            return 1 << self.values.index(str(test.value).lower())
        assert isinstance(test, Between)
        return sum(1 << i for i, cell in enumerate(self.ranges) if any(_inside(cell, each) for each in test.ranges))


class Space:
    """All facts that the rules of a table name, cut into cells, without combinations that cannot occur."""

    def __init__(self, table: RuleTable) -> None:
        tests: dict[str, list[Test]] = {}
        for rule in table.rules:
            for condition in rule.conditions:
                if not isinstance(condition.test, Contains):
                    tests.setdefault(condition.fact, []).append(condition.test)
        self.axes = [_axis(fact, tests[fact], table.schema) for fact in _in_order(tests, table.schema.own)]
        self._place = {axis.fact: i for i, axis in enumerate(self.axes)}
        self._possible = self._possible_pairs(len(table.schema.labels))
        self._ordered = [self._place[fact] for fact in table.schema.bounds.ordered if fact in self._place]
        self._inside = {long: {each for each in table.phrases if each in long} for long in table.phrases}
        self._path, self._work = table.path, 0

    @property
    def whole(self) -> Box:
        """The box of all cells."""
        return tuple(axis.full for axis in self.axes)

    def box(self, rule: Rule) -> Box:
        """The box in which a rule holds, without its phrases; `occurs` tests whether a case can be in it."""
        found = list(self.whole)
        for condition in rule.conditions:
            if not isinstance(condition.test, Contains):
                place = self._place[condition.fact]
                found[place] &= self.axes[place].mask(condition.test)
        return tuple(found)

    def cells(self, condition: Condition) -> int:
        """The mask of the cells of its fact in which a condition holds; not for phrases."""
        assert not isinstance(condition.test, Contains)
        return self.axes[self._place[condition.fact]].mask(condition.test)

    def texts(self, rule: Rule) -> list[frozenset[str]]:
        """The smallest texts in which a rule finds its phrases, each as the phrases of the table that occur in it."""
        tests = [condition.test for condition in rule.conditions if isinstance(condition.test, Contains)]
        count = 1
        for test in tests:
            count *= len(test.phrases)
        self._limit(count > MAX_TEXTS)
        choices = product(*(test.phrases for test in tests))
        return list(dict.fromkeys(frozenset().union(*(self._inside[each] for each in choice)) for choice in choices))

    def occurs(self, box: Box) -> bool:
        """Whether any case can be in the box."""
        if not all(box) or not self._in_order(box):
            return False
        if self._possible is None:
            return True
        p, margin = box[self._place["p"]], box[self._place["margin"]]
        return any(p >> i & 1 and margin & cells for i, cells in enumerate(self._possible))

    def _in_order(self, box: Box) -> bool:
        """Whether values that rise from one ordered fact to the next can be in the box; tries the least ones."""
        least: float = -math.inf
        for place in self._ordered:
            cells = (cell for i, cell in enumerate(self.axes[place].ranges) if box[place] >> i & 1)
            fits = next(((low, high) for low, high in cells if high is None or high >= least), None)
            if fits is None:
                return False
            least = least if fits[0] is None else max(least, fits[0])
        return True

    def left(self, box: Box, taken: Sequence[Box], used: set[int] | None = None) -> Iterator[Box]:
        """Disjoint boxes that cover a box without the others, one at a time.

        `used` collects the positions of the boxes that were subtracted. Raises RuleError if the search is too long.
        """
        waiting = [(box, 0)] if self.occurs(box) else []
        while waiting:
            here, start = waiting.pop()
            for i in range(start, len(taken)):
                self._work += 1
                # Boxes may overlap where no case can be; nothing is subtracted there.
                if self.occurs(tuple(a & b for a, b in zip(here, taken[i], strict=True))):
                    if used is not None:
                        used.add(i)
                    pieces = [piece for piece in _subtract(here, taken[i]) if self.occurs(piece)]
                    waiting += [(piece, i + 1) for piece in reversed(pieces)]
                    break
            else:
                yield here
            self._limit(self._work > MAX_WORK)

    def _limit(self, beyond: bool) -> None:
        if beyond:
            raise RuleError(
                "the rules overlap in more ways than can be checked exactly",
                where=self._path,
                fix="use fewer rows or fewer columns of conditions, or join rows with `in a|b` and `contains a|b`",
            )

    def _possible_pairs(self, labels: int) -> list[int] | None:
        """For each cell of p, the mask of the cells of margin that can occur with it."""
        if not labels or "p" not in self._place or "margin" not in self._place:
            return None
        margins = self.axes[self._place["margin"]].ranges
        cells = self.axes[self._place["p"]].ranges
        return [sum(1 << j for j, margin in enumerate(margins) if _meet(cell, margin, labels)) for cell in cells]


def found_in(rule: Rule, text: Iterable[str]) -> bool:
    """Whether a rule finds its phrases in a text with exactly these phrases of the table."""
    tests = [condition.test for condition in rule.conditions if isinstance(condition.test, Contains)]
    return all(any(phrase in text for phrase in test.phrases) for test in tests)


def p_bounds(labels: int) -> tuple[int, int]:
    """Least and largest top probability of so many labels in millionths, each probability rounded by half a unit."""
    return -(-(MICRO - labels // 2) // labels), MICRO


def margin_bounds(p: int, labels: int) -> tuple[int, int]:
    """Least and largest margin for a top probability p, in millionths.

    margin = p1 - p2 with p2 <= p1, p2 <= 1 - p1 and p2 >= (1 - p1) / (L - 1); two labels: margin = 2p - 1. As each of
    the L probabilities was rounded by half a unit, their sum may differ from 1 by L / 2 units.
    """
    if labels == 1:
        return p, p
    slack = labels // 2
    second = min(p, MICRO + slack - p)
    least = max(0, -(-(MICRO - slack - p) // (labels - 1)))
    return p - second, p - least


def _meet(p: tuple[int | None, int | None], margin: tuple[int | None, int | None], labels: int) -> bool:
    """Whether some pair in this rectangle can occur.

    Both bounds of the margin grow with p. So it searches the largest p whose least margin is small enough, which has
    the largest upper bound, and tests whether that bound reaches the rectangle.
    """
    bottom, top = p_bounds(labels)
    low, high = max(bottom, p[0] or 0), top if p[1] is None else min(top, p[1])
    first, last = margin[0] or 0, MICRO if margin[1] is None else margin[1]
    if low > high or margin_bounds(low, labels)[0] > last:
        return False
    under, over = low, high
    while under < over:
        middle = (under + over + 1) // 2
        under, over = (middle, over) if margin_bounds(middle, labels)[0] <= last else (under, middle - 1)
    return margin_bounds(under, labels)[1] >= first


def _axis(fact: str, tests: Sequence[Test], schema: FactSchema) -> Axis:
    kind = schema.kinds()[fact]
    if kind == "bool":
        return Axis(fact=fact, values=("true", "false"))
    if kind in ("label", "enum"):
        return Axis(fact=fact, values=schema.values(fact))
    if kind == "str":
        named = dict.fromkeys(value for test in tests if isinstance(test, Among) for value in test.values)
        return Axis(fact=fact, values=(*named, OTHER))
    if listed := schema.bounds.listed.get(fact):
        points = sorted(round(value * scale(kind)) for value in listed)
        return Axis(fact=fact, ranges=tuple((point, point) for point in points))
    bottom: int | None = 0 if kind in ("unit", "count") else None
    top: int | None = MICRO if kind == "unit" else None
    if fact == "p" and schema.labels:
        bottom, top = p_bounds(len(schema.labels))
    starts = set()
    for low, high in (each for test in tests if isinstance(test, Between) for each in test.ranges):
        starts |= {start for start in (low, None if high is None else high + 1) if start is not None}
    cuts = sorted(cut for cut in starts if (bottom is None or cut > bottom) and (top is None or cut <= top))
    edges: list[int | None] = [bottom, *cuts]
    ends: list[int | None] = [*(cut - 1 for cut in cuts), top]
    return Axis(fact=fact, ranges=tuple(zip(edges, ends, strict=True)))


def _in_order(tests: Iterable[str], first: Sequence[str]) -> list[str]:
    return sorted(tests, key=lambda fact: (first.index(fact) if fact in first else len(first), fact))


def _inside(cell: tuple[int | None, int | None], test: tuple[int | None, int | None]) -> bool:
    above = test[0] is None or (cell[0] is not None and cell[0] >= test[0])
    below = test[1] is None or (cell[1] is not None and cell[1] <= test[1])
    return above and below


def _subtract(box: Box, other: Box) -> list[Box]:
    pieces, rest = [], box
    for place, (mine, theirs) in enumerate(zip(box, other, strict=True)):
        if mine & ~theirs:
            pieces.append((*rest[:place], mine & ~theirs, *rest[place + 1 :]))
            rest = (*rest[:place], mine & theirs, *rest[place + 1 :])
    return pieces
