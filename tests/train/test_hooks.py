"""The report of a training: one step a call, a running mean of the loss, the last scores."""

from __future__ import annotations

from penjing.core.nouns import Silent
from penjing.train.hooks import Moment, ProgressHook


class Told(Silent):
    def __init__(self) -> None:
        self.seen: list[tuple[int, str]] = []

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.seen.append((steps, note))


def test_the_loss_is_a_running_mean_and_scores_follow_once_there_are_some() -> None:
    told = Told()
    report = ProgressHook(told)
    report.after_step(Moment(1, 3, 1.0, {}))
    report.after_step(Moment(2, 3, 3.0, {}))
    report.after_step(Moment(3, 3, 3.0, {"macro_f1": 0.75, "accuracy": 0.8}))
    assert told.seen == [
        (1, "loss 1.000"),
        (1, "loss 1.100"),
        (1, "loss 1.195, macro f1 0.750, accuracy 0.800"),
    ]
