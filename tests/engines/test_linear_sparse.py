"""The sparse linear engine: the bits of a dense one, its file, and entries that are taken over into another one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from penjing.core.artifact import open_artifact
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.task import Head
from penjing.data.catalogue import Catalogue
from penjing.engines.linear import WEIGHTS, LinearEngine
from penjing.engines.linear_sparse import SparseLinearEngine
from penjing.runtime.open import open_engine
from penjing.tasks.nearest import Nearest
from penjing.text.tfidf import Features, fit_features
from penjing.tune.linear import Options, apply

TEXTS = ("how to pay", "how to cancel it", "where is my card", "change the address")
HEADS = {"entry": Head("pooled", 4, "cross_entropy")}


def features() -> Features:
    return fit_features(TEXTS, 2, 4, 1, 10_000, lambda: None)


def both() -> tuple[LinearEngine, SparseLinearEngine]:
    """The same coefficients in both forms: three of four are 0."""
    known, draw = features(), np.random.default_rng(0)
    coef = (draw.normal(size=(len(known), 4)) * (draw.random((len(known), 4)) < 0.25)).astype(np.float16)
    terms, entries = np.nonzero(coef)
    starts = np.searchsorted(terms, np.arange(len(known) + 1))
    sparse = SparseLinearEngine(known, coef[terms, entries], entries.astype(np.int32), starts, HEADS)
    return LinearEngine(known, coef, np.zeros(4, dtype=np.float32), HEADS), sparse


def test_outputs_and_weights_of_terms_are_those_of_a_dense_matrix() -> None:
    dense, sparse = both()
    batch = dense.encode([*TEXTS, "", "zzz", "pay my card"])
    assert np.array_equal(dense.run(batch)["entry"], sparse.run(batch)["entry"])
    assert np.array_equal(sparse.run(batch[-1:])["entry"][0], sparse.run(batch)["entry"][-1])
    for place in range(4):
        assert dense.term_weights(TEXTS[2], place) == sparse.term_weights(TEXTS[2], place)


def test_coefficients_by_entry_make_the_same_engine_and_entries_can_be_left_out() -> None:
    _, sparse = both()
    again = SparseLinearEngine.from_entries(sparse.features, *sparse.columns(range(4)), HEADS)
    batch = sparse.encode(TEXTS)
    assert np.array_equal(sparse.run(batch)["entry"], again.run(batch)["entry"])
    two = {"entry": Head("pooled", 2, "cross_entropy")}
    fewer = SparseLinearEngine.from_entries(sparse.features, *sparse.columns([3, 1]), two)
    assert np.array_equal(fewer.run(batch)["entry"], sparse.run(batch)["entry"][:, [3, 1]])


def made(folder: Path) -> Artifact:
    rows = Table(texts=list(TEXTS), labels=list("abcd"))
    task = Nearest("none", Catalogue(tuple("abcd"), TEXTS))
    run = Run(out=folder / "out", scratch=folder / "scratch")
    return apply(Inputs(None, rows, rows, language="en", task=task), Options(), run)


def test_an_artifact_of_a_catalogue_is_opened_as_this_engine(tmp_path: Path) -> None:
    artifact = made(tmp_path)
    engine = open_engine(open_artifact(artifact.folder))
    assert isinstance(engine, SparseLinearEngine) and engine.parameters == artifact.card.parameters
    assert engine.run(engine.encode(TEXTS))["entry"].argmax(axis=1).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("starts", lambda one: one[:-1]),
        ("starts", lambda one: one[::-1].copy()),
        ("entries", lambda one: one + 4),
        ("values", lambda one: one[1:]),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, name: str, change: object) -> None:
    artifact = made(tmp_path)
    tensors = load_file(artifact.folder / WEIGHTS)
    save_file(tensors | {name: change(tensors[name])}, artifact.folder / WEIGHTS)  # type: ignore[operator]
    with pytest.raises(DamageError, match="does not fit the model"):
        SparseLinearEngine.load(artifact)
