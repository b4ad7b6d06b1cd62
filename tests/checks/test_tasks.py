"""What every task must do; a new one is tested by being in the table, with one case of its own below."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest

from penjing.core.answers import Number, answer_from_json, answer_to_json
from penjing.core.canon import canonical_json
from penjing.core.errors import DataError
from penjing.core.task import FactKind, HeadKind, Item, JointTask, Loss, Task
from penjing.runtime import doubt
from penjing.tasks import TASKS, about_task, calibration_of, card_fields, open_reader, open_task

ROWS = 400
TEXT = "0123456789"
PLACES = np.array([(0, 0), *((i, i + 1) for i in range(10)), (0, 0)])
_TYPES: dict[str, type | tuple[type, ...]] = {
    "label": str, "enum": str, "unit": float, "count": int, "int": int, "float": float, "str": str, "bool": bool,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A form of a task: golds as written, as read, cells that are refused, and its options."""

    task: str
    written: tuple[str, ...]
    read: tuple[str, ...]
    refused: tuple[str, ...]
    options: dict[str, Any]


CASES = {
    "classify": Case("classify", (" a ", "b", "ｃ"), ("a", "b", "ｃ"), ("a\x00", "x" * 500), {}),
    "match": Case("match", (" 1 ", "0", "１"), ("1", "0", "１"), ("a\x00", "x" * 500), {"symmetric": False}),
    "relate": Case("relate", (" buys ", "none", "ｃ"), ("buys", "none", "ｃ"), ("a\x00", "x" * 500), {"none": "none"}),
    "nearest": Case("nearest", (" a ", "b", "ｃ"), ("a", "b", "ｃ"), ("a\x00", "x" * 500), {"none": "no"}),
    "number": Case("score", ("3", "１.５", " 2.50 "), ("3", "1.5", "2.5"), ("high", "nan"), {"within": 0.5}),
    "tag": Case(
        "tag",
        (
            "[]",
            '[{"label": "b ", "end": 9, "start": 5}]',
            '[{"start":6,"end":8,"label":"b"},{"start":0,"end":2,"label":"a"}]',
        ),
        (
            "[]",
            '[{"start":5,"end":9,"label":"b"}]',
            '[{"start":0,"end":2,"label":"a"},{"start":6,"end":8,"label":"b"}]',
        ),
        ("high", "{}", '[{"start":0,"end":3,"label":"a"},{"start":2,"end":4,"label":"b"}]'),
        {},
    ),
    "answer": Case(
        "answer",
        ("[]", '[{"end": 9, "start": 5}]', '[{"start":6,"end":8},{"start":0,"end":2,"label":"x"},{"start":6,"end":8}]'),
        (
            "[]",
            '[{"start":5,"end":9,"label":"answer"}]',
            '[{"start":6,"end":8,"label":"answer"},{"start":0,"end":2,"label":"answer"}]',
        ),
        ("high", "{}", "[3]", '[{"start":3,"end":3}]', '[{"start":1.5,"end":3}]', '[{"start":0,"end":3,"text":"a"}]'),
        {},
    ),
    "grades": Case("score", ("3", "1.0", " 2 "), ("3", "1", "2"), ("high", "nan"), {"kind": "grades"}),
    "several": Case(
        "several",
        (" b ; a", '["a", "c"]', "none"),
        ("a;b", "a;c", "none"),
        ("a;a", "a;;b", "a|b", "a;none", '["a;b", "c"]', '["a", 1]', "[a", "x" * 500, "a\x00"),
        {},
    ),
}


_TAG = '[{"start":6,"end":8,"label":"b"},{"start":0,"end":2,"label":"a"}]'
CASES["together"] = Case(
    "together",
    (
        '{"tone": " a ", "mark": 3, "parts": []}',
        '{"parts": [{"label": "b ", "end": 9, "start": 5}], "tone": "b", "mark": "1.5"}',
        json.dumps({"tone": "c", "mark": "2.50", "parts": _TAG}),
    ),
    tuple(
        json.dumps({"tone": tone, "mark": mark, "parts": parts})
        for tone, mark, parts in zip("abc", ("3", "1.5", "2.5"), CASES["tag"].read, strict=True)
    ),
    ("high", "[]", '{"tone": "a", "other": "b"}', '{"tone": "a", "mark": "high", "parts": []}', '{"tone": ["a"', "3"),
    {"tasks": {"tone": {"type": "classify"}, "mark": {"type": "score", "within": 0.5}, "parts": {"type": "tag"}}},
)


