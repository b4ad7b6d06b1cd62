"""The linear model of a catalogue: plain cosine without rows, rows that help, and what is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.nouns import Inputs, Run, Table
from penjing.data.catalogue import Catalogue
from penjing.engines.linear import LinearEngine
from penjing.runtime.open import open_session
from penjing.tasks.nearest import Nearest
from penjing.tune.linear import Options, apply
from penjing.tune.linear_catalogue import CatalogueSetting, fit_catalogue, refuse_fields

TEXTS = ("how to pay", "how to cancel", "where is my card", "change the address")
TASK = Nearest("none", Catalogue(("pay", "cancel", "card", "address"), TEXTS))
SETTING = CatalogueSetting(2, 4, 10_000)
# "plastic" is a card in the rows only.
ROWS = Table(
    texts=[f"the plastic {word}" for word in ("a", "b", "c", "d", "e")] + ["pay it", "please pay", "none of it"],
    labels=["card"] * 5 + ["pay"] * 2 + ["none"],
)


def run_at(folder: Path, stop: bool = False) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", stop=lambda: stop)


def scores(engine: LinearEngine, *texts: str) -> np.ndarray:
    return np.asarray(engine.run(engine.encode(texts))["entry"])


def test_without_rows_it_is_the_cosine_with_the_entries(tmp_path: Path) -> None:
    engine, chosen = fit_catalogue(Table(texts=[], labels=[]), TASK, SETTING, run_at(tmp_path))
    found = scores(engine, *TEXTS)
    assert chosen.c == 0 and found.argmax(axis=1).tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(np.diag(found), 20, rtol=2e-3)
    one, other = (engine.features.encode(text) for text in TEXTS[:2])
    shared = set(one["index"].tolist()) & set(other["index"].tolist())
    weight = [dict(zip(row["index"].tolist(), row["weight"].tolist(), strict=True)) for row in (one, other)]
    assert found[0, 1] == pytest.approx(20 * sum(weight[0][term] * weight[1][term] for term in shared), rel=2e-3)


def test_words_of_the_rows_lead_to_their_entry(tmp_path: Path) -> None:
    engine, chosen = fit_catalogue(ROWS, TASK, SETTING, run_at(tmp_path))
    assert chosen.c > 0 and dict(chosen.tried)[0.0] < dict(chosen.tried)[chosen.c]
    assert scores(engine, "my plastic", "the address").argmax(axis=1).tolist() == [2, 3], "one has no row"


def test_a_stored_model_gives_the_same_answers(tmp_path: Path) -> None:
    inputs = Inputs(None, ROWS, ROWS, language="en", task=TASK)
    artifact = apply(inputs, Options(), run_at(tmp_path))
    engine, _ = fit_catalogue(ROWS, TASK, SETTING, run_at(tmp_path))
    session = open_session(artifact)
    assert np.array_equal(session.outputs(list(TEXTS))["entry"], scores(engine, *TEXTS))
    assert artifact.card.metrics["validation_recall_at_1"] > 0.8


def test_two_entries_share_a_column(tmp_path: Path) -> None:
    task = Nearest("none", Catalogue(("pay", "cancel"), TEXTS[:2]))
    engine, _ = fit_catalogue(Table(texts=[], labels=[]), task, SETTING, run_at(tmp_path))
    assert scores(engine, *TEXTS[:2]).argmax(axis=1).tolist() == [0, 1]


def test_it_stops_and_reads_no_fields(tmp_path: Path) -> None:
    with pytest.raises(RunInterruptedError):
        fit_catalogue(ROWS, TASK, SETTING, run_at(tmp_path, stop=True))
    with pytest.raises(UsageError, match="entries of a catalogue"):
        refuse_fields(object())
    refuse_fields(None)
