"""The student comes nearer to its teacher, with labels and without; the loss is the one that is written down."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.compress.conftest import table
from transformers import BertConfig, BertModel

from penjing.compress import layers, vocabulary
from penjing.compress import student as student_step
from penjing.compress.distill import Options, apply
from penjing.compress.parts.folds import fold_numbers, fold_teacher
from penjing.compress.parts.pooled import pooled_states
from penjing.compress.parts.pooled_map import PooledTargets
from penjing.compress.parts.ridge import fit_ridge
from penjing.compress.parts.targets import Targets
from penjing.compress.parts.transfer import transfer_set
from penjing.core.artifact import write_artifact
from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import Head
from penjing.model.encoder import Classifier, load_classifier, save_classifier
from penjing.runtime.open import open_session
from penjing.tasks.metrics import softmax
from penjing.text.tokens import open_tokenizer
from penjing.train.losses import centred_loss, soft_loss
from penjing.train.states import hidden_loss, relation_loss, watching

QUICK = Options(epochs=2, learning_rate=2e-3, copies=0)


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


@pytest.fixture(scope="module")
def student(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The parent with a head that knows nothing."""
    assert inputs.parent is not None
    return with_spoiled_head(inputs.parent, tmp_path_factory.mktemp("student") / "torch")


def with_spoiled_head(made: Artifact, folder: Path) -> Artifact:
    classifier, tokenizer = load_classifier(made), open_tokenizer(made.folder)
    with torch.no_grad():
        classifier.head.weight.mul_(-0.1)
    return write_artifact(folder, made.card, lambda inside: save_classifier(inside, classifier, tokenizer))


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


