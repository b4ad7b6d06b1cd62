"""The task `tag` beyond what the common checks say of every task."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.answers import Span, Spans
from penjing.core.errors import DataError
from penjing.core.task import Item
from penjing.tasks.tag import Tag, TagReader

GOLD = '[{"start":0,"end":2,"label":"a"}]'


def test_strata_are_the_rarest_types_and_texts_without_entities() -> None:
    both = '[{"start":0,"end":2,"label":"a"},{"start":3,"end":4,"label":"b"}]'
    assert TagReader().strata([GOLD, both, "[]", ""]) == ["a", "b", "none", ""]


def test_rows_without_any_entity_teach_nothing_and_unknown_types_are_refused() -> None:
    with pytest.raises(DataError, match="no entities"):
        TagReader().learn(["[]", "[]"])
    with pytest.raises(DataError, match="unknown type `a`"):
        Tag(("b",)).read(GOLD)


def test_one_wrong_or_missing_entity_makes_a_text_wrong() -> None:
    task = Tag(("a", "b"))
    assert not task.wrong(GOLD, GOLD)
    assert task.wrong("[]", GOLD) and task.wrong(GOLD, "[]")
    assert task.wrong(GOLD, GOLD.replace('"a"', '"b"')) and task.wrong(GOLD, GOLD.replace(":2", ":1"))


def test_facts_count_entities_and_hold_no_text() -> None:
    task = Tag(("a", "b"))
    facts = task.facts(Spans((Span(0, 2, "a", 0.9), Span(3, 5, "a", 0.8)), 0.7))
    assert facts["entities"] == 2 and facts["entity.a.count"] == 2 and facts["entity.b.count"] == 0
    assert facts["spans"] == [[0, 2, "a"], [3, 5, "a"]] and facts["p"] == 0.7


def test_f1_precision_and_recall_are_of_entities() -> None:
    task = Tag(("a", "b"))
    answers = [Spans((Span(0, 2, "a", 0.9), Span(3, 5, "b", 0.8)), 0.7), Spans((), 0.9)]
    golds = ['[{"start":0,"end":2,"label":"a"}]', '[{"start":1,"end":2,"label":"b"}]']
    found = {name: float(value) for name, value in task.metrics(task.counts(answers, golds).sum(axis=0)).items()}
    assert found == {"entity_f1": 0.5, "precision": 0.5, "recall": 0.5, "texts_right": 0.0}
    nothing = task.metrics(task.counts([Spans((), 1.0)], ["[]"]).sum(axis=0))
    assert float(nothing["entity_f1"]) == 1.0 and float(nothing["texts_right"]) == 1.0


def test_another_set_of_entities_is_a_whole_move() -> None:
    task = Tag(("a",))
    one, other = Spans((Span(0, 2, "a", 0.9),), 0.8), Spans((Span(0, 2, "a", 0.7),), 0.75)
    assert task.moved(one, other) == pytest.approx(0.2)
    assert task.moved(one, Spans((), 0.8)) == 1.0


def test_only_a_set_that_is_likelier_than_all_others_is_settled() -> None:
    task = Tag(("a",))
    assert task.unsettled({"p": 0.5}, 100) and not task.unsettled({"p": 0.51}, 100)
    assert not task.unsettled({"p": 0.1}, 0)


def test_words_and_numbers_of_entities_are_of_their_types() -> None:
    task = Tag(("firm", "sum"))
    text = "Acme pays $1,200 and 3.5万元 to Bolt"
    spans = (Span(0, 4, "firm", 0.9), Span(10, 16, "sum", 0.9), Span(21, 26, "sum", 0.9), Span(30, 34, "firm", 0.9))
    found = task.quotes(Spans(spans, 0.8), text)
    assert set(found) == set(task.quoted()) and found["entity.firm.text"] == "Acme", "the first one"
    assert (found["entity.sum.min"], found["entity.sum.max"]) == (1200.0, 35000.0)
    assert found["entity.firm.max"] is None and set(task.quotes(Spans((), 0.8), text).values()) == {None}
    assert task.bounds().pieces["entity.sum.max"] == "entity.sum.count"


def test_entities_that_no_tags_can_give_are_counted_and_told() -> None:
    task = Tag(("a",))
    text = "abcd ef"
    items = [Item(text, np.array([[0, 0], [0, 4], [5, 7], [7, 7]]))] * 2
    golds = ['[{"start":0,"end":2,"label":"a"}]', '[{"start":5,"end":7,"label":"a"}]']
    outputs = {"tags": [np.zeros((4, 3), dtype=np.float32)] * 2}
    calibration = task.fit(outputs, golds, items)
    assert calibration["cut"] == [1, 2], "`ab` ends inside the token `abcd`"
    answers = task.decode(outputs, calibration, items)
    (told,) = (each.note for each in task.fitted_figures(answers, golds, calibration) if each.note)
    assert told["en"].startswith("1 of 2 entities") and "2 个实体中，有 1 个" in told["zh"]
    older = {name: value for name, value in calibration.items() if name != "cut"}
    assert task.fitted_figures(answers, golds, older) == task.figures(answers, golds)


def test_what_follows_what_is_learned_on_the_rows_of_the_calibration_and_weighs_every_answer() -> None:
    """After `b` at one place `a` never comes, which single outputs do not know."""
    task, random = Tag(("a", "b")), np.random.default_rng(0)
    tables, golds, items = [], [], []
    for _ in range(60):
        tags = np.array([0, 1, 2, 0, 3, 0] if random.random() < 0.5 else [3, 0, 0, 1, 2, 0])
        table = random.normal(size=(6, 5))
        table[np.arange(6), tags] += 1.2
        spans = [(place, place + 2 if tag == 1 else place + 1, tag) for place, tag in enumerate(tags) if tag in (1, 3)]
        found = ",".join(f'{{"start":{a},"end":{b},"label":"{"a" if tag == 1 else "b"}"}}' for a, b, tag in spans)
        tables.append(table)
        golds.append(f"[{found}]")
        items.append(Item("abcdef", np.array([(at, at + 1) for at in range(6)])))
    calibration = task.fit({"tags": tables}, golds, items)
    assert np.array(calibration["following"])[1, 2] > 0.5
    alone = {name: value for name, value in calibration.items() if name != "following"}
    right = [
        float(task.counts(task.decode({"tags": tables}, one, items), golds)[:, 4].mean())
        for one in (calibration, alone)
    ]
    assert right[0] > right[1] + 0.1
