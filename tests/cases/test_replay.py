"""Replay: the same bytes from recorded facts alone, the same bytes from the text on the same machine, or why not."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penjing.cases.replay import decide_again, replay_decision, replay_model
from penjing.core.answers import Choice
from penjing.core.canon import canonical_json
from penjing.core.nouns import Prediction, Release
from penjing.core.task import Task
from penjing.decide.decider import Decided, Decider, Request
from penjing.decide.policy import load_policy

TEXTS = ("free prize", "see you at lunch", "a lottery", "call 13812345678", "免费领奖 中奖", "收到谢谢 free")


@pytest.fixture(scope="module")
def decider(tiny_release: Release) -> Decider:
    return Decider(tiny_release, threads=1)


@pytest.fixture(scope="module")
def decided(decider: Decider) -> list[Decided]:
    return decider.decide([Request(text, {"channel": "web", "amount": 0.1 + 0.2}) for text in TEXTS])


def recorded(done: Decided) -> dict[str, Any]:
    """As it comes back from a database: through its canonical JSON."""
    value: dict[str, Any] = json.loads(canonical_json(done.decision.to_json()))
    return value


def test_the_same_bytes_from_the_facts_alone(tiny_release: Release, decided: list[Decided]) -> None:
    policy = load_policy(tiny_release)
    for done in decided:
        result = replay_decision(policy, recorded(done))
        assert result.same and result.differences == ()
        assert result.replayed == result.recorded == canonical_json(done.decision.to_json())


@settings(max_examples=60, deadline=None)
@given(
    scores=st.floats(0, 1),
    amount=st.one_of(st.none(), st.floats(-1e12, 1e12)),
    channel=st.sampled_from([None, "web", "vip"]),
    text=st.sampled_from(TEXTS),
)
def test_the_same_bytes_for_any_facts(
    tiny_release: Release, scores: float, amount: float | None, channel: str | None, text: str
) -> None:
    policy, session = load_policy(tiny_release), Decider(tiny_release, threads=1).session
    first = round(scores, 6)
    prediction = Prediction(session.artifact.id, Choice(session.labels, (first, round(1 - first, 6))))
    fields = policy.schema.read({"amount": amount, "channel": channel})
    decision = policy.decide("a", policy.facts(prediction, session.prepare(text), fields, "clock"))
    assert replay_decision(policy, json.loads(canonical_json(decision.to_json()))).same


def test_another_process_gives_the_same_bytes(tiny_release: Release, decided: list[Decided]) -> None:
    code = (
        "import json, sys; from pathlib import Path\n"
        "from penjing.core.artifact import open_release\n"
        "from penjing.decide.policy import load_policy\n"
        "from penjing.cases.replay import replay_decision\n"
        "policy = load_policy(open_release(Path(sys.argv[1])))\n"
        "for line in sys.stdin: sys.stdout.write(replay_decision(policy, json.loads(line)).replayed.decode() + '\\n')\n"
    )
    given = b"".join(canonical_json(done.decision.to_json()) + b"\n" for done in decided)
    ran = subprocess.run(
        [sys.executable, "-c", code, tiny_release.folder], input=given, capture_output=True, check=True
    )
    assert ran.stdout == given


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": "junk"}, "outcome: recorded 'junk', replayed "),
        ({"route": "review"}, "route: recorded 'review', replayed 'automatic'"),
        ({"release": "0" * 64}, "release: recorded 000000000000, replayed with "),
        ({"facts": {}}, "facts: they do not fit this release"),
        ({"more": 1}, "more: recorded 1, replayed None"),
    ],
)
def test_says_what_differs(tiny_release: Release, decided: list[Decided], change: dict[str, Any], words: str) -> None:
    result = replay_decision(load_policy(tiny_release), {**recorded(decided[2]), **change})
    assert not result.same
    assert any(each.startswith(words) for each in result.differences), result.differences


def test_a_changed_fact_changes_the_decision(tiny_release: Release, decided: list[Decided]) -> None:
    value = recorded(decided[2])
    value["facts"]["contains"]["lottery"] = False
    assert not replay_decision(load_policy(tiny_release), value).same


def test_the_model_gives_the_same_bytes_here(decider: Decider, decided: list[Decided]) -> None:
    for done in decided:
        result = replay_model(decider.session, done.masked.text, done.prediction, decider.session.fingerprint(), 0.0)
        assert result.held and result.exact and result.moved == 0 and result.outcome is None
        again = decide_again(decider.policy, recorded(done), done.masked, result.prediction)
        assert canonical_json(again.to_json()) == canonical_json(done.decision.to_json())


@dataclass(frozen=True)
class Elsewhere:
    """The same model as another machine would run it: every probability moved by a little."""

    decider: Decider
    by: float
    threads: str = "64"

    def predict(self, masked: Sequence[str], fields: object = None) -> list[Prediction]:  # noqa: ARG002
        found = []
        for each in self.decider.session.predict(masked):
            first, second = each.answer.probabilities
            moved = (round(first + self.by, 6), round(second - self.by, 6))
            found.append(dataclasses.replace(each, answer=Choice(each.answer.labels, moved)))
        return found

    @property
    def task(self) -> Task:
        return self.decider.session.task

    def fingerprint(self) -> dict[str, str]:
        return {**self.decider.session.fingerprint(), "threads": self.threads}


def test_elsewhere_it_holds_within_the_tolerance(decider: Decider, decided: list[Decided]) -> None:
    done, here = decided[0], decider.session.fingerprint()
    near = replay_model(Elsewhere(decider, 0.0001), done.masked.text, done.prediction, here, 0.0001)
    assert near.held and not near.exact and near.changed == ("threads",) and near.moved == 0.0001
    far = replay_model(Elsewhere(decider, 0.001), done.masked.text, done.prediction, here, 0.0001)
    assert not far.held
    assert far.why == "threads differ; the answer moved by 0.001, allowed are 0.0001"


def test_on_the_same_machine_no_difference_is_allowed(decider: Decider, decided: list[Decided]) -> None:
    here = decider.session.fingerprint()
    subject = Elsewhere(decider, 0.000002, here["threads"])
    result = replay_model(subject, decided[0].masked.text, decided[0].prediction, here, 0.1)
    assert not result.held and "same machine and engine" in result.why


def test_an_outcome_that_changes_is_reported(decider: Decider, decided: list[Decided]) -> None:
    done = decided[0]
    first = done.prediction.answer.probabilities[0]
    result = replay_model(
        Elsewhere(decider, 1 - 2 * first), done.masked.text, done.prediction, decider.session.fingerprint(), 0.01
    )
    assert not result.held and result.outcome == ("spam", "ham")


@pytest.mark.parametrize(("moved", "held"), [(0.0, True), (0.009, True), (0.02, False)])
def test_how_far_a_text_is_may_move_by_the_tolerance(
    moved: float, held: bool, decider: Decider, decided: list[Decided]
) -> None:
    class Further(Elsewhere):
        def predict(self, masked: Any, fields: Any = None) -> list[Prediction]:
            return [dataclasses.replace(each, far=0.5 + moved) for each in super().predict(masked, fields)]

    recorded = dataclasses.replace(decided[0].prediction, far=0.5, out_of_scope=moved > 0)
    subject = Further(decider, 0.0)
    result = replay_model(subject, decided[0].masked.text, recorded, decider.session.fingerprint(), 0.01)
    assert result.held is held and result.exact is (moved == 0)


def test_other_labels_do_not_hold(decider: Decider) -> None:
    other = Prediction("a", Choice(("x", "y"), (0.5, 0.5)))
    result = replay_model(decider.session, "free", other, decider.session.fingerprint(), 1.0)
    assert not result.held and result.why == "the labels are others"
