"""The task `answer`: what is right, what rules see, and how probable an answer is."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.answers import Span, Spans
from penjing.core.errors import DataError
from penjing.core.task import Item
from penjing.tasks.answer import AnswerPassages, AnswerReader
from penjing.tasks.answer_gold import write_answers

TEXT = "ab cd ef gh"
PLACES = np.array([(0, 0), (0, 2), (3, 5), (6, 8), (9, 11), (0, 0)])
ITEM = Item(TEXT, PLACES)
CD, EF = (write_answers([(*place, "answer")]) for place in ((3, 5), (6, 8)))


def test_it_is_learned_whether_some_questions_have_no_answer() -> None:
    assert AnswerReader().learn([CD, "[]"]) == AnswerPassages(none=True)
    assert AnswerReader().learn([CD, EF]) == AnswerPassages(none=False)
    with pytest.raises(DataError, match="no question of the train rows has an answer"):
        AnswerReader().learn(["[]", ""])
    assert AnswerReader().strata([CD, "[]", ""]) == ["answered", "none", ""]


def test_the_target_is_the_first_token_where_an_item_does_not_hold_the_answer() -> None:
    task = AnswerPassages(none=True)
    both = '[{"start":6,"end":11,"label":"answer"},{"start":0,"end":2,"label":"answer"}]'
    assert task.encode([CD, "[]", both], [ITEM] * 3)["passage"].tolist() == [[2, 2], [0, 0], [3, 4]]
    assert task.encode([both], [Item(TEXT, PLACES[:4])])["passage"].tolist() == [[0, 0]]


def test_any_right_place_is_right_and_the_best_overlap_counts() -> None:
    task = AnswerPassages(none=True)
    gold = '[{"start":0,"end":2,"label":"answer"},{"start":6,"end":8,"label":"answer"}]'
    assert not task.wrong(EF, gold) and task.wrong(CD, gold) and task.wrong("[]", gold)
    assert not task.wrong("[]", "[]") and task.wrong(CD, "[]")
    said = [Spans((Span(6, 8, "answer", 0.9),), 0.9), Spans((Span(6, 11, "answer", 0.9),), 0.9), Spans((), 0.5)]
    metrics = task.metrics(task.counts(said, [gold, gold, "[]"]).sum(axis=0))
    assert metrics["exact_match"] == pytest.approx(2 / 3)
    assert metrics["f1"] == pytest.approx((1 + 4 / 7 + 1) / 3)


def test_probabilities_fit_how_often_answers_are_right() -> None:
    task, random = AnswerPassages(none=True), np.random.default_rng(2)
    golds = [CD if one < 0.6 else "[]" for one in random.random(800)]
    tables = []
    for gold in golds:
        table = random.normal(size=(6, 2)) * 0.5
        hit = 2 if gold == CD else 0
        table[hit if random.random() < 0.8 else random.integers(0, 5)] += 4.0
        tables.append(table)
    calibration = task.fit({"passage": tables}, golds, [ITEM] * 800)
    answers = task.decode({"passage": tables}, calibration, [ITEM] * 800)
    right = [not task.wrong(task.outcome(task.facts(one)), gold) for one, gold in zip(answers, golds, strict=True)]
    assert np.mean([task.facts(one)["p"] for one in answers]) == pytest.approx(np.mean(right), abs=0.02)


def generated(rows: int, seed: int) -> tuple[list[Item], list[np.ndarray], list[str]]:
    """Passages of 30 words, where the model is as sure of long answers as of short ones, but wrong more often."""
    random = np.random.default_rng(seed)
    text = " ".join(["word"] * 30)
    places = np.array([(0, 0), *((5 * i, 5 * i + 4) for i in range(30)), (0, 0)])
    tables, golds = [], []
    for _ in range(rows):
        first, length = int(random.integers(0, 18)), int(random.integers(0, 12))
        table = random.normal(size=(32, 2))
        table[1 + first, 0] += (height := float(random.uniform(2, 7)))
        table[1 + first + length, 1] += height
        right = random.random() < 1 / (1 + np.exp(-(height - 1.0 - 0.6 * length)))
        start = first if right else 20 + int(random.integers(0, 5))
        golds.append(write_answers([(5 * start, 5 * (first + length if right else start) + 4, "answer")]))
        tables.append(table)
    return [Item(text, places)] * rows, tables, golds


def test_probabilities_hold_for_short_and_for_long_answers_on_other_rows() -> None:
    task = AnswerPassages(none=False)
    items, tables, golds = generated(500, 5)
    calibration = task.fit({"passage": tables}, golds, items)
    items, tables, golds = generated(2_000, 6)
    answers = task.decode({"passage": tables}, calibration, items)
    facts = [task.facts(one) for one in answers]
    p, long = np.array([one["p"] for one in facts]), np.array([one["answer.length"] >= 30 for one in facts])
    right = np.array([not task.wrong(task.outcome(one), gold) for one, gold in zip(facts, golds, strict=True)])
    assert abs(right[long].mean() - right[~long].mean()) > 0.3
    for part in (long, ~long):
        assert p[part].mean() == pytest.approx(right[part].mean(), abs=0.04)
    inside = [(p >= low) & (p < low + 0.2) for low in (0.0, 0.2, 0.4, 0.6, 0.8)]
    assert sum(abs(p[one].mean() - right[one].mean()) * one.mean() for one in inside if one.any()) < 0.05


def test_the_calibration_of_an_earlier_version_is_read_as_it_was() -> None:
    table = np.zeros((6, 2))
    table[2] = 2.0
    earlier = {"bias": 0.0, "answered": [0.5, -1.0], "none": [1.0, 0.0]}
    (said,) = AnswerPassages(none=False).decode({"passage": [table]}, earlier, [ITEM])
    share = np.exp(4.0) / (np.exp(4.0) + 3 * np.exp(2.0) + 6)
    assert isinstance(said, Spans) and said.p == pytest.approx(
        1 / (1 + np.exp(-(0.5 * np.log(share / (1 - share)) - 1.0))), abs=1e-6
    )


def test_rules_see_whether_there_is_an_answer() -> None:
    task = AnswerPassages(none=True)
    said = task.facts(Spans((Span(3, 8, "answer", 0.7),), 0.7))
    assert (said["answered"], said["answer.length"], said["answer.p"], said["p"]) == (True, 5, 0.7, 0.7)
    none = task.facts(Spans((), 0.9))
    assert (none["answered"], none["answer.length"], none["answer.p"], none["p"]) == (False, 0, 0.0, 0.9)
    assert task.bounds().ordered == ("answer.p", "p")


def test_support_falls_where_another_piece_wins() -> None:
    task = AnswerPassages(none=True)
    strong, weak = np.zeros((6, 2)), np.zeros((6, 2))
    strong[2], weak[2], weak[3] = 5.0, 5.0, 5.0
    found = task.support({"passage": [strong, weak]}, [ITEM] * 2, [[(3, 5, "answer"), None]] * 2, task.plain())
    assert found[0, 0] > found[1, 0] and np.isnan(found[:, 1]).all()
    none = task.support({"passage": [np.zeros((6, 2)), strong]}, [ITEM] * 2, [[], []], task.plain())
    assert none.shape == (2, 1) and none[0, 0] > none[1, 0]
