"""The end of a compression: scores in the order of the rows, a card that adds to the parent's, whole folders only."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from penjing.compress.parts.sealing import Compression, complete_folder, copy_tokenizer, encoder_parent, score, seal
from penjing.core.artifact import open_artifact
from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.folder import verify
from penjing.core.nouns import Artifact, Card, Inputs, Release, Run, Table
from penjing.core.options import Options
from penjing.core.stop import check_stop
from penjing.runtime.open import open_session
from penjing.tasks.metrics import accuracy, encode_labels, macro_f1


@dataclass
class Counted:
    """A progress that counts."""

    total: int | None = None
    done: int = 0
    titles: list[str] = field(default_factory=list)

    def start(self, title: str, total: int | None) -> None:
        self.total = total
        self.titles.append(title)

    def advance(self, amount: int = 1, note: str = "") -> None:  # noqa: ARG002
        self.done += amount

    def say(self, line: str) -> None: ...


class Named(Options):
    """Options of a method that exists only here."""

    strength: float = 0.5


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1, progress=Counted())


@pytest.fixture
def parent(tiny_release: Release) -> Artifact:
    """What is sealed is the same for every form; the linear one needs no torch."""
    artifact = tiny_release.artifact
    return replace(artifact, card=artifact.card.model_copy(update={"notes": {"texts": 1, "engine": "torch"}}))


@pytest.fixture
def inputs(parent: Artifact) -> Inputs:
    drawn, words = random.Random(0), {"ham": ("lunch", "收到谢谢", "meeting"), "spam": ("prize", "免费领奖", "claim")}
    labels = [drawn.choice(("ham", "spam")) for _ in range(80)]
    texts = [" ".join(drawn.choices(words[label] + ("now",), k=drawn.randint(1, 9))) for label in labels]
    return Inputs(parent=parent, train=Table([], []), validation=Table(texts, labels))


@pytest.fixture
def form(parent: Artifact, tmp_path: Path) -> Path:
    """A folder as a compression leaves it: the engine's files, without a card."""
    shutil.copytree(parent.folder, tmp_path / "form")
    (tmp_path / "form" / "card.json").unlink()
    return tmp_path / "form"


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (None, "before it is nothing"),
        (Card(form="torch", method="base"), "before it is an artifact by `base`"),
        (Card(form="linear", method="tune.linear", labels=("a", "b")), "before it is an artifact by `tune.linear`"),
        (Card(form="onnx", method="x", labels=("a", "b"), notes={"precision": "int8"}), "has made INT8 already"),
    ],
)
def test_only_a_tuned_encoder_that_is_not_int8_is_taken(tmp_path: Path, card: Card | None, said: str) -> None:
    parent = None if card is None else Artifact(tmp_path, "", card)
    with pytest.raises(UsageError, match=said):
        encoder_parent(Inputs(parent, Table([]), Table([])), "compress.test")


def test_a_tuned_encoder_is_the_parent(tmp_path: Path) -> None:
    parent = Artifact(tmp_path, "", Card(form="torch", method="tune.full", labels=("a", "b")))
    assert encoder_parent(Inputs(parent, Table([]), Table([])), "compress.test") is parent


def test_logits_come_in_the_order_of_the_rows(parent: Artifact, inputs: Inputs, run: Run) -> None:
    table = inputs.validation
    found = score(parent.folder, parent.card, table, run, "scoring")["label"]
    np.testing.assert_array_equal(found, open_session(parent, threads=1).logits(table.texts))
    lengths = [len(text) for text in table.texts]
    assert lengths != sorted(lengths)
    assert isinstance(run.progress, Counted)
    assert (run.progress.titles, run.progress.total, run.progress.done) == (["scoring"], 80, 80)


def test_no_rows_give_no_logits(parent: Artifact, run: Run) -> None:
    assert score(parent.folder, parent.card, Table([], []), run, "scoring")["label"].shape == (0, 2)


