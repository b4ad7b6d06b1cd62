"""Texts to label: none that is labelled or like another, the same in any order, and by every method."""

from __future__ import annotations

import random

import pytest
from tests.conftest import tiny_texts

from penjing.cases.suggest import LabelRequest, Suggested, Unlabelled, suggest
from penjing.core.errors import UsageError
from penjing.core.nouns import Release, Silent
from penjing.runtime.choose_texts import METHODS
from penjing.runtime.open import open_served
from penjing.runtime.session import Session

KNOWN = ["win cash now and claim your reward today", "明天下午三点一起开会讨论年度预算的安排"]


@pytest.fixture(scope="module")
def session(tiny_release: Release) -> Session:
    return open_served(tiny_release, threads=1)


def pool() -> list[Unlabelled]:
    texts = [*tiny_texts(60, seed=9)[0], *KNOWN, KNOWN[0] + "!", KNOWN[1] + "哦", "天气 weather 42", "天气 weather 42"]
    return [Unlabelled("in.csv", row, text) for row, text in enumerate(texts, start=2)]


def run(session: Session, texts: list[Unlabelled], **more: object) -> Suggested:
    return suggest(session, texts, LabelRequest(**more), Silent())  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_labelled_or_like_another_is_left_out(session: Session, method: str) -> None:
    found = run(session, pool(), method=method, count=1000, rows={"ham": 80, "spam": 80}, known=KNOWN)
    texts = [one.text.text for one in found.chosen]
    assert not {*KNOWN, KNOWN[0] + "!", KNOWN[1] + "哦"} & set(texts)
    assert texts.count("天气 weather 42") == 1
    assert (found.texts, found.labelled) == (66, 4)
    assert len(found.chosen) + found.labelled + found.repeated == found.texts
    assert all(0 <= one.doubt <= 1 and one.prediction.artifact for one in found.chosen)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_the_rows_changes_nothing(session: Session, method: str) -> None:
    texts = pool()
    first = run(session, texts, method=method, count=7, rows={"ham": 80, "spam": 3}, known=KNOWN)
    random.Random(4).shuffle(texts)
    again = run(session, texts, method=method, count=7, rows={"ham": 80, "spam": 3}, known=KNOWN)
    assert [one.text.text for one in first.chosen] == [one.text.text for one in again.chosen]
    assert len(first.chosen) == 7


def test_the_most_doubtful_text_is_first(session: Session) -> None:
    found = run(session, pool(), count=5)
    doubts = [one.doubt for one in found.chosen]
    assert doubts == sorted(doubts, reverse=True)
    every = run(session, pool(), count=1000)
    assert doubts[0] == max(one.doubt for one in every.chosen)


def test_rare_labels_come_first(session: Session) -> None:
    for rare in ("ham", "spam"):
        rows = {"ham": 500, "spam": 500} | {rare: 1}
        found = run(session, pool(), method="rare", count=5, rows=rows)
        assert {one.prediction.to_json()["label"] for one in found.chosen} == {rare}


def test_no_text_is_left(session: Session) -> None:
    texts = [Unlabelled("a", 2, KNOWN[0])]
    for method in METHODS:
        found = run(session, texts, method=method, known=KNOWN)
        assert (found.chosen, found.labelled) == ((), 1)
    assert run(session, []).texts == 0


def test_answers_without_probabilities_of_labels_are_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from penjing.core.answers import Number

    predict = session.predict

    def numbers(*given: object) -> object:
        return [replace(one, answer=Number(1.0, 0.0, 2.0, 0.6)) for one in predict(*given)]  # type: ignore[arg-type]

    monkeypatch.setattr(session, "predict", numbers)
    for method in ("badge", "rare"):
        with pytest.raises(UsageError, match="needs the probability of each label"):
            run(session, pool(), method=method)
    with pytest.raises(UsageError, match="as sure of each text as of any other"):
        run(session, pool(), method="margin")
    few = run(session, pool()[:3], method="margin", count=2)
    assert [one.doubt for one in few.chosen] == [0.4, 0.4]
