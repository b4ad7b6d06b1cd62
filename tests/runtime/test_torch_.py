"""The Hugging Face pipeline that speed is compared with runs the very model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from penjing.core.nouns import Artifact
from penjing.runtime.session import Session
from penjing.runtime.torch_ import hugging_face_pipeline
from penjing.tasks.classify import softmax

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