def test_scoring_stops_between_two_slices(parent: Artifact, inputs: Inputs, run: Run) -> None:
    looks = iter([False, True])
    with pytest.raises(RunInterruptedError, match="stopped"):
        score(parent.folder, parent.card, inputs.validation, replace(run, stop=lambda: next(looks)), "scoring")
    assert isinstance(run.progress, Counted) and 0 < run.progress.done < 80
    check_stop(run.stop)


def test_the_card_adds_to_the_parents(parent: Artifact, inputs: Inputs, run: Run, form: Path) -> None:
    before = open_session(parent, threads=1).logits(inputs.validation.texts)
    before[:20] = before[:20, ::-1]
    made = seal(Compression(inputs, Named(), run, parent, "compress.test"), "linear", form, {"engine": "other"}, before)
    card = made.card
    step = {"method": "compress.test", "options": {"strength": 0.5}, "parent": parent.id}
    assert card.method == "compress.test" and card.lineage == (*parent.card.lineage, step)
    assert card.notes == {"texts": 1, "engine": "other"}
    kept = ("labels", "language", "max_tokens", "parameters", "data")
    assert [getattr(card, name) for name in kept] == [getattr(parent.card, name) for name in kept]
    logits = open_session(made, threads=1).logits(inputs.validation.texts)
    truth, guess = encode_labels(inputs.validation.labels or (), card.labels), logits.argmax(axis=1)
    assert card.metrics == {
        "validation_macro_f1": round(macro_f1(truth, guess, 2), 6),
        "validation_accuracy": round(accuracy(truth, guess), 6),
        "validation_agreement": 0.75,
    }
    assert card.temperature != parent.card.temperature, "fitted through the engine that was sealed"
    assert open_artifact(run.out).id == made.id


def test_without_labels_nothing_is_measured_and_the_temperature_stays(
    parent: Artifact, inputs: Inputs, run: Run, form: Path
) -> None:
    bare = replace(inputs, validation=Table(inputs.validation.texts))
    made = seal(Compression(bare, Named(), run, parent, "compress.test"), "linear", form, {})
    assert made.card.temperature == parent.card.temperature and made.card.metrics == {}


def test_a_stop_seals_nothing(parent: Artifact, inputs: Inputs, run: Run, form: Path) -> None:
    bare, stopped = replace(inputs, validation=Table([], [])), replace(run, stop=lambda: True)
    with pytest.raises(RunInterruptedError):
        seal(Compression(bare, Named(), stopped, parent, "compress.test"), "linear", form, {})
    assert not run.out.exists()


def test_a_whole_folder_is_kept_and_a_torn_one_made_again(tmp_path: Path) -> None:
    folder, made = tmp_path / "scratch" / "model", []

    def make(inside: Path) -> None:
        made.append(1)
        (inside / "weights").write_bytes(b"weights")

    first = verify(complete_folder(folder, make))
    assert verify(complete_folder(folder, make)) == first and len(made) == 1
    (folder / "weights").write_bytes(b"weigh")
    assert verify(complete_folder(folder, make)) == first and len(made) == 2
    (folder / "MANIFEST").unlink()
    assert verify(complete_folder(folder, make)) == first and len(made) == 3


def test_a_maker_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    def fails(inside: Path) -> None:
        (inside / "weights").write_bytes(b"half")
        raise RunInterruptedError("stopped")

    with pytest.raises(RunInterruptedError):
        complete_folder(tmp_path / "model", fails)
    assert list(tmp_path.iterdir()) == []


def test_the_tokenizer_is_the_parents(tmp_path: Path) -> None:
    parent = Artifact(tmp_path / "parent", "", Card(form="torch", method="tune.full"))
    for folder in (parent.folder, tmp_path / "model"):
        folder.mkdir()
    (parent.folder / "tokenizer.json").write_bytes(b"{}")
    copy_tokenizer(parent, tmp_path / "model")
    assert (tmp_path / "model" / "tokenizer.json").read_bytes() == b"{}"
