"""What the ledger says before an opening: earlier promises, and what the next one costs in level and in rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import DamageError
from penjing.prove.opened import LedgerState, lines_in_words, look_up
from penjing.prove.openings import LEDGER, Opening, open_planned, read_openings

ROWS = [f"{number:016x}" for number in range(100)]
ABOUT = {"max_error": 0.05, "max_miss": {"spam": 0.1}, "model": "3f2a", "rules": ""}


def entered(path: Path, promise: str, rows: list[str] = ROWS) -> float:
    asked = Opening(promise, frozenset(), 0.05, "2026-01-05T00:00:00Z", ABOUT)
    return open_planned(path, rows, asked).delta


def said(state: LedgerState) -> list[str]:
    return list(lines_in_words(state, 0.1, lambda rows: 7 * rows))


def test_rows_that_were_never_opened_have_the_full_level(tmp_path: Path) -> None:
    state = look_up(tmp_path / LEDGER, ROWS)
    assert (state.rows, state.fresh, state.delta, state.earlier) == (100, 100, 0.05, ())
    assert said(state) == ["calibration rows: not opened yet; the first promise is tested at a level of 5 %"]
    entered(tmp_path / LEDGER, "a", [f"other-{row}" for row in ROWS])
    assert look_up(tmp_path / LEDGER, ROWS) == state, "other rows in the same ledger"


def test_the_next_promise_costs_what_it_then_costs(tmp_path: Path) -> None:
    ledger = tmp_path / LEDGER
    for promise, level in (("a", 0.05), ("b", 0.025), ("c", 0.0125)):
        assert look_up(ledger, ROWS).delta == level == entered(ledger, promise)
    assert entered(ledger, "a") == 0.05 and look_up(ledger, ROWS).delta == 0.00625, "the same one costs nothing"
    assert len(read_openings(ledger)) == 3, "looking up enters nothing"
    assert said(look_up(ledger, ROWS)) == [
        "calibration rows: opened for 3 promises",
        *(
            f'  2026-01-05, at a level of {level} %, on 100 of the 100: max_error 0.05, max_miss {{"spam":0.1}}, '
            "model 3f2a"
            for level in ("5", "2.5", "1.25")
        ),
        "  the same promise again costs nothing; another one is tested at half the level of the one before it: 0.625 %",
        "  so 49 error-free cases prove an error of 10 %, instead of 29 at the level of 5 %",
        "  100 more new calibration rows (about 700 more labelled rows) are tested at the full level again",
    ]
    assert not any("calibration" in chinese(line) or "level" in chinese(line) for line in said(look_up(ledger, ROWS)))


@pytest.mark.parametrize("more", [99, 100])
def test_so_many_new_rows_bring_the_full_level_back(tmp_path: Path, more: int) -> None:
    entered(tmp_path / LEDGER, "a")
    assert look_up(tmp_path / LEDGER, ROWS).missing == 100
    state = look_up(tmp_path / LEDGER, [*ROWS, *(f"new {number}" for number in range(more))])
    assert (state.alone, state.delta) == ((False, 0.025) if more == 99 else (True, 0.05))
    assert state.missing == (1 if more == 99 else 0) and state.fresh == more
    if state.alone:
        assert said(state)[-1] == (
            "  100 of the 200 rows are new: they alone are opened for the next promise, at the full level of 5 %"
        )


def test_an_opening_of_an_earlier_version_is_named_by_its_hash(tmp_path: Path) -> None:
    line = '{"delta": 0.05, "format": 1, "promise": "abcdef0123456789", "rows": "%s", "time": "2026-01-05T00:00:00Z"}'
    (tmp_path / LEDGER).write_text(line % " ".join(ROWS[:60]) + "\n", encoding="utf-8")
    state = look_up(tmp_path / LEDGER, ROWS)
    assert said(state)[1] == "  2026-01-05, at a level of 5 %, on 60 of the 100: abcdef012345"
    assert state.to_json()["opened"] == [
        {"time": "2026-01-05T00:00:00Z", "promise": "abcdef0123456789", "level": 0.05, "rows": 60}
    ]
    (tmp_path / LEDGER).write_text("no opening\n", encoding="utf-8")
    with pytest.raises(DamageError, match="cannot be read"):
        look_up(tmp_path / LEDGER, ROWS)