def test_states_of_another_width_are_not_compared_token_by_token(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    tokenizer = open_tokenizer(inputs.parent.folder)
    narrow = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=48, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        classifier = Classifier(BertModel(narrow, add_pooling_layer=False), 2).eval()
    card = inputs.parent.card
    other = write_artifact(tmp_path / "narrow", card, lambda inside: save_classifier(inside, classifier, tokenizer))
    given = replace(inputs, parent=other, teachers={"tuned": inputs.parent})
    with pytest.raises(UsageError, match="another width than its teacher's") as caught:
        apply(given, QUICK.model_copy(update={"hidden": 1.0}), run(tmp_path))
    assert caught.value.where == "hidden"
    made = apply(given, QUICK.model_copy(update={"relations": 1.0, "epochs": 0.1}), run(tmp_path))
    assert made.card.metrics


def test_without_a_teacher_there_is_none(student: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no teacher with the same labels"):
        apply(replace(inputs, parent=student), QUICK, run(tmp_path))


def test_a_student_of_another_base_learns_from_its_teacher(
    inputs: Inputs, other_base: Artifact, tmp_path: Path
) -> None:
    assert inputs.parent is not None
    given = replace(inputs, base=other_base)
    begun = with_spoiled_head(student_step.apply(given, student_step.Options(), run(tmp_path)), tmp_path / "begun")
    given = replace(given, parent=begun, teachers={"tuned": inputs.parent}, unlabelled=table(60, seed=8).texts)
    options = QUICK.model_copy(update={"loss": "centred", "pooled": 1.0, "copies": 1, "gold": 0.0, "epochs": 4.0})
    made = apply(given, options, run(tmp_path / "a"))
    assert apart(made, inputs) < 0.5 * apart(begun, inputs)
    assert made.card.base == "other" and made.card.notes["origins"]["unlabelled"] == 60
    assert made.card.notes["texts"] == sum(made.card.notes["origins"].values()) > 240
    # The map beside it is thrown away: the folder is that of a classifier like any other.
    assert {path.name for path in made.folder.rglob("*.safetensors")} == {"head.safetensors", "model.safetensors"}
    assert set(load_classifier(made).state_dict()) == set(load_classifier(begun).state_dict())
    # The pooled states are learned too: a linear map finds the teacher's in the student's better than without them.
    without = apply(given, options.model_copy(update={"pooled": 0.0}), run(tmp_path / "b"))
    texts = list(inputs.validation.texts)
    wanted = PooledTargets.of(pooled_states(inputs.parent, texts, 48, run(tmp_path / "p"), ""))
    errors = []
    for one in (made, without):
        states = pooled_states(one, texts, 48, run(tmp_path / "p"), "")
        errors.append(fit_ridge(states, wanted.states, run(tmp_path / "p")).left_out)
    assert errors[0] < errors[1]


@pytest.mark.parametrize("pooled", [0.0, 1.0])
def test_stopped_and_resumed_it_ends_in_the_same_bits(
    pooled: float, student: Artifact, inputs: Inputs, tmp_path: Path
) -> None:
    assert inputs.parent is not None
    options = QUICK.model_copy(update={"loss": "centred", "pooled": pooled})
    given = replace(inputs, parent=student, teachers={"tuned": inputs.parent})
    made = apply(given, options, run(tmp_path / "a"))
    # A stop is asked for before every slice of texts and after every step: each attempt gets a little further.
    stops, in_training = 0, False
    for last in itertools.count(2, 3):
        calls = itertools.count()
        try:
            resumed = apply(given, options, replace(run(tmp_path / "b"), stop=lambda: next(calls) >= last))  # noqa: B023
            break
        except RunInterruptedError:
            stops += 1
            in_training |= any((tmp_path / "b" / "scratch" / "training").glob("0*.safetensors"))
    assert stops > 2 and in_training
    assert resumed.id == made.id


def test_train_rows_are_answered_by_teachers_that_did_not_see_them(
    student: Artifact, inputs: Inputs, tmp_path: Path
) -> None:
    assert inputs.parent is not None
    options = QUICK.model_copy(update={"out_of_fold": 2, "copies": 2})
    given = replace(inputs, parent=student, teachers={"tuned": inputs.parent})
    with pytest.raises(UsageError, match="needs a teacher that was tuned without each fold"):
        apply(given, options, run(tmp_path))
    # The teacher of the first fold answers the other way round.
    classifier = load_classifier(inputs.parent)
    with torch.no_grad():
        classifier.head.weight.mul_(-1)
        classifier.head.bias.mul_(-1)
    tokenizer = open_tokenizer(inputs.parent.folder)
    card = inputs.parent.card
    other = write_artifact(tmp_path / "other", card, lambda inside: save_classifier(inside, classifier, tokenizer))
    teachers = {"tuned": inputs.parent, fold_teacher(0): other, fold_teacher(1): inputs.parent}
    found = transfer_set(student, inputs.parent, replace(given, teachers=teachers), options, run(tmp_path), "")
    logits = open_session(inputs.parent, threads=1).logits(inputs.train.texts)
    sign = np.where(fold_numbers(inputs.train, 2) == 0, -1.0, 1.0)[:, None]
    assert found.outputs[: len(logits)] == pytest.approx(sign * logits, abs=1e-4)
    # A copy of a row of a fold has words of that fold's rows only, and that fold's teacher.
    first, second = (
        transfer_set(
            student,
            inputs.parent,
            replace(given, train=given.train.take(np.flatnonzero(fold_numbers(inputs.train, 2) == fold).tolist())),
            options.model_copy(update={"out_of_fold": 0}),
            run(tmp_path),
            "",
        )
        for fold in (0, 1)
    )
    copies = found.texts[len(logits) :]
    assert copies == first.texts[first.sizes["train"] :] + second.texts[second.sizes["train"] :]
    assert found.outputs[len(logits) :][: first.sizes["copies"]] == pytest.approx(
        -first.outputs[first.sizes["train"] :], abs=1e-4
    )


def test_the_centred_loss_is_the_written_one() -> None:
    student, teacher = (
        torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]]),
        torch.tensor([[5.0, 3.0, 1.0], [7.0, 7.0, 7.0]]),
    )
    # Less their means 3 and 3: (-2, -1, 3) and (2, 0, -2); the squares of the differences are 16, 1 and 25.
    assert centred_loss("cross_entropy", student, teacher, "none").tolist() == pytest.approx([42 / 3, 0.0])
    # A head whose outputs count as they are is not centred: 16, 1, 25 and three times 49.
    assert centred_loss("ordinal", student, teacher, "none").tolist() == pytest.approx([42 / 3, 49.0])
    targets = Targets(
        {"labels": Head("pooled", 3, "cross_entropy")},
        teacher.numpy(),
        {"labels": np.array([2, 0])},
        np.array([True, False]),
    )
    own = -float(torch.log_softmax(student[0], dim=0)[2])
    found = targets.loss(student, np.array([0, 1]), 9.0, 0.25, "centred")
    assert found.item() == pytest.approx((0.75 * 14 + 0.25 * own + 0.0) / 2)
    # It is twice the limit of the loss at a temperature.
    warm = soft_loss("cross_entropy", student.double(), teacher.double(), 1000.0, "none")
    assert 2 * warm[0].item() == pytest.approx(14, rel=0.01)


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
    heads, rows = {"label": Head("pooled", 3, "cross_entropy")}, np.arange(5)
    labels = {"label": truth.clamp(min=0).numpy()}
    found = Targets(heads, teacher.numpy(), labels, (truth >= 0).numpy()).loss(student, rows, heat, gold)
    assert found.item() == pytest.approx(total / 5)
    same = Targets(heads, teacher.numpy(), labels, rows < 0).loss(teacher, rows, heat, gold)
    assert same.item() == pytest.approx(0, abs=1e-9)
