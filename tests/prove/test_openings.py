"""The ledger: what was opened before costs, the same promise costs nothing, new rows are taken, no line is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import DamageError
from penjing.prove.openings import LEDGER, Opening, OpeningPlan, open_planned, plan, read_openings
from penjing.prove.sequence import binomial_tail

ROWS = [f"{n:016x}" for n in range(10)]


def opening(promise: str, rows: list[str], delta: float = 0.05) -> Opening:
    return Opening(promise, frozenset(rows), delta, "2026-01-05T00:00:00Z")


def test_the_first_promise_has_the_whole_level_and_each_further_one_half_of_the_one_before() -> None:
    one = plan([], ROWS, "a", 0.05)
    assert (one.places, one.delta, one.earlier, one.fresh) == (tuple(range(10)), 0.05, (), False)
    past = [opening("a", ROWS), opening("b", ROWS[:6], 0.025)]
    third = plan(past, ROWS, "c", 0.05)
    assert third.delta == 0.0125 and [each.promise for each in third.earlier] == ["a", "b"]
    assert plan([*past, opening("a", ROWS)], ROWS, "c", 0.05).delta == 0.0125  # a promise counts once


def test_a_promise_that_was_tested_before_is_tested_the_same_again() -> None:
    past = [opening("a", ROWS), opening("b", ROWS, 0.025), opening("c", ROWS, 0.0125)]
    again = plan(past, ROWS, "b", 0.05)
    assert again.known and again.delta == 0.025 and [each.promise for each in again.earlier] == ["a"]


def test_more_rows_for_the_same_promise_are_another_test() -> None:
    past = [opening("a", ROWS[:4])]
    grown = plan(past, ROWS, "a", 0.05)
    assert not grown.known and grown.places == (4, 5, 6, 7, 8, 9) and grown.delta == 0.05
    again = plan([*past, opening("a", ROWS[4:])], ROWS, "a", 0.05)
    assert again.known and again.places == grown.places
    little = plan([opening("a", ROWS[:8])], ROWS, "a", 0.05)
    assert not little.known and little.delta == 0.025 and len(little.places) == 10 and len(little.earlier) == 1


def test_where_half_of_the_rows_are_new_they_alone_are_opened() -> None:
    found = plan([opening("a", ROWS[:5])], ROWS, "b", 0.05)
    assert found.places == (5, 6, 7, 8, 9) and found.delta == 0.05 and found.fresh and not found.earlier
    assert plan([opening("a", ROWS[:6])], ROWS, "b", 0.05).places == tuple(range(10))


def test_rows_of_another_kind_are_not_left_out() -> None:
    found = plan([opening("a", ROWS[:2])], ROWS, "b", 0.05, whole=True)
    assert found.places == tuple(range(10)) and found.delta == 0.025 and not found.fresh
    assert plan([opening("a", ["x"])], ROWS, "b", 0.05, whole=True).delta == 0.05


def test_whoever_keeps_trying_is_fooled_no_more_often_than_twice_the_level() -> None:
    rng = np.random.default_rng(3)
    fooled, tries = 0, 12
    for _ in range(400):
        past: list[Opening] = []
        for n in range(tries):
            level = plan(past, ROWS, str(n), 0.05).delta
            past.append(opening(str(n), ROWS, level))
            if binomial_tail(int(rng.binomial(200, 0.1)), 200, 0.1) <= level:  # every promise is broken
                fooled += 1
                break
    assert 0 < fooled / 400 <= 0.1


def entered(path: Path, promise: str, rows: list[str] = ROWS) -> OpeningPlan:
    return open_planned(path, rows, Opening(promise, frozenset(), 0.05, "2026-01-05T00:00:00Z"))


def test_a_ledger_is_read_back_and_a_half_written_line_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / LEDGER
    assert read_openings(path) == []
    entered(path, "a", ROWS[:2])
    with path.open("ab") as file:
        file.write(b'{"format": 1, "promise": "x", "ro')
    assert read_openings(path) == [opening("a", ROWS[:2])]
    assert entered(path, "b", ROWS[:2]).delta == 0.025
    assert read_openings(path) == [opening("a", ROWS[:2]), opening("b", ROWS[:2], 0.025)]


def test_a_whole_line_that_lost_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / LEDGER
    entered(path, "a")
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert entered(path, "b").delta == 0.025 and [one.promise for one in read_openings(path)] == ["a", "b"]


def test_promises_that_are_opened_at_once_are_counted_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / LEDGER
    with ThreadPoolExecutor(8) as threads:
        levels = sorted(found.delta for found in threads.map(lambda n: entered(path, f"{n}"), range(8)))
    assert levels == sorted(0.05 / 2**n for n in range(8)) and len(read_openings(path)) == 8


@pytest.mark.parametrize(
    "line",
    [
        b'{"format": 2}',
        b"\xff\xfe",
        b'{"format": 1, "promise": "a", "rows": "1", "delta": NaN, "time": ""}',
        b'{"format": 1, "promise": "a", "rows": "1", "delta": -0.1, "time": ""}',
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_a_damaged_line_is_refused_with_its_place(tmp_path: Path, line: bytes, last: bool) -> None:
    path = tmp_path / LEDGER
    entered(path, "a")
    path.write_bytes(path.read_bytes() + line + b"\n" if last else line + b"\n" + path.read_bytes())
    with pytest.raises(DamageError, match="ledger") as caught:
        read_openings(path)
    assert caught.value.where == f"{path}:{2 if last else 1}"
