"""The linear engine: its matrix product, its independence of the batch, its files; without torch or scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from penjing.core.artifact import write_artifact
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Card
from penjing.core.task import Head
from penjing.engines.linear import LinearEngine, columns_of
from penjing.runtime.open import open_session
from penjing.text import words
from penjing.text.tfidf import fit_features

TEXTS = ["房间很干净", "房间太小了", "服务很好", "the room is clean", "服务太差", "clean and quiet room"]


def engine(columns: int) -> LinearEngine:
    features = fit_features(TEXTS)
    random = np.random.default_rng(0)
    coef = random.normal(0, 2, (len(features), columns)).astype(np.float16)
    heads = {"label": Head("pooled", 2 if columns == 1 else columns, "cross_entropy")}
    return LinearEngine(features, coef, random.normal(0, 1, columns).astype(np.float32), heads)


def artifact(folder: Path, columns: int, labels: tuple[str, ...]) -> Artifact:
    return write_artifact(folder, Card(form="linear", method="tune.linear", labels=labels), engine(columns).write)


def test_logits_are_the_matrix_product() -> None:
    model = engine(3)
    rows = model.encode(TEXTS)
    dense = np.zeros((len(TEXTS), len(model.features)))
    for place, row in enumerate(rows):
        dense[place, row["index"]] = row["weight"]
    expected = dense @ model._coef.astype(np.float64) + model._bias
    logits = model.run(rows)["label"]
    assert logits.dtype == np.float32
    assert logits == pytest.approx(expected, abs=1e-5)


def test_a_matrix_in_another_order_of_memory_is_stored_as_it_is(tmp_path: Path) -> None:
    model = engine(3)
    turned = LinearEngine(model.features, np.asfortranarray(model._stored), model._bias, model.heads)
    stored = write_artifact(
        tmp_path / "a", Card(form="linear", method="tune.linear", labels=tuple("abc")), turned.write
    )
    assert np.array_equal(LinearEngine.load(stored)._stored, model._stored)


def test_two_labels_have_one_column_and_mirrored_logits() -> None:
    logits = engine(1).run(engine(1).encode(TEXTS))["label"]
    assert logits.shape == (len(TEXTS), 2)
    assert (logits[:, 0] == -logits[:, 1]).all()


def test_neighbours_change_no_bit_and_unknown_texts_get_the_bias() -> None:
    model = engine(3)
    rows = model.encode(TEXTS)
    alone = np.concatenate([model.run([row])["label"] for row in rows])
    assert (model.run(rows[::-1])["label"][::-1] == alone).all()
    assert (model.run(model.encode([""]))["label"][0] == model._bias).all()
    assert model.run([])["label"].shape == (0, 3)


def test_several_heads_have_their_own_columns_by_name() -> None:
    heads = {
        "kind": Head("pooled", 2, "cross_entropy"),
        "score": Head("pooled", 1, "mean_squared_error"),
        "flags": Head("pooled", 2, "binary_cross_entropy"),
    }
    assert columns_of(heads) == 4
    features, random = fit_features(TEXTS), np.random.default_rng(0)
    coef = random.normal(0, 2, (len(features), 4)).astype(np.float16)
    bias = random.normal(0, 1, 4).astype(np.float32)
    model = LinearEngine(features, coef, bias, heads)
    rows = model.encode(TEXTS)
    outputs = model.run(rows)
    plain = engine(4)
    plain._coef, plain._bias = coef.astype(np.float32), bias
    expected = plain.run(rows)["label"]
    assert {name: one.shape for name, one in outputs.items()} == {"kind": (6, 2), "score": (6, 1), "flags": (6, 2)}
    np.testing.assert_allclose(outputs["kind"], np.stack((-expected[:, 0] / 2, expected[:, 0] / 2), axis=1), atol=1e-6)
    np.testing.assert_array_equal(outputs["score"], expected[:, 1:2])
    np.testing.assert_array_equal(outputs["flags"], expected[:, 2:])
    with pytest.raises(ValueError, match="not of its tokens"):
        columns_of({"tag": Head("token", 3, "cross_entropy")})


def test_term_weights_add_up_to_the_logit() -> None:
    for columns, label in ((3, 2), (1, 0), (1, 1)):
        model = engine(columns)
        pairs = model.term_weights(TEXTS[0], label)
        bias = model._bias[label] if columns == 3 else model._bias[0] * (0.5 if label else -0.5)
        assert sum(gain for _, gain in pairs) + bias == pytest.approx(
            model.run(model.encode(TEXTS[:1]))["label"][0, label], abs=1e-5
        )
        assert [gain for _, gain in pairs] == sorted((gain for _, gain in pairs), reverse=True)


def test_a_session_gives_what_the_engine_gave_before_it_was_written(tmp_path: Path) -> None:
    made = artifact(tmp_path / "a", 3, ("a", "b", "c"))
    session = open_session(made)
    assert (session.outputs(TEXTS)["label"] == engine(3).run(engine(3).encode(TEXTS))["label"]).all()
    assert sum(session.predict(TEXTS[:1])[0].answer.probabilities) == pytest.approx(1, abs=1e-5)
    assert session.fingerprint()["engine"] == "linear"
    assert "jieba" in session.fingerprint()["version"]


def test_the_same_engine_has_the_same_id_and_a_wrong_shape_is_refused(tmp_path: Path) -> None:
    assert artifact(tmp_path / "a", 1, ("a", "b")).id == artifact(tmp_path / "b", 1, ("a", "b")).id
    with pytest.raises(DamageError, match="does not fit the model"):
        open_session(artifact(tmp_path / "c", 3, ("a", "b")))
    broken = artifact(tmp_path / "d", 1, ("a", "b"))
    (broken.folder / "linear.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00notjson!")
    with pytest.raises(DamageError, match="does not fit the model"):
        open_session(broken)


def test_it_runs_without_the_workshop(tmp_path: Path) -> None:
    made = artifact(tmp_path / "a", 3, ("a", "b", "c"))
    code = f"""
