"""The careful engineer's ONNX Runtime: the model's labels, and no torch in the process."""

from __future__ import annotations

import subprocess
import sys

from penjing.core.nouns import Artifact
from penjing.measure.rival_onnx import answer_onnx, padded

TEXTS = ["房间很干净", "good", "服务员态度也好下次还会再来住", "bad slow late"]


def test_texts_are_padded_to_the_longest_and_cut_to_the_limit(torch_artifact: Artifact) -> None:
    found = padded(torch_artifact)(["good", "好" * 500])
    assert found["input_ids"].shape == found["attention_mask"].shape == (2, torch_artifact.card.max_tokens)
    assert found["attention_mask"].sum(axis=1).tolist() == [3, torch_artifact.card.max_tokens]


def test_alone_or_together_a_text_gets_its_label(artifacts: dict[str, Artifact]) -> None:
    made = artifacts["onnx"]
    run = answer_onnx(made, made.folder / "model.onnx", 1)
    assert run(TEXTS) == [run([text])[0] for text in TEXTS]
    assert set(run(TEXTS)) <= set(made.card.labels)


def test_it_needs_no_torch() -> None:
    code = "import sys, penjing.measure.rival_onnx; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
