"""The static engine: its sums, its independence of the batch, its files; without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from penjing.core.artifact import open_artifact, write_artifact
from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact, Card
from penjing.core.task import Head
from penjing.engines.static import SETTINGS, WEIGHTS, StaticEngine, unseen_share
from penjing.runtime.open import open_session
from penjing.text.ngrams import Grams

TEXTS = ["房间很干净", "the room is clean", "", "好", "clean and quiet room " * 50]


def engine(labels: int = 3, rank: int = 2) -> StaticEngine:
    random = np.random.default_rng(0)
    table = random.normal(0, 1, (1 << 12, rank)).astype(np.float16)
    head = random.normal(0, 1, (rank, labels)).astype(np.float32)
    heads = {"label": Head("pooled", labels, "cross_entropy")}
    return StaticEngine(Grams(bits=12), table, head, random.normal(0, 1, labels).astype(np.float32), heads)


def artifact(folder: Path) -> Artifact:
    card = Card(form="static", method="compress.static", labels=("a", "b", "c"))
    return write_artifact(folder, card, engine().write)


def test_logits_are_the_sums_of_the_rows() -> None:
    model = engine()
    for text, logits in zip(TEXTS, model.run(model.encode(TEXTS))["label"], strict=True):
        buckets = model.grams.of(text)
        state = model._stored.astype(np.float64)[buckets].sum(axis=0) / max(1, len(buckets)) ** 0.5
        assert logits == pytest.approx(state @ model._head + model._bias, abs=1e-4)


def test_neighbours_change_no_bit() -> None:
    model = engine()
    rows = model.encode(TEXTS)
    alone = np.concatenate([model.run([row])["label"] for row in rows])
    assert (model.run(rows[::-1])["label"][::-1] == alone).all()
    assert model.run([])["label"].shape == (0, 3)


def test_it_knows_which_n_grams_it_saw_in_training() -> None:
    model = engine()
    row = model.grams.of("clean")
    model._stored[:] = 0
    model._stored[row[:2]] = 0.5
    seen = model.seen()
    assert seen.sum() == len(set(row[:2].tolist()))
    assert unseen_share(seen, row) == pytest.approx(1 - np.isin(row, row[:2]).mean())
    assert unseen_share(seen, row[:0]) == 1.0


def test_what_is_written_is_read_again_to_the_bit(tmp_path: Path) -> None:
    made = artifact(tmp_path / "a")
    assert artifact(tmp_path / "b").id == made.id
    session = open_session(open_artifact(made.folder))
    session.warm()
    assert (session.outputs(TEXTS)["label"] == engine().run(engine().encode(TEXTS))["label"]).all()
    assert session.fingerprint()["engine"] == "static"


@pytest.mark.parametrize("settings", ["{}", "[]", "no", "[" * 9999])
def test_settings_that_do_not_fit_are_damage(tmp_path: Path, settings: str) -> None:
    made = artifact(tmp_path / "a")
    (made.folder / SETTINGS).write_text(settings)
    with pytest.raises(DamageError, match="does not fit the model"):
        StaticEngine.load(made)


def test_settings_of_a_later_format_are_no_damage(tmp_path: Path) -> None:
    made = artifact(tmp_path / "a")
    (made.folder / SETTINGS).write_text('{"bits":12,"characters":4,"format":3,"words":2}')
    with pytest.raises(UsageError, match="format 3, and this installation reads formats up to 2"):
        StaticEngine.load(made)


def test_buckets_without_a_row_count_as_zeros(tmp_path: Path) -> None:
    whole = engine()
    kept = np.arange(0, 1 << 12, 3, dtype=np.int32)
    table = np.zeros_like(whole._stored)
    table[kept] = whole._stored[kept]
    dense = StaticEngine(whole.grams, table, whole._head, whole._bias, whole.heads)
    few = StaticEngine(whole.grams, table[kept], whole._head, whole._bias, whole.heads, kept)
    wanted = dense.run(dense.encode(TEXTS))["label"]
    assert np.array_equal(few.run(few.encode(TEXTS))["label"], wanted)
    assert np.array_equal(few.seen(), dense.seen()) and few.seen().sum() == len(kept)
    card = Card(form="static", method="none", labels=("a", "b", "c"))
    made = write_artifact(tmp_path / "few", card, few.write)
    read = StaticEngine.load(made)
    assert np.array_equal(read.run(read.encode(TEXTS))["label"], wanted)
    assert (made.folder / WEIGHTS).stat().st_size < 0.7 * table.nbytes


@pytest.mark.parametrize("buckets", [[1, 1], [2, 1], [-1, 1], [1, 1 << 12]])
def test_buckets_that_are_no_ascending_list_are_damage(tmp_path: Path, buckets: list[int]) -> None:
    whole = engine()
    few = StaticEngine(
        whole.grams, whole._stored[:2], whole._head, whole._bias, whole.heads, np.array([1, 2], np.int32)
    )
    few.buckets = np.array(buckets, dtype=np.int32)
    made = write_artifact(tmp_path / "few", Card(form="static", method="none", labels=("a", "b", "c")), few.write)
    with pytest.raises(DamageError, match="buckets"):
        StaticEngine.load(made)


def test_a_table_of_another_size_is_damage(tmp_path: Path) -> None:
    made = artifact(tmp_path / "a")
    text = (made.folder / SETTINGS).read_text()
    (made.folder / SETTINGS).write_text(text.replace('"bits":12', '"bits":13'))
    with pytest.raises(DamageError, match=r"table \(4096, 2\)"):
        StaticEngine.load(made)


def test_it_runs_where_torch_cannot_be_imported(tmp_path: Path) -> None:
    folder = artifact(tmp_path / "a").folder
    code = (
        "import sys; sys.modules['torch'] = sys.modules['jieba'] = sys.modules['tokenizers'] = None\n"
        "from pathlib import Path\n"
        "from penjing.core.artifact import open_artifact\n"
        "from penjing.engines.static import StaticEngine\n"
        f"model = StaticEngine.load(open_artifact(Path({str(folder)!r})))\n"
        "print(model.run(model.encode(['好']))['label'][0].argmax())\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(found) == engine().run(engine().encode(["好"]))["label"][0].argmax()
