"""What the ledger says of calibration rows before they are opened again: earlier promises, and the cost of the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penjing.core.canon import canonical_json
from penjing.prove.openings import Opening, plan, read_openings
from penjing.prove.sequence import DELTA, rows_to_prove

_SHOWN = 10
_DAY = 10  # characters of the date in a time


@dataclass(frozen=True)
class LedgerState:
    """Calibration rows and their openings.

    rows: number of calibration rows. earlier: the tests that were made on some of them, the first one first. fresh:
    rows that were never opened. delta: level at which a promise that was not tested yet would be tested. alone: whether
    it would be tested on the fresh rows alone, at the whole level. missing: about how many more new calibration rows
    bring the whole level back; 0 where it holds. whole: that level.
    """

    rows: int
    earlier: tuple[tuple[Opening, int], ...] = ()
    fresh: int = 0
    delta: float = DELTA
    alone: bool = False
    missing: int = 0
    whole: float = DELTA

    def to_json(self) -> dict[str, Any]:
        """Plain values; of each test its time, promise, level, its rows among these, and what it was about."""
        opened = [
            {"time": one.time, "promise": one.promise, "level": one.delta, "rows": rows, **dict(one.about)}
            for one, rows in self.earlier
        ]
        return {
            "rows": self.rows,
            "new_rows": self.fresh,
            "opened": opened,
            "next_level": self.delta,
            "new_rows_for_full_level": self.missing,
        }


def look_up(ledger: Path, rows: Sequence[str], delta: float = DELTA) -> LedgerState:
    """What a ledger says of calibration rows with these hashes; nothing is entered. delta: the whole level.

    Raises DamageError (a line that is no opening).
    """
    openings = read_openings(ledger)
    known = frozenset(rows)
    tests = {(one.promise, one.rows): one for one in openings if not one.rows.isdisjoint(known)}
    opened = frozenset().union(*(one.rows for one in tests.values()))
    fresh = sum(identity not in opened for identity in rows)
    # No promise has this hash, so this is the plan of one that was not tested yet.
    found = plan(openings, rows, "", delta)
    return LedgerState(
        rows=len(rows),
        earlier=tuple((one, len(one.rows & known)) for one in tests.values()),
        fresh=fresh,
        delta=found.delta,
        alone=found.fresh,
        missing=len(rows) - 2 * fresh if found.earlier else 0,
        whole=delta,
    )


def lines_in_words(state: LedgerState, limit: float | None, labelled: Callable[[int], int]) -> Iterator[str]:
    """The ledger in lines for a person.

    limit: `max_error`, where it is one for all cases. labelled: the number of labelled rows that give so many
    calibration rows.
    """
    if not state.earlier:
        yield f"calibration rows: not opened yet; the first promise is tested at a level of {_share(state.delta)}"
        return
    yield f"calibration rows: opened for {len(state.earlier):,} promise{'s' * (len(state.earlier) != 1)}"
    for one, rows in state.earlier[-_SHOWN:]:
        day, promise = one.time[:_DAY], _about(one)
        yield f"  {day}, at a level of {_share(one.delta)}, on {rows:,} of the {state.rows:,}: {promise}"
    if state.alone:
        yield (
            f"  {state.fresh:,} of the {state.rows:,} rows are new: they alone are opened for the next promise, at the "
            f"full level of {_share(state.delta)}"
        )
        return
    yield (
        f"  the same promise again costs nothing; another one is tested at half the level of the one before it: "
        f"{_share(state.delta)}"
    )
    if limit is not None:
        yield (
            f"  so {rows_to_prove(limit, state.delta):,} error-free cases prove an error of {_share(limit)}, instead "
            f"of {rows_to_prove(limit, state.whole):,} at the level of {_share(state.whole)}"
        )
    total = labelled(state.missing)
    yield (
        f"  {state.missing:,} more new calibration rows (about {total:,} more labelled rows) are tested at the full "
        "level again"
    )


def _share(value: float) -> str:
    return f"{100 * value:.4g} %"


def _about(opening: Opening) -> str:
    """The promise as it is written in a recipe, with its model and rules; its hash where the ledger has no more."""
    about = {name: value for name, value in opening.about.items() if value not in ("", {})}
    if not about:
        return opening.promise[:12]
    return ", ".join(
        f"{name} {value if isinstance(value, str | float) else canonical_json(value).decode()}"
        for name, value in about.items()
    )
