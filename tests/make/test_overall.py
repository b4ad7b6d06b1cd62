"""The line over a whole run: time left falls, comes from estimates and from what is measured, and is never negative."""

from __future__ import annotations

import pytest

from penjing.core.nouns import Silent
from penjing.make import overall
from penjing.make.overall import Overall, scaled, stages


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, title: str, total: int | None) -> None:  # noqa: ARG002
        self.lines.append(title)

    def advance(self, amount: int = 1, note: str = "") -> None:  # noqa: ARG002
        self.lines.append(note)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [0.0]
    monkeypatch.setattr(overall.time, "monotonic", lambda: clock[0])
    return clock


def test_what_is_left_is_this_stage_and_those_to_come(now: list[float]) -> None:
    told = Told()
    run = Overall(told, {"reading": 10.0, "tune.full": 80.0, "testing": 10.0}, began=0.0, entered=0.0, piece=0.0)
    run.enter("reading")
    assert run.left == 100
    now[0] = 10
    run.enter("tune.full")
    assert (run.left, run.share) == (90, pytest.approx(0.1))
    run.start("training, 100 steps", 100)
    now[0] = 40
    run.advance(1)
    assert run.left == 80 - 30 + 10, "the first of many tells nothing"
    told.lines.pop()
    now[0] = 50
    run.advance(19, "loss 0.5")
    assert run.left == 40 / 20 * 80 + 10, "what is measured counts where it is more than was estimated"
    assert told.lines == ["[10%] training, 100 steps", "loss 0.5; all in about 3 min"]
    run.advance(75)
    assert run.left == 40 + 10
    run.enter("compress.export")
    assert run.stage == "tune.full", "a stage that nobody estimated is a part of the one before"
    now[0] = 500
    run.enter("testing")
    now[0] = 900
    assert run.left == 0
    assert run.share == 0.99


def test_the_share_never_falls(now: list[float]) -> None:
    run = Overall(Silent(), {"reading": 10.0, "testing": 10.0}, began=0.0, entered=0.0, piece=0.0)
    run.enter("reading")
    now[0] = 10
    run.enter("testing")
    assert run.share == 0.5
    run.expect({"testing": 190.0})
    assert (run.left, run.share) == (190, 0.5), "a larger estimate changes the time left, not what is done"


def test_the_probe_scales_what_was_estimated() -> None:
    found = scaled(stages(["tune.full", "compress.int8"], 1200, search=False), "tune.full", 0.9, 77.0)
    assert list(found) == ["reading", "tune.linear", "tune.full", "compress.int8", "measuring", "testing"]
    assert found["tune.full"] == 77
    assert found["testing"] == 2 * overall.TESTING
    assert "search" in stages(["tune.full"], 100, search=True)
    assert "tune.full" not in stages(["tune.linear"], 100, search=False)


def test_folds_that_are_known_later_come_before_the_test(now: list[float]) -> None:
    run = Overall(Silent(), stages(["tune.full"], 1200, search=False), began=0.0, entered=0.0, piece=0.0)
    run.enter("reading")
    run.plan(stages(["tune.full"], 1200, search=False, folds=5))
    assert list(run.seconds)[-2:] == [overall.FOLDING, "testing"]
    run.expect({overall.FOLDING: 2700.0})
    run.enter("testing")
    now[0] = 10.0
    assert run.left == overall.TESTING - 10, "the folds are over"
