"""The share of the peak matrix speed of this machine that the engines reach: the encoder at batch 32 x 128 tokens.

    python bench/peak.py --models DIR [--threads N]

The peak is measured in the same run, by products of square matrices: float32 by torch and by ONNX Runtime, the better
of the two; INT8 (seven-bit weights, as `compress.int8` makes them) by ONNX Runtime. The encoder's operations are
counted from its shapes: two for each multiplication by a weight matrix, and those of attention. Everything is timed in
turn (A B A B ...); medians. Prints one JSON object and writes bench/results/peak.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import openvino
import torch
from onnx import TensorProto, helper

from penjing.core.machine import cores, hardware
from penjing.engines.export import export_onnx, onnx_int8
from penjing.engines.openvino import settings
from penjing.model.base import open_base
from penjing.model.encoder import Classifier, load_encoder
from spine import base_named

RESULTS = Path(__file__).resolve().parent / "results" / "peak.json"
SIZE, BATCH, TOKENS, TURNS = 2048, 32, 128, 7
_BYTES = (0, 256, np.uint8), (-64, 64, np.int8)
Run = Callable[[], object]
Array = np.ndarray[Any, Any]


def products(threads: int) -> dict[str, Run]:
    """Square products in float32, and of unsigned by signed bytes."""
    draw = np.random.default_rng(0)
    left, right = (draw.standard_normal((SIZE, SIZE), dtype=np.float32) for _ in range(2))
    given, weights = (draw.integers(low, high, (SIZE, SIZE), dtype=kind) for low, high, kind in _BYTES)
    tensors = torch.from_numpy(left), torch.from_numpy(right)
    return {
        "product, torch float32": lambda: tensors[0] @ tensors[1],
        "product, ONNX Runtime float32": _product("MatMul", left, right, TensorProto.FLOAT, threads),
        "product, ONNX Runtime INT8": _product("MatMulInteger", given, weights, TensorProto.INT32, threads),
    }


def encoders(classifier: Classifier, folder: Path, threads: int) -> dict[str, Run]:
    """The classifier over one full batch, in each engine."""
    ids = np.random.default_rng(2).integers(5, 1000, (BATCH, TOKENS), dtype=np.int64)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    tensors = [torch.from_numpy(one) for one in feed.values()]
    full = export_onnx(classifier, folder)
    onnx_int8(full, folder / "int8.onnx")
    float32, int8 = (_onnx(str(path), threads) for path in (full, folder / "int8.onnx"))
    compiled = openvino.Core().compile_model(full, "CPU", settings(threads))

    def by_torch() -> object:
        with torch.inference_mode():
            return classifier(*tensors)

    return {
        "torch float32": by_torch,
        "ONNX Runtime float32": lambda: float32.run(None, feed),
        "OpenVINO float32": lambda: compiled(feed),
        "ONNX Runtime INT8": lambda: int8.run(None, feed),
    }


def operations(classifier: Classifier) -> float:
    """Additions and multiplications of one batch: those of the weight matrices, and of attention."""
    found = 0.0
    for name, module in classifier.named_modules():
        if isinstance(module, torch.nn.Linear):
            rows = BATCH if name == "head" else BATCH * TOKENS
            found += 2.0 * rows * module.weight.numel()
    config: Any = classifier.encoder.config
    return found + float(config.num_hidden_layers * 4 * BATCH * TOKENS * TOKENS * config.hidden_size)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True, help="folder of the large base")
    parser.add_argument("--threads", type=int, default=cores())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    encoder = load_encoder(open_base(str(base_named("e5", arguments.models)), Path()))
    classifier = Classifier(encoder, 2).eval()
    with TemporaryDirectory() as folder:
        squares = products(arguments.threads)
        runs = squares | encoders(classifier, Path(folder), arguments.threads)
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(TURNS + 1):
            for name, run in runs.items():
                began = time.perf_counter()
                run()
                if turn:
                    seconds[name].append(time.perf_counter() - began)
    work = dict.fromkeys(runs, operations(classifier)) | dict.fromkeys(squares, 2.0 * SIZE**3)
    giga = {name: round(work[name] / median(each) / 1e9, 1) for name, each in seconds.items()}
    peak = {kind: max(giga[name] for name in squares if name.endswith(kind)) for kind in ("float32", "INT8")}
    found = {name: value for name, value in giga.items() if name not in squares}
    result = {
        "billions_per_s": found | {f"peak {kind}": value for kind, value in peak.items()},
        "share_of_peak": {name: round(value / peak[name.split()[-1]], 3) for name, value in found.items()},
        "batch": BATCH,
        "tokens": TOKENS,
        "threads": arguments.threads,
        "hardware": hardware(),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


def _product(kind: str, left: Array, right: Array, result: int, threads: int) -> Run:
    given = TensorProto.FLOAT if left.dtype == np.float32 else TensorProto.UINT8
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", given, [SIZE, SIZE])],
        [helper.make_tensor_value_info("y", result, [SIZE, SIZE])],
        [onnx.numpy_helper.from_array(right, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = _onnx(model.SerializeToString(), threads)
    return lambda: session.run(None, {"x": left})


def _onnx(model: str | bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    sys.exit(main())
