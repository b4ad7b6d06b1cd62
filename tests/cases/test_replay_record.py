"""A record decided again: the same bytes, or what differs and why; a record changed by hand is found."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from penjing.cases.replay_record import replay_record
from penjing.core.nouns import Release
from penjing.decide.decider import Decider, Request
from penjing.store.records import Record, make_record


@pytest.fixture(scope="module")
def decider(tiny_release: Release) -> Decider:
    return Decider(tiny_release, threads=1)


@pytest.fixture
def record(decider: Decider) -> Record:
    (made,) = decider.decide([Request("win cash now 13812345678", {"channel": "web"})])
    return make_record(made.decision, made.prediction, made.masked.text, decider.session.fingerprint(), None)


def test_what_was_decided_is_decided_again(decider: Decider, record: Record) -> None:
    again = replay_record(record, decider)
    assert again.same
    shown = again.to_json()
    assert shown["id"] == record.id and shown["decision"]["differences"] == []
    one, two = shown["decision"]["sha256"]
    assert one == two
    assert shown["model"]["exact"] and shown["model"]["moved"] == 0.0


def test_without_its_text_the_decision_alone_is_replayed(decider: Decider, record: Record) -> None:
    again = replay_record(dataclasses.replace(record, text=None), decider)
    assert again.same and again.model is None
    assert again.to_json()["why"] == "the text was not kept: only the decision was replayed"


@pytest.mark.parametrize("part", ["id", "release", "route", "outcome"])
def test_a_part_that_was_changed_does_not_fit_the_rest(decider: Decider, record: Record, part: str) -> None:
    changes: dict[str, Any] = {part: "changed"}
    again = replay_record(dataclasses.replace(record, **changes), decider)
    assert not again.same
    assert [one.split(":")[0] for one in again.torn] == [part]
    assert "'changed'" in again.to_json()["decision"]["differences"][-1]


def test_other_probabilities_do_not_fit_the_facts(decider: Decider, record: Record) -> None:
    held = json.loads(record.prediction)
    held["probabilities"] = held["probabilities"][::-1]
    again = replay_record(dataclasses.replace(record, prediction=json.dumps(held)), decider)
    assert not again.same
    assert [one.split(":")[0] for one in again.torn] == ["label", "probabilities"]


def test_another_text_moves_the_model(decider: Decider, record: Record) -> None:
    again = replay_record(dataclasses.replace(record, text="thanks mum see you later"), decider)
    assert again.decision.same and again.model is not None
    assert not again.model.held and not again.same
