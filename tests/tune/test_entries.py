"""Fine-tuning over a catalogue: texts come to their entries, as after an export, with all layers or the top ones."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from penjing.compress import export
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.data.catalogue import Catalogue
from penjing.model.base import open_base
from penjing.model.encoder import load_classifier
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tasks.nearest import Nearest
from penjing.text.tokens import open_tokenizer
from penjing.tune.entries import check_fields, entry_ids
from penjing.tune.full import Options, apply

# A topic each, and a quality: the text of an entry.
ENTRIES = tuple(f"{kind}{number} quality{number}" for kind in ("delivery", "price") for number in range(6))
TASK = Nearest("none", Catalogue(tuple(f"q{place}" for place in range(len(ENTRIES))), ENTRIES))


def rows(count: int, seed: int) -> Table:
    """The words of an entry among others."""
    draw, texts, labels = random.Random(seed), [], []
    for number in range(count):
        place = number % len(ENTRIES)
        words = [*ENTRIES[place].split(), f"common{draw.randrange(10)}", f"common{draw.randrange(10)}"]
        draw.shuffle(words)
        texts.append(" ".join(words))
        labels.append(TASK.catalogue.ids[place])
    return Table(texts=[*texts, "common1 common2"], labels=[*labels, "none"])


def tuned(folder: Path, base: Artifact, layers: int | str) -> Artifact:
    options = Options(epochs=12, learning_rate=(3e-3,), layers=layers, max_tokens=16, dropout=0.0, patience=12)  # type: ignore[arg-type]
    run = Run(out=folder / "out", scratch=folder / "scratch", threads=1)
    return apply(Inputs(base, rows(240, 0), rows(60, 1), language="en", task=TASK), options, run)


@pytest.mark.parametrize("layers", ["all", 1])
def test_texts_come_to_their_entries(tiny_base: Path, tmp_path: Path, layers: int | str) -> None:
    artifact = tuned(tmp_path, open_base(str(tiny_base), tiny_base), layers)
    found = open_session(artifact).outputs(list(ENTRIES))["entry"]
    assert found.shape == (len(ENTRIES), len(ENTRIES)) and artifact.card.metrics["validation_recall_at_1"] > 0.6
    assert (found.argmax(axis=1) == np.arange(len(ENTRIES))).mean() > 0.8, "an entry is nearest to itself"
    head = load_classifier(artifact).head
    assert not head.bias.any() and np.ptp(np.linalg.norm(head.weight.detach().numpy(), axis=1)) < 1e-3
    if layers == "all":
        run = Run(out=tmp_path / "exported", scratch=tmp_path / "more", threads=1)
        inputs = Inputs(artifact, rows(240, 0), rows(60, 1), language="en", task=TASK)
        exported = export.apply(inputs, export.Options(), run)
        np.testing.assert_allclose(
            open_session(exported).outputs(list(ENTRIES))["entry"], found, atol=0.02
        )  # it stores half the bits


def test_only_a_catalogue_has_entries(tiny_base: Path) -> None:
    tokenizer = open_tokenizer(tiny_base)
    assert len(entry_ids(TASK, tokenizer, 16)) == len(ENTRIES)
    assert entry_ids(open_reader("classify", {}).learn(["a", "b"]), tokenizer, 16) == []
    with pytest.raises(UsageError, match="entries of a catalogue"):
        check_fields(TASK, object())
    check_fields(TASK, None)