import sys
for name in ("torch", "transformers", "sklearn", "scipy", "polars"):
    sys.modules[name] = None
from pathlib import Path
from penjing.core.artifact import open_artifact
from penjing.runtime.open import open_session
print(open_session(open_artifact(Path({str(made.folder)!r}))).predict(["房间很好"])[0].answer.ranked()[0][0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() in {"a", "b", "c"}


def test_warming_loads_the_dictionary_of_words(tmp_path: Path) -> None:
    session = open_session(artifact(tmp_path / "a", 1, ("no", "yes")))
    words._segmenter.cache_clear()
    session.warm()
    assert words._segmenter.cache_info().currsize == 1


def test_declared_fields_are_added_to_the_outputs(tmp_path: Path) -> None:
    plain, labels = engine(3), ("a", "b", "c")
    fields = np.array([[1.0, -2.0, 0.5], [0.25, 0.0, 4.0]], dtype=np.float32)
    model = LinearEngine(plain.features, plain._stored, plain._bias, plain.heads, fields)
    card = Card(form="linear", method="tune.linear", labels=labels, features={"amount": {"mean": 0.0, "scale": 1.0}})
    read = LinearEngine.load(write_artifact(tmp_path / "a", card, model.write))
    rows, given = plain.encode(TEXTS[:2]), np.array([[2.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    expected = plain.run(rows)["label"] + np.array([[2.0, -4.0, 1.0], [0.25, 0.0, 4.0]])
    assert read.run(rows, given)["label"] == pytest.approx(expected, abs=1e-6)
    assert (read.run(rows)["label"] == plain.run(rows)["label"]).all(), "no fields are zeros"
    other = card.model_copy(update={"features": {**card.features, "more": {"mean": 0.0, "scale": 1.0}}})
    with pytest.raises(DamageError, match="declared fields"):
        LinearEngine.load(write_artifact(tmp_path / "b", other, model.write))
