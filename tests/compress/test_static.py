"""The static student learns its teacher's labels, from texts without labels too, and comes out the same again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.compress.static import PARTS, Options, apply, out_of_fold, part_of
from penjing.core.canon import unit_hash
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.runtime.open import open_session

QUICK = Options(bits=12, epochs=4, copies=1)


def student(inputs: Inputs, folder: Path, options: Options = QUICK) -> Artifact:
    return apply(inputs, options, Run(out=folder / "out", scratch=folder / "scratch", threads=1))


def agreement(made: Artifact, inputs: Inputs) -> float:
    assert inputs.parent is not None
    texts = inputs.validation.texts
    found, wanted = (open_session(each, threads=1).logits(texts).argmax(axis=1) for each in (made, inputs.parent))
    return float(np.mean(found == wanted))


def test_the_student_says_what_the_teacher_says(inputs: Inputs, tmp_path: Path) -> None:
    made = student(inputs, tmp_path / "a")
    assert made.card.form == "static"
    assert agreement(made, inputs) >= 0.9
    assert made.card.metrics["validation_agreement"] == pytest.approx(agreement(made, inputs), abs=1e-6)
    assert student(inputs, tmp_path / "b").id == made.id


def test_it_learns_from_texts_without_a_label(inputs: Inputs, tmp_path: Path) -> None:
    few = replace(inputs, train=inputs.train.take(range(4)))
    alone = agreement(student(few, tmp_path / "a", QUICK.model_copy(update={"copies": 0})), inputs)
    more = replace(few, unlabelled=list(inputs.train.texts)[4:])
    assert agreement(student(more, tmp_path / "b", QUICK.model_copy(update={"copies": 0})), inputs) > alone


def test_without_texts_or_a_teacher_there_is_none(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs training texts"):
        student(replace(inputs, train=Table([], [])), tmp_path)
    with pytest.raises(UsageError, match="before it is nothing"):
        student(replace(inputs, parent=None), tmp_path)


def test_no_text_is_answered_by_a_student_that_learnt_from_it_or_from_its_group(inputs: Inputs, tmp_path: Path) -> None:
    run = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1)
    before, unseen = out_of_fold(inputs, QUICK, run)
    assert before.shape == (len(inputs.train), 2) and unseen.shape == (len(inputs.train),)
    labels = list(inputs.train.labels or ())
    assert float(np.mean(before.argmax(axis=1) == [label == "good" for label in labels])) > 0.7
    # Another label for one text changes what is said of the others, but of none that is in its part.
    changed = replace(inputs.train, labels=["good" if labels[0] == "bad" else "bad", *labels[1:]])
    after, _ = out_of_fold(replace(inputs, train=changed), QUICK, run)
    same = (before == after).all(axis=1)
    parts = np.array([part_of(text) for text in inputs.train.texts])
    assert same[parts == parts[0]].all() and not same[parts != parts[0]].any()
    # In one group all are left out together, and nobody is left to learn from.
    together = replace(inputs.train, groups=["one"] * len(labels))
    nothing, all_new = out_of_fold(replace(inputs, train=together), QUICK, run)
    assert not nothing.any() and (all_new == 1).all()
    # Rows whose group is empty are in none.
    apart = replace(inputs.train, groups=[""] * len(labels))
    assert np.array_equal(out_of_fold(replace(inputs, train=apart), QUICK, run)[0], before)


def test_parts_are_of_one_size_whatever_hash_chose_the_texts() -> None:
    chosen = sorted((f"text {i}" for i in range(9000)), key=unit_hash)[:900]
    counts = np.bincount([part_of(text) for text in chosen], minlength=PARTS)
    assert counts.min() > 900 / PARTS * 0.8
