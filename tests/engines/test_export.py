"""The exporter writes the same bytes for the same weights, and refuses what would not compute the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from penjing.core.errors import PenjingError
from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.engines.export import export_onnx, to_openvino
from penjing.model.encoder import Classifier, load_classifier


def test_two_exports_are_the_same_bytes_in_any_folder(torch_artifact: Artifact, tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "another-name"):
        folder = tmp_path / name
        folder.mkdir()
        to_openvino(export_onnx(load_classifier(torch_artifact), folder), folder)
        hashes.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()})
        assert str(tmp_path).encode() not in b"".join(path.read_bytes() for path in folder.iterdir())
    assert hashes[0] == hashes[1] and hashes[0].keys() == {"model.onnx", "model.xml", "model.bin"}


def test_the_classifier_is_left_as_it_was(torch_artifact: Artifact, tmp_path: Path) -> None:
    classifier = load_classifier(torch_artifact)
    before = classifier.encoder.config._attn_implementation
    export_onnx(classifier, tmp_path)
    assert classifier.encoder.config._attn_implementation == before == "sdpa"


class _CountsInPython(Classifier):
    """Divides by a Python number that the exporter takes for a constant."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return super().forward(input_ids, attention_mask) / float(int(attention_mask.sum()))


def test_a_model_that_the_trace_does_not_catch_is_refused(torch_artifact: Artifact, tmp_path: Path) -> None:
    classifier = load_classifier(torch_artifact)
    classifier.__class__ = _CountsInPython
    with pytest.raises(PenjingError, match="differs from torch"):
        export_onnx(classifier, tmp_path)


def test_several_heads_are_outputs_under_their_names(torch_artifact: Artifact, tmp_path: Path) -> None:
    heads = {"tone": Head("pooled", 3, "cross_entropy"), "tags": Head("token", 5, "cross_entropy")}
    classifier = Classifier(load_classifier(torch_artifact).encoder, heads).eval()
    session = onnxruntime.InferenceSession(str(export_onnx(classifier, tmp_path)))
    assert [output.name for output in session.get_outputs()] == ["tone", "tags"]
    ids, mask = torch.tensor([[1, 5, 6], [1, 7, 0]]), torch.tensor([[1, 1, 1], [1, 1, 0]])
    with torch.inference_mode():
        wanted = classifier(ids, mask)
    found = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    assert isinstance(wanted, dict)
    assert [table.shape for table in found] == [(2, 3), (2, 3, 5)]
    for table, name in zip(found, heads, strict=True):
        np.testing.assert_allclose(table, wanted[name].numpy(), atol=1e-5)
