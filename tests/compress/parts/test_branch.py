"""The linear model of hashed n-grams: the sums of its engine, the n-grams that have a row, and what it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.compress.conftest import table

from penjing.compress.parts import branch
from penjing.compress.parts.branch import fit_branch
from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Artifact, Card, Run, Table
from penjing.core.task import Task
from penjing.engines.static import StaticEngine
from penjing.tasks import open_reader, task_of_labels
from penjing.text.ngrams import Grams

TWO = task_of_labels(["bad", "good"])


def fitted(train: Table, folder: Path, task: Task = TWO, bits: int = 14) -> StaticEngine:
    return fit_branch(train, task, Grams(bits=bits), (4.0, 64.0), Run(folder / "out", folder / "scratch"), "key")


def test_it_learns_labels_from_words(tmp_path: Path) -> None:
    engine, other = fitted(table(120, seed=1), tmp_path), table(80, seed=2)
    logits = engine.run(engine.encode(other.texts))["label"]
    assert np.array_equal(logits[:, 0], -logits[:, 1])
    right = logits.argmax(axis=1) == np.array([label == "good" for label in other.labels or ()])
    assert right.mean() > 0.95


def test_the_engine_computes_what_was_fitted(tmp_path: Path) -> None:
    train, grams, run = table(60, seed=1), Grams(bits=14), Run(tmp_path / "out", tmp_path / "scratch")
    engine = fitted(train, tmp_path)
    counts = branch._counts(train.texts, grams, run)
    assert counts[3].sum() == pytest.approx(np.sqrt(len(grams.of(train.texts[3]))))
    scale = branch._scale(counts, 1 << 20)
    assert np.array_equal(np.flatnonzero(scale), engine.buckets)
    matrix = counts.multiply(scale).tocsr()
    assert matrix.power(2).sum(axis=1).mean() == pytest.approx(1)
    dense = np.zeros(1 << 14)
    dense[engine.buckets] = engine._stored[:, 0] / scale[engine.buckets]
    wanted = matrix @ dense + 2 * engine._bias[1]
    found = engine.run(engine.encode(train.texts))["label"][:, 1]
    assert found == pytest.approx(wanted / 2, abs=0.02), "but for float16"


def test_only_n_grams_of_several_texts_have_a_row_and_those_of_most_texts_where_there_are_too_many(
    tmp_path: Path,
) -> None:
    train, run = table(60, seed=1), Run(tmp_path / "out", tmp_path / "scratch")
    odd = replace(train, texts=[f"{text} unique{place * 7919}" for place, text in enumerate(train.texts)])
    counts = branch._counts(odd.texts, Grams(bits=18), run)
    frequency = np.bincount(counts.indices, minlength=1 << 18)
    kept = np.flatnonzero(branch._scale(counts, 1 << 18))
    assert np.array_equal(kept, np.flatnonzero(frequency > 1)) and (frequency == 1).any()
    few = np.flatnonzero(branch._scale(counts, 50))
    assert len(few) == 50 and frequency[few].min() >= np.sort(frequency)[-50]
    # Where no n-gram is in two texts, those of one count.
    alone = branch._counts(["aaa", "bcd"], Grams(bits=18), run)
    assert (branch._scale(alone, 1 << 18) > 0).any()


def test_texts_without_n_grams_give_a_table_without_rows(tmp_path: Path) -> None:
    engine = fitted(Table(["", "", ""], ["bad", "good", "good"], range(1, 4)), tmp_path)
    assert engine.parameters == 0
    logits = engine.run(engine.encode(["", "room"]))["label"]
    assert np.array_equal(logits[0], logits[1]) and logits[0, 1] > 0
    engine.write(tmp_path)
    card = Card(form="static", method="compress.ngrams", labels=("bad", "good"))
    again = StaticEngine.load(Artifact(tmp_path, "", card))
    assert np.array_equal(again.run(again.encode(["room"]))["label"][0], logits[1])


def test_numbers_are_learned_too(tmp_path: Path) -> None:
    train, other = table(120, seed=1), table(80, seed=2)
    numbers = [str(8.5 if label == "good" else 2.5) for label in train.labels or ()]
    task = open_reader("score", {"kind": "number", "within": 2.0}).learn(numbers)
    engine = fitted(replace(train, labels=numbers), tmp_path, task)
    values = engine.run(engine.encode(other.texts))["score"][:, 0]
    good = np.array([label == "good" for label in other.labels or ()])
    assert values[good].min() > values[~good].max() - 0.5
    assert np.corrcoef(values, good)[0, 1] > 0.9


def test_it_stops_when_asked(tmp_path: Path) -> None:
    run = Run(tmp_path / "out", tmp_path / "scratch", stop=lambda: True)
    with pytest.raises(RunInterruptedError):
        fit_branch(table(20, seed=1), TWO, Grams(bits=12), (4.0,), run, "key")
