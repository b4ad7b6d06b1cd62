"""OpenVINO computes in float32 and with fixed scales, whatever the CPU would allow."""

from __future__ import annotations

from penjing.core.nouns import Artifact
from penjing.engines.openvino import settings


def test_the_compiled_model_keeps_float32_and_no_dynamic_scales(artifacts: dict[str, Artifact]) -> None:
    import openvino

    compiled = openvino.Core().compile_model(artifacts["openvino"].folder / "model.xml", "CPU", settings(1))
    assert compiled.get_property("INFERENCE_PRECISION_HINT") == openvino.Type.f32
    assert int(compiled.get_property("DYNAMIC_QUANTIZATION_GROUP_SIZE")) == 0
    assert int(compiled.get_property("INFERENCE_NUM_THREADS")) == 1
