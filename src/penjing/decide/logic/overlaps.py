"""Pairs of rows with different ends that may hold together: found by arrays, before a solver is asked.

Two rows meet unless some number or listed fact keeps them apart. Texts are left to the solver.
"""

from __future__ import annotations

import numpy as np

from penjing.decide.condition import Among, Contains, Empty
from penjing.decide.logic.boxes import Boxes, spans_of
from penjing.decide.logic.rows import CLOCK, TableRows
from penjing.decide.logic.texts import Bools


class Meetings:
    """Which rows above a row can meet it, and which rows lie in others for reasons that need no solver."""

    def __init__(self, rows: TableRows, boxes: Boxes) -> None:
        self._rows, self._boxes = rows, boxes
        ends = {then: code for code, then in enumerate(dict.fromkeys(rule.then for rule in rows.rules))}
        self._ends = np.array([ends[rule.then] for rule in rows.rules], dtype=np.int64)
        self._priority = np.array([rule.priority for rule in rows.rules], dtype=np.int64)
        self._low: dict[str, np.ndarray] = {}
        self._high: dict[str, np.ndarray] = {}
        self._names: dict[str, Bools] = {}
        self._absent: dict[str, Bools] = {}
        for fact in boxes.facts:
            self._enter(fact)
        self._groups = [{self._group(rows.tests[place][0]) for place in places} for places in rows.of]

    def above(self, row: int) -> list[int]:
        """The rows above a row that lead elsewhere and that no number or listed fact keeps apart from it.

        Rows of another priority are left out: their owner has said which one decides.
        """
        meet = (self._ends[:row] != self._ends[row]) & (self._priority[:row] == self._priority[row])
        for fact, low in self._low.items():
            high = self._high[fact]
            meet &= (low[:row] <= high[row]) & (low[row] <= high[:row]) | self._without(fact, row)
        for fact, allowed in self._names.items():
            mine = np.flatnonzero(allowed[row])
            if len(mine) < allowed.shape[1]:
                meet &= allowed[:row, mine].any(axis=1) | self._without(fact, row)
        found: list[int] = np.flatnonzero(meet).tolist()
        return found

    def apart(self, one: int, other: int) -> bool:
        """Whether the first row is surely not inside the other: that tests a fact which the first one leaves open."""
        return any(
            self._group(self._rows.tests[place][0]) not in self._groups[one] and self._can_fail(place)
            for place in self._rows.of[other]
        )

    def _without(self, fact: str, row: int) -> Bools:
        """The rows above a row that may meet it in a case without a value of the fact."""
        absent = self._absent[fact]
        found: Bools = absent[:row] & absent[row]
        return found

    def _enter(self, fact: str) -> None:
        sides = self._boxes.column(fact)
        full = self._boxes.full(fact)
        self._absent[fact] = np.array([(side or full).absent for side in sides], dtype=np.bool_)
        if isinstance(full.values, frozenset):
            values = self._rows.values(fact)
            every = np.ones(len(values), dtype=np.bool_)
            rows = [every if side is None else np.array([value in side.values for value in values]) for side in sides]
            self._names[fact] = np.array(rows, dtype=np.bool_).reshape(len(sides), len(values))
            return
        spans = [spans_of((side or full).values) or ((1, 0),) for side in sides]
        self._low[fact] = np.array([each[0][0] for each in spans], dtype=np.int64)
        self._high[fact] = np.array([each[-1][1] for each in spans], dtype=np.int64)

    def _group(self, fact: str) -> str:
        """The name of the facts that this one depends on."""
        if self._rows.schema.labels and (fact in ("label", "p", "margin") or fact.startswith("p.")):
            return "label"
        for count, counted in self._rows.schema.bounds.counted.items():
            if fact == count or fact in counted:
                return count
        if fact in self._rows.schema.bounds.pieces:
            return self._rows.schema.bounds.pieces[fact]
        if len(chain := self._rows.schema.bounds.chain(fact)) > 1:
            return chain[0]
        return CLOCK if fact == CLOCK or self._rows.kinds[fact] == "date" else fact

    def _can_fail(self, place: int) -> bool:
        """Whether some case does not meet a test; False where it is not known."""
        fact, test = self._rows.tests[place]
        if self._rows.may_be_absent(fact):
            return not isinstance(test, Empty)
        if isinstance(test, Contains):
            return bool(test.words or test.lists)
        if self._rows.is_text(fact) or isinstance(test, Empty):
            return False
        if isinstance(test, Among) and not test.negated:
            return not set(self._rows.values(fact)) <= set(test.values)
        return self._rows.kinds[fact] == "bool"
