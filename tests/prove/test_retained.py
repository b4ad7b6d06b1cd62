"""What was lost of an earlier suite, as figures and as a promise."""

from __future__ import annotations

import pytest

from penjing.core.answers import Choice
from penjing.core.nouns import Prediction, Table
from penjing.prove.retained import forget_gate, lost_of
from penjing.tasks.classify import Classify


class Says:
    """A session that reads the label in the text."""

    task = Classify(("bad", "good"))

    def predict(self, texts: list[str], fields: object) -> list[Prediction]:  # noqa: ARG002
        answers = [(0.9, 0.1) if text.startswith("bad") else (0.1, 0.9) for text in texts]
        return [Prediction("id", Choice(("bad", "good"), each)) for each in answers]


def test_the_lost_cases_are_those_that_are_answered_wrongly() -> None:
    suite = Table(["bad a", "good b", "bad c", "good d"], ["bad", "bad", "good", "good"])
    assert lost_of(Says(), suite) == (1, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(("lost", "state"), [(0, "held"), (10, "held"), (11, "broken"), (200, "broken")])
def test_the_promise_is_about_these_cases_and_has_no_uncertainty(lost: int, state: str) -> None:
    (gate,) = forget_gate(0.05, lost, 200)
    assert (gate.name, gate.state, gate.measured, gate.bound) == ("forget", state, lost / 200, lost / 200)
    assert gate.note == f"{lost} of 200 cases"


def test_without_a_promise_there_is_no_gate() -> None:
    assert forget_gate(None, 3, 200) == ()
