"""ONNX Runtime gets each row by itself and without padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from penjing.core.errors import MissingPackageError, UsageError
from penjing.core.nouns import Artifact
from penjing.engines.onnx import OnnxEngine
from penjing.runtime.open import open_session


def test_rows_of_any_length_are_seen_as_they_are(artifacts: dict[str, Artifact]) -> None:
    engine = OnnxEngine.load(artifacts["onnx"], 1)
    seen: list[tuple[int, ...]] = []

    class Watched:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def run(self, names: list[str], feed: dict[str, Any]) -> Any:
            assert feed["attention_mask"].all()
            seen.append(feed["input_ids"].shape)
            return self.inner.run(names, feed)

    rows = [np.resize(engine.encode(["good"])[0], length) for length in (3, 9, 17)]
    alone = np.concatenate([engine.run([row])["label"] for row in rows])
    engine._session = Watched(engine._session)
    np.testing.assert_array_equal(engine.run(rows)["label"], alone)
    assert seen == [(1, 3), (1, 9), (1, 17)]


def test_a_device_that_is_not_there_is_never_replaced_in_silence(
    artifacts: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has a GPU provider")
    with pytest.raises(MissingPackageError, match="no CUDAExecutionProvider"):
        open_session(artifacts["onnx"], threads=1, device="cuda")
    with pytest.raises(MissingPackageError, match="no CUDAExecutionProvider and no Tensorrt"):
        open_session(artifacts["onnx"], threads=1, device="tensorrt")
    # The wheel has the provider and the machine has no library for it: ONNX Runtime warns and takes the CPU.
    names = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    with pytest.warns(UserWarning), pytest.raises(MissingPackageError, match="could not start its CUDA"):
        open_session(artifacts["onnx"], threads=1, device="cuda")


def test_other_engines_refuse_a_gpu(artifacts: dict[str, Artifact]) -> None:
    with pytest.raises(UsageError, match="form `openvino` runs on the CPU"):
        open_session(artifacts["openvino"], threads=1, device="cuda")
