"""Every case of a small set of facts, one by one: what the static check must agree with. It shares no code with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.decide.condition import Among, Between, Contains, Empty, Is, Rule, Starts, Test, Within

DAY = 86_400
Grid = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Axis:
    """Facts that vary together: each value of the axis is a value of each of them; None is an absent field."""

    facts: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]


class Brute:
    """All cases as the product of axes; of each row the cases in which it holds, and in which it is not false."""

    def __init__(
        self,
        axes: Sequence[Axis],
        rules: Sequence[Rule],
        lists: Mapping[str, tuple[str, ...]],
        quoted: Sequence[str] = (),
    ) -> None:
        """quoted: facts that make every test but `empty` false where they are absent."""
        self.axes, self.lists, self.quoted = axes, lists, quoted
        self.shape = tuple(len(axis.values) for axis in axes)
        self.true = [self._row(rule, standing=False) for rule in rules]
        self.standing = [self._row(rule, standing=True) for rule in rules]

    def before(self, row: int) -> Grid:
        """The cases that some row before this one takes."""
        taken = np.zeros(self.shape, dtype=np.bool_)
        for each in self.standing[:row]:
            taken |= each
        return taken

    def _row(self, rule: Rule, *, standing: bool) -> Grid:
        found = np.ones(self.shape, dtype=np.bool_)
        for condition in rule.conditions:
            found &= self._test(condition.fact, condition.test, standing=standing)
        low, high = rule.valid_from, rule.valid_to
        if low is not None or high is not None:
            found &= self._of("clock", lambda at: (low is None or at >= low) and (high is None or at <= high))
        return found

    def _test(self, fact: str, test: Test, *, standing: bool) -> Grid:
        if isinstance(test, Empty):
            return self._of(fact, lambda value: (value is None) != test.negated)
        if isinstance(test, Within):
            place = next(i for i, axis in enumerate(self.axes) if fact in axis.facts)
            axis = self.axes[place]
            assert "clock" in axis.facts
            when, clock = axis.facts.index(fact), axis.facts.index("clock")
            held = [
                standing if each[when] is None else self._within(each[when], each[clock], test) for each in axis.values
            ]
            return self._spread(place, held)
        unknown = standing and fact not in self.quoted
        return self._of(fact, lambda value: unknown if value is None else self._holds(value, test))

    @staticmethod
    def _within(when: int, clock: int, test: Within) -> bool:
        days = when // DAY - clock // DAY
        return (-(test.past or 0) <= days <= (test.future or 0)) != test.negated

    def _holds(self, value: Any, test: Test) -> bool:
        if isinstance(test, Contains):
            words = list(test.words)
            if test.every:
                return all(word in value for word in words) != test.negated
            words += [word for name in test.lists for word in self.lists[name]]
            return any(word in value for word in words) != test.negated
        if isinstance(test, Starts):
            return any(value.startswith(word) for word in test.words) != test.negated
        if isinstance(test, Among):
            listed = {word for name in test.lists for word in self.lists[name]}
            return (value in test.values or value in listed) != test.negated
        if isinstance(test, Is):
            return bool(value == test.value)
        assert isinstance(test, Between)
        return any((low is None or value >= low) and (high is None or value <= high) for low, high in test.ranges)

    def _of(self, fact: str, holds: Callable[[Any], bool]) -> Grid:
        place = next(i for i, axis in enumerate(self.axes) if fact in axis.facts)
        which = self.axes[place].facts.index(fact)
        return self._spread(place, [holds(each[which]) for each in self.axes[place].values])

    def _spread(self, place: int, held: Sequence[bool]) -> Grid:
        shape = [1] * len(self.shape)
        shape[place] = len(held)
        return np.broadcast_to(np.array(held, dtype=np.bool_).reshape(shape), self.shape)


def texts(words: Sequence[str], neutral: str = "无") -> tuple[str, ...]:
    """Texts with every choice of these words in them, kept apart, each of them first, and none of them first."""
    chosen = [each for size in range(len(words) + 1) for each in permutations(words, size)]
    return tuple(dict.fromkeys(start + neutral.join(each) + neutral for each in chosen for start in ("", neutral)))


def answers(cuts: Sequence[int], margins: Sequence[int]) -> Axis:
    """label, p, margin and both probabilities of two labels, around all bounds, as rounding leaves them."""
    micro = 1_000_000
    around = {*cuts, *(micro - cut for cut in cuts)}
    around |= {(micro + sign * margin) // 2 for margin in margins for sign in (-1, 1)} | {0, micro // 2, micro}
    values = set()
    for one, move, slack in product(around, range(-2, 3), (-1, 0, 1)):
        first = one + move
        second = micro + slack - first
        if 0 <= first <= micro and 0 <= second <= micro:
            label = "ham" if first >= second else "spam"
            values.add((label, max(first, second), abs(first - second), first, second))
    return Axis(("label", "p", "margin", "p.ham", "p.spam"), tuple(sorted(values)))
