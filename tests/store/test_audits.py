"""Audits: only what was drawn by chance counts, with its probability; an ordinary review never does."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import update
from tests.recorded import write_records

from penjing.core.answers import Choice
from penjing.core.nouns import Decision, Prediction
from penjing.store.audits import closed_audits, count_audits
from penjing.store.database import Store
from penjing.store.records import Record, make_record
from penjing.store.tables import decisions, reviews


def drawn(
    identity: str, reason: str = "audit", probability: float | None = 0.1, forced: bool = False, draw: float = 0.0
) -> Record:
    facts = {"label": "spam", "p": 0.9, "fields": {"note": '"reason":"audit"'}}
    if probability is not None:
        facts["audit"] = {"draw": draw or len(identity) / 1000 + ord(identity[0]) / 10_000, "probability": probability}
    decided_by = "rule" if forced else "model"
    decision = Decision(identity, "a" * 64, "spam", "review", decided_by, forced, reason, facts)  # type: ignore[arg-type]
    return make_record(decision, Prediction("b" * 64, Choice(("ham", "spam"), (0.1, 0.9))), "text", {}, None)


def judge(store: Store, verdicts: dict[str, str]) -> None:
    with store.write() as connection:
        for identity, verdict in verdicts.items():
            mine = reviews.c.decision == identity
            connection.execute(update(reviews).where(mine).values(status="done", verdict=verdict))


def test_only_audits_count_with_the_probability_of_their_draw(store: Store, make: Callable[..., Record]) -> None:
    written = [drawn("right"), drawn("wrong", probability=0.02), drawn("rule", forced=True), drawn("open")]
    written += [drawn("doubtful", reason="below_threshold"), drawn("old", probability=None), make("automatic")]
    with store.write() as connection:
        write_records(connection, written)
    judge(store, {"right": "spam", "wrong": "ham", "rule": "ham", "doubtful": "ham", "old": "ham"})
    found = {one.id: one for one in closed_audits(store)}
    assert {name: (one.wrong, one.drawn, one.forced) for name, one in found.items()} == {
        "right": (False, 0.1, False), "wrong": (True, 0.02, False), "rule": (True, 0.1, True),
    }  # fmt: skip
    assert list(closed_audits(store, "b" * 64)) == [] and len(list(closed_audits(store, "a" * 64))) == 3
    assert count_audits(store) == (1, 5) and count_audits(store, "b" * 64) == (0, 0)


def test_a_record_that_cannot_be_read_is_left_out(store: Store) -> None:
    with store.write() as connection:
        write_records(connection, [drawn("one"), drawn("two")])
    judge(store, {"one": "spam", "two": "spam"})
    with store.write() as connection:
        connection.execute(update(decisions).where(decisions.c.id == "two").values(decision="{"))
    assert [one.id for one in closed_audits(store)] == ["one"]


def test_decisions_with_one_draw_count_once(store: Store) -> None:
    with store.write() as connection:
        write_records(connection, [drawn("first", draw=0.01), drawn("again", draw=0.01), drawn("other", draw=0.02)])
    judge(store, {"first": "spam", "again": "ham", "other": "ham"})
    found = [(one.id, one.wrong) for one in closed_audits(store)]
    assert len(found) == 2 and ("other", True) in found
