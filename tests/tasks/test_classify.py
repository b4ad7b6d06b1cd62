"""The task `classify`: labels read and learned, its answers and facts, and its counts against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from penjing.core.abilities import ScopedTask
from penjing.core.answers import Choice, as_kind
from penjing.core.errors import DataError
from penjing.core.task import Task
from penjing.tasks import open_reader, open_task

LABELS = ("a", "b", "c")


def task() -> Task:
    return open_task("classify", {"labels": LABELS})


def answers(guesses: list[str]) -> list[Choice]:
    return [Choice(LABELS, tuple(0.8 if label == guess else 0.1 for label in LABELS)) for guess in guesses]


def test_labels_are_learned_in_the_order_of_the_alphabet() -> None:
    reader = open_reader("classify", {})
    assert reader.learn(["b", "a", "", "b"]).state == {"labels": ["a", "b"]}
    assert reader.strata(["b", "a"]) == ["b", "a"]
    with pytest.raises(DataError, match="one label only"):
        reader.learn(["b", "b"])


def test_a_known_label_is_read_however_it_is_written_and_another_is_refused() -> None:
    known = open_task("classify", {"labels": ["1", "Refund"]})
    assert known.read("1.0") == "1" and known.read(" Refund ") == "Refund"
    with pytest.raises(DataError, match="unknown label `refund`") as caught:
        known.read("refund")
    assert caught.value.fix == "did you mean `Refund`?"
    with pytest.raises(DataError, match="a label of 201 characters"):
        open_reader("classify", {}).read("x" * 201)


def test_metrics_of_counts_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    golds = [LABELS[place] for place in random.integers(0, 3, 300)]
    guesses = [LABELS[place] for place in random.integers(0, 3, 300)]
    metrics = task().metrics(task().counts(answers(guesses), golds).sum(axis=0))
    assert list(metrics) == ["macro_f1", "accuracy"]
    assert metrics["macro_f1"] == pytest.approx(f1_score(golds, guesses, average="macro"), abs=1e-12)
    assert metrics["accuracy"] == pytest.approx(accuracy_score(golds, guesses))


def test_labels_with_few_rows_are_left_out_of_the_mean() -> None:
    golds, guesses = ["a", "a", "b", "c"], ["a", "a", "b", "a"]
    kept = task().with_rows({"a": 100, "b": 30, "c": 29})
    found = kept.metrics(kept.counts(answers(guesses), golds).sum(axis=0))
    assert found["macro_f1"] == pytest.approx((0.8 + 1) / 2)
    every = task().with_rows({"a": 1, "b": 1, "c": 1})
    assert every.metrics(every.counts(answers(guesses), golds).sum(axis=0))["macro_f1"] == pytest.approx(0.6)


def test_facts_have_the_label_and_how_far_it_is_ahead() -> None:
    choice = Choice(LABELS, (0.5, 0.2, 0.3))
    facts = task().facts(choice)
    assert facts == {"label": "a", "p": 0.5, "margin": 0.2, "probabilities": {"a": 0.5, "b": 0.2, "c": 0.3}}
    assert task().scope(facts) == task().outcome(facts) == "a"
    assert task().unsettled(facts, 100_000) and not task().unsettled(facts, 99_999)
    assert not task().unsettled(facts | {"margin": 0.0}, 0)


def test_the_temperature_makes_the_answer_less_sure_and_changes_no_label() -> None:
    logits = {"label": np.array([[2.0, 0.0, 0.0]])}
    sharp, flat = (as_kind(task().decode(logits, {"temperature": t}, ())[0], Choice) for t in (1.0, 2.0))
    assert sharp.top()[0] == flat.top()[0] == "a" and sharp.top()[1] > flat.top()[1]
    assert sharp.probabilities[0] == round(float(np.exp(2) / (np.exp(2) + 2)), 6)


def test_evidence_explains_the_log_odds_of_the_answer() -> None:
    focus = task().focus(Choice(LABELS, (0.1, 0.8, 0.1)), {"temperature": 1.0})
    values = focus({"label": np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])})
    assert values.tolist() == pytest.approx([1 - np.log(2), -np.log(2)])


def test_the_log_odds_change_where_the_probability_rounds_to_one() -> None:
    focus = task().focus(Choice(LABELS, (0.0, 1.0, 0.0)), {"temperature": 0.05})
    assert focus({"label": np.array([[0.0, 6.0, 0.0], [0.0, 4.0, 0.0]])}).tolist() == pytest.approx(
        [120 - np.log(2), 80 - np.log(2)]
    )


def test_the_energy_is_low_where_one_label_is_likely() -> None:
    found = task()
    assert isinstance(found, ScopedTask)
    logits = np.array([[6.0, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    by_hand = [-np.log(np.exp(3) + 2), -np.log(3)]
    assert found.energy({"label": logits}, {"temperature": 2.0}) == pytest.approx(by_hand)


def test_how_far_two_answers_are_apart() -> None:
    one, other = Choice(LABELS, (0.5, 0.2, 0.3)), Choice(LABELS, (0.45, 0.25, 0.3))
    assert task().moved(one, other) == 0.05
    assert task().moved(one, Choice(("x",), (1.0,))) == 1.0


def test_figures_are_the_confusion_matrix() -> None:
    (section,) = task().figures(answers(["a", "b", "b"]), ["a", "a", "c"])
    assert section.columns == ("", "a", "b", "c")
    assert section.rows == (("a", 1, 1, 0), ("b", 0, 0, 0), ("c", 0, 1, 0))