_TWO = '[{"start":0,"end":2,"label":"a"},{"start":6,"end":8,"label":"b"}]'
CASES["triples"] = Case(
    "triples",
    (
        '{"relations": [], "entities": []}',
        f'{{"relations": [{{"label": "has ", "tail": 0, "head": 1}}], "entities": {_TAG}}}',
        f'{{"entities": {_TWO}, "relations": [{{"head": 1, "tail": 0, "label": "of"}}]}}',
    ),
    (
        '{"entities":[],"relations":[]}',
        f'{{"entities":{_TWO},"relations":[{{"head":0,"tail":1,"label":"has"}}]}}',
        f'{{"entities":{_TWO},"relations":[{{"head":1,"tail":0,"label":"of"}}]}}',
    ),
    (
        "high",
        "[]",
        '{"entities": []}',
        f'{{"entities": {_TWO}, "relations": [{{"head": 0, "tail": 0, "label": "of"}}]}}',
        f'{{"entities": {_TWO}, "relations": [{{"head": 0, "tail": 2, "label": "of"}}]}}',
        f'{{"entities": {_TWO}, "relations": [{{"head": 0, "tail": 1}}]}}',
    ),
    {},
)


@pytest.fixture(params=sorted(CASES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def learned(name: str) -> Task:
    return open_reader(CASES[name].task, CASES[name].options).learn(CASES[name].read)


def outputs_of(task: Task, rows: int, seed: int) -> dict[str, np.ndarray]:
    """Outputs of an untrained model: pooled (rows, size), token and span n arrays (tokens, size)."""
    random = np.random.default_rng(seed)
    shapes = {head: (rows, kind.size) if kind.kind == "pooled" else (rows, len(PLACES), kind.size)
              for head, kind in task.heads.items()}  # fmt: skip
    return {head: random.normal(size=shape).astype(np.float32) for head, shape in shapes.items()}


def items_of(rows: int) -> list[Item]:
    """Texts of one token a character, between two special tokens."""
    return [Item(TEXT, PLACES)] * rows


def golds_of(name: str, rows: int, seed: int) -> list[str]:
    return [CASES[name].read[place] for place in np.random.default_rng(seed).integers(0, 3, rows)]


def decoded(task: Task, outputs: dict[str, np.ndarray], golds: Sequence[str]) -> tuple[dict[str, Any], list[Any]]:
    calibration = task.fit(outputs, golds, items_of(len(golds)))
    return calibration, task.decode(outputs, calibration, items_of(len(golds)))


def test_every_task_has_a_case() -> None:
    assert {case.task for case in CASES.values()} == set(TASKS)


def test_gold_is_read_in_one_form_and_what_is_none_is_refused(name: str) -> None:
    case = CASES[name]
    reader = open_reader(case.task, case.options)
    assert tuple(reader.read(cell) for cell in case.written) == case.read
    assert tuple(reader.read(gold) for gold in case.read) == case.read, "reading gold again changes nothing"
    assert len(reader.strata(case.read)) == len(case.read)
    for cell in case.refused:
        with pytest.raises(DataError):
            reader.read(cell)


def test_heads_and_losses_are_of_the_closed_sets(name: str) -> None:
    for head in learned(name).heads.values():
        assert head.kind in get_args(HeadKind) and head.loss in get_args(Loss) and head.size >= 1


def test_a_task_survives_its_card(name: str) -> None:
    task = learned(name)
    assert open_task(CASES[name].task, json.loads(json.dumps(task.state))) == task
    calibration, answers = decoded(task, outputs_of(task, 50, 0), golds_of(name, 50, 0))
    assert json.loads(json.dumps(calibration)) == calibration
    assert card_fields(task, calibration)["task"] == CASES[name].task
    assert answers == task.decode(outputs_of(task, 50, 0), json.loads(json.dumps(calibration)), items_of(50))


def test_answers_survive_the_codec_to_the_same_bytes(name: str) -> None:
    task = learned(name)
    for answer in decoded(task, outputs_of(task, 20, 1), golds_of(name, 20, 1))[1]:
        value = answer_to_json(answer)
        again = answer_from_json(json.loads(json.dumps(value)))
        assert again == answer and canonical_json(answer_to_json(again)) == canonical_json(value)


def test_an_answer_depends_on_its_own_row_alone(name: str) -> None:
    task = learned(name)
    outputs = outputs_of(task, 20, 2)
    calibration, answers = decoded(task, outputs, golds_of(name, 20, 2))
    alone = [
        task.decode({head: table[i : i + 1] for head, table in outputs.items()}, calibration, items_of(1))[0]
        for i in range(20)
    ]
    assert alone == answers


def test_facts_are_typed_and_decide(name: str) -> None:
    task = learned(name)
    kinds = task.kinds()
    assert set(kinds.values()) <= set(get_args(FactKind))
    assert set(about_task(CASES[name].task).facts) <= set(kinds)
    for answer in decoded(task, outputs_of(task, 20, 3), golds_of(name, 20, 3))[1]:
        facts = task.facts(answer)
        for fact, kind in kinds.items():
            assert isinstance(facts[fact], _TYPES[kind]), f"{fact} is {facts[fact]!r}, no {kind}"
        assert 0 <= facts["p"] <= 1
        assert task.read(task.outcome(facts)) == task.outcome(facts), "an outcome is written as gold is"
        assert json.loads(json.dumps(facts)) == facts
        units = task.units(facts, task.outcome(facts))
        if isinstance(task, JointTask):
            assert tuple(unit.scope for unit in units) == task.scopes and not any(unit.wrong for unit in units)
            assert [unit.score for unit in units] == [own["p"] for _, own in task.apart(facts).values()]
            continue
        (unit,) = units
        assert (unit.scope, unit.outcome, unit.score) == (task.scope(facts), task.outcome(facts), facts["p"])
        assert unit.scope in task.scopes and not unit.wrong


def test_an_answer_is_not_apart_from_itself(name: str) -> None:
    task = learned(name)
    answers = decoded(task, outputs_of(task, 20, 4), golds_of(name, 20, 4))[1]
    assert all(task.moved(answer, answer) == 0 for answer in answers)
    assert any(task.moved(one, other) > 0 for one, other in pairwise(answers))


def test_a_choice_of_texts_can_ask_how_unsure_an_answer_is(name: str) -> None:
    task = learned(name)
    # Before the calibration: it may find that outputs by chance tell nothing, and then all answers are as sure.
    answers = task.decode(outputs_of(task, 20, 5), task.plain(), items_of(20))
    assert all(0 <= doubt.margin(answer) <= 1 and 0 <= doubt.entropy(answer) < 99 for answer in answers)
    # Of numbers with one spread every answer is as sure as any other: the choice by doubt refuses such a release.
    assert len({doubt.entropy(answer) for answer in answers}) > 1 or isinstance(answers[0], Number)
    residuals = [doubt.residual(answer) for answer in answers]
    assert len({None if each is None else len(each) for each in residuals}) == 1, "all rows have as many numbers"
    for answer in answers:
        found = doubt.chances(answer)
        assert found is None or all(0 <= p <= 1 for p in found.values())


def test_counts_add_up_and_metrics_are_in_bounds(name: str) -> None:
    task = learned(name)
    golds = golds_of(name, ROWS, 5)
    answers = decoded(task, outputs_of(task, ROWS, 5), golds)[1]
    counts = task.counts(answers, golds)
    first, second = task.counts(answers[:100], golds[:100]), task.counts(answers[100:], golds[100:])
    np.testing.assert_allclose(first.sum(axis=0) + second.sum(axis=0), counts.sum(axis=0))
    metrics = task.metrics(counts.sum(axis=0))
    main = next(iter(metrics))
    assert 0 <= metrics[main] <= 1
    stacked = task.metrics(np.stack([counts.sum(axis=0), first.sum(axis=0)]))
    assert all(stacked[metric][0] == pytest.approx(value) for metric, value in metrics.items())


def test_the_best_answers_have_the_best_score(name: str) -> None:
    task = learned(name)
    golds = golds_of(name, 60, 6)
    said = {head: _told(task, golds, head) for head in task.heads}
    calibration, answers = decoded(task, said, golds)
    assert next(iter(task.metrics(task.counts(answers, golds).sum(axis=0)).values())) == pytest.approx(1.0)
    assert not any(task.wrong(task.outcome(task.facts(one)), gold) for one, gold in zip(answers, golds, strict=True))
    # Evidence falls as the outputs move away from the answer.
    focus = task.focus(answers[0], calibration)
    away = {head: np.stack([table[0], np.zeros_like(table[0])]) for head, table in said.items()}
    values = focus(away)
    assert values.shape == (2,) and values[1] < values[0]


def _told(task: Task, golds: Sequence[str], head: str) -> np.ndarray:
    """Outputs that say the gold."""
    target, kind = np.asarray(task.encode(golds, items_of(len(golds)))[head]), task.heads[head]
    if kind.kind == "span":
        return np.where(np.arange(len(PLACES))[None, :, None] == target[:, None, :], 5.0, -5.0)
    if kind.loss == "cross_entropy":
        return np.where(np.arange(kind.size) == target[..., None], 5.0, -5.0)
    if kind.loss == "binary_cross_entropy":
        return np.where(target > 0.5, 5.0, -5.0)
    if kind.loss == "ordinal":
        return np.where(np.arange(kind.size)[None, :] < target[:, None], 5.0, -5.0)
    return target.astype(np.float64)[:, None]


def test_figures_are_told_in_both_languages(name: str) -> None:
    task = learned(name)
    golds = golds_of(name, 60, 7)
    for section in task.figures(decoded(task, outputs_of(task, 60, 7), golds)[1], golds):
        assert set(section.title) == {"en", "zh"} and all(section.title.values())
        assert all(len(row) == len(section.columns) for row in section.rows)
        assert json.loads(json.dumps(section.rows)) == [list(row) for row in section.rows]


def test_calibration_is_read_from_a_card(name: str) -> None:
    from penjing.core.nouns import Card

    task = learned(name)
    calibration = decoded(task, outputs_of(task, 50, 8), golds_of(name, 50, 8))[0]
    card = Card(form="linear", method="tune.linear", **card_fields(task, calibration))
    assert calibration_of(Card.model_validate_json(card.model_dump_json())) == calibration
