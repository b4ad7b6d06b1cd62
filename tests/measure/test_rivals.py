"""The rivals that speed is compared with run the very model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact
from penjing.measure.rivals import (
    frozen_embeddings,
    hugging_face_pipeline,
    model2vec,
    onnx_float32,
    onnx_int8,
    plain_torch,
)
from penjing.runtime.session import Session
from penjing.tasks import card_fields, open_reader
from penjing.tasks.metrics import softmax

TEXTS = ["房间很干净", "good", "服务员态度也好下次还会再来住", "bad slow late"]


def test_the_pipeline_gives_the_models_labels_and_probabilities(
    torch_artifact: Artifact, open_form: Callable[..., Session]
) -> None:
    run = hugging_face_pipeline(torch_artifact, threads=1)
    expected = softmax(open_form("torch").logits(TEXTS))
    found = run(TEXTS)
    assert [row["label"] for row in found] == [torch_artifact.card.labels[i] for i in expected.argmax(axis=1)]
    assert [row["score"] for row in found] == pytest.approx(expected.max(axis=1).tolist(), abs=1e-4)
    assert len(run(["很" * 500])) == 1, "longer texts are cut by the pipeline itself"
    assert np.isfinite(run(["good"])[0]["score"])


def test_onnx_int8_gives_the_models_labels_where_they_are_clear(
    torch_artifact: Artifact, open_form: Callable[..., Session], tmp_path: Path
) -> None:
    run = onnx_int8(torch_artifact, 1, tmp_path)
    logits = np.sort(open_form("torch").logits(TEXTS), axis=1)
    clear = logits[:, -1] - logits[:, -2] > 0.1 * np.abs(logits).max()
    assert clear.any()
    expected = [torch_artifact.card.labels[i] for i in open_form("torch").logits(TEXTS).argmax(axis=1)]
    for rows in (run(TEXTS), [run([text])[0] for text in TEXTS]):
        assert [row for row, sure in zip(rows, clear, strict=True) if sure] == [
            label for label, sure in zip(expected, clear, strict=True) if sure
        ]
    assert len(run(["很" * 500])) == 1
    operators = {node.op_type for node in onnx.load(tmp_path / "int8.onnx").graph.node}
    assert "MatMulInteger" in operators


def test_torch_and_onnx_float32_give_the_models_labels(
    torch_artifact: Artifact, open_form: Callable[..., Session], tmp_path: Path
) -> None:
    expected = [torch_artifact.card.labels[i] for i in open_form("torch").logits(TEXTS).argmax(axis=1)]
    for run in (plain_torch(torch_artifact, 1), onnx_float32(torch_artifact, 1, tmp_path)):
        assert run(TEXTS) == expected
        assert [run([text])[0] for text in TEXTS] == expected


def test_a_model_of_grades_is_timed_too(torch_artifact: Artifact, tmp_path: Path) -> None:
    grades = open_reader("score", {}).learn(["1", "2", "3"])
    fields = card_fields(grades, {"temperature": 1.0, "mass": 1.0})
    card = torch_artifact.card.model_copy(update={"labels": (), **fields})
    artifact = replace(torch_artifact, card=card)
    assert {row["label"] for row in hugging_face_pipeline(artifact, 1)(TEXTS)} <= {"0", "1"}
    assert set(onnx_int8(artifact, 1, tmp_path)(TEXTS)) <= {"0", "1"}
    assert set(plain_torch(artifact, 1)(TEXTS)) <= {"0", "1"}


def test_frozen_embeddings_learn_from_labelled_texts(torch_artifact: Artifact) -> None:
    texts = [f"{word} {other}" for word in ("good", "bad") for other in ("slow", "fine", "late", "good", "bad")]
    labels = [text.split()[0] for text in texts]
    run = frozen_embeddings(torch_artifact, 1, texts, labels, (texts, labels))
    assert sum(found == label for found, label in zip(run(texts), labels, strict=True)) >= 8
    assert run(["good fine"]) == [run(texts)[texts.index("good fine")]]


def test_model2vec_learns_from_labelled_texts_and_finds_its_vectors_again(
    torch_artifact: Artifact, tmp_path: Path
) -> None:
    texts = [f"{word} {other}" for word in ("good", "bad") for other in ("slow", "fine", "late", "good", "bad")]
    labels = [text.split()[0] for text in texts]
    stored = tmp_path / "new" / "vectors.npy"
    run = model2vec(torch_artifact, 1, texts, labels, (texts, labels), stored, dimensions=8)
    assert sum(found == label for found, label in zip(run(texts), labels, strict=True)) >= 8
    vectors = np.load(stored)
    assert vectors.shape[1] == 8
    # The first tokens are taken to be the commonest, and weigh least.
    assert np.linalg.norm(vectors[:5], axis=1).mean() < np.linalg.norm(vectors[-5:], axis=1).mean()
    np.save(stored, vectors * 0)
    again = model2vec(torch_artifact, 1, texts, labels, (texts, labels), stored)
    assert len(set(again(texts))) == 1


def test_rivals_take_torch_artifacts_only(artifacts: dict[str, Artifact], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes a torch artifact"):
        hugging_face_pipeline(artifacts["onnx"], 1)
    with pytest.raises(UsageError, match="of form `openvino`"):
        onnx_int8(artifacts["openvino"], 1, tmp_path)
    with pytest.raises(UsageError, match="takes a torch artifact"):
        plain_torch(artifacts["onnx"], 1)
