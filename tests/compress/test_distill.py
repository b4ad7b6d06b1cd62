"""The student comes nearer to its teacher, with labels and without; the loss is the one that is written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from penjing.compress import layers, vocabulary
from penjing.compress.distill import Options, apply
from penjing.compress.parts.targets import mixed_loss
from penjing.core.artifact import write_artifact
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.encoder import load_classifier, save_classifier
from penjing.runtime.open import open_session
from penjing.tasks.metrics import softmax
from penjing.text.tokens import open_tokenizer
from penjing.train.states import hidden_loss, relation_loss, watching

QUICK = Options(epochs=2, learning_rate=2e-3, copies=0)


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


@pytest.fixture(scope="module")
def student(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The parent with a head that knows nothing."""
    assert inputs.parent is not None
    classifier = load_classifier(inputs.parent)
    with torch.no_grad():
        classifier.head.weight.mul_(-0.1)
    tokenizer = open_tokenizer(inputs.parent.folder)
    folder = tmp_path_factory.mktemp("student") / "torch"
    return write_artifact(folder, inputs.parent.card, lambda inside: save_classifier(inside, classifier, tokenizer))


def apart(made: Artifact, inputs: Inputs) -> float:
    """Mean KL of the student from the teacher, on validation."""
    assert inputs.parent is not None
    texts = inputs.validation.texts
    found, wanted = (softmax(open_session(each, threads=1).logits(texts)) for each in (made, inputs.parent))
    return float((wanted * np.log(wanted / found)).sum(axis=1).mean())


def test_the_student_comes_nearer_to_its_teacher(student: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    given = replace(inputs, parent=student, teachers={"tuned": inputs.parent})
    made = apply(given, QUICK, run(tmp_path / "a"))
    assert apart(made, inputs) < 0.5 * apart(student, inputs)
    assert made.card.notes["teacher"] == inputs.parent.id
    assert apply(given, QUICK, run(tmp_path / "b")).id == made.id
    # Without one label it learns from the teacher alone.
    blind = replace(given, train=given.train.take([0, 1]), unlabelled=list(given.train.texts)[2:])
    assert apart(apply(blind, QUICK, run(tmp_path / "c")), inputs) < 0.5 * apart(student, inputs)


@pytest.mark.parametrize("name", ["relations", "hidden"])
def test_it_learns_what_passes_inside(name: str, inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    shallow = layers.apply(inputs, layers.Options(keep=1, texts=8), run(tmp_path / "shallow"))
    given = replace(inputs, parent=shallow, teachers={"tuned": inputs.parent})
    plain = QUICK.model_copy(update={"epochs": 1.0, "learning_rate": 5e-3})
    losses = {}
    ids, mask = torch.randint(4, 20, (4, 9), generator=torch.Generator().manual_seed(0)), torch.ones(4, 9)
    for weight in (0.0, 10.0):
        made = apply(given, plain.model_copy(update={name: weight}), run(tmp_path / str(weight)))
        teacher, student = load_classifier(inputs.parent), load_classifier(made)
        with watching(teacher) as wanted, watching(student) as found, torch.no_grad():
            teacher(ids, mask)
            student(ids, mask)
        measure = relation_loss if name == "relations" else hidden_loss
        losses[weight] = float(measure(wanted, found, mask))
    assert losses[10.0] < 0.8 * losses[0.0]


def test_states_of_other_tokens_are_not_compared(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    other = vocabulary.apply(
        replace(inputs, train=inputs.train.take([0])), vocabulary.Options(), run(tmp_path / "small")
    )
    assert open_tokenizer(other.folder).get_vocab_size() < open_tokenizer(inputs.parent.folder).get_vocab_size()
    given = replace(inputs, parent=other, teachers={"tuned": inputs.parent})
    with pytest.raises(UsageError, match="other tokens than its teacher"):
        apply(given, QUICK.model_copy(update={"hidden": 1.0}), run(tmp_path))


def test_without_a_teacher_there_is_none(student: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no teacher with the same labels"):
        apply(replace(inputs, parent=student), QUICK, run(tmp_path))


def test_the_loss_is_the_written_one() -> None:
    student, teacher = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth = torch.tensor([0, -1, 2, -1, 1])
    heat, gold = 3.0, 0.25
    total = 0.0
    for row in range(5):
        p, q = (torch.softmax(each[row] / heat, dim=0) for each in (teacher, student))
        kl = float((p * (p / q).log()).sum()) * heat**2
        if truth[row] < 0:
            total += kl
        else:
            total += (1 - gold) * kl - gold * float(torch.log_softmax(student[row], dim=0)[truth[row]])
    known, none = truth >= 0, torch.zeros(5, dtype=torch.bool)
    found = mixed_loss("cross_entropy", student, teacher, truth.clamp(min=0), known, heat, gold)
    assert found.item() == pytest.approx(total / 5)
    same = mixed_loss("cross_entropy", teacher, teacher, truth.clamp(min=0), none, heat, gold)
    assert same.item() == pytest.approx(0, abs=1e-9)
