"""Exports a torch classifier to ONNX and OpenVINO: same weights, same bytes; the outputs are compared with torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from penjing.core.errors import MissingPackageError, PenjingError
from penjing.engines.early_exit import stage_name
from penjing.engines.onnx import MODEL as ONNX_MODEL
from penjing.engines.onnx import ONLY, output_names
from penjing.engines.openvino import MODEL as OPENVINO_MODEL
from penjing.engines.openvino import import_openvino, write_model
from penjing.model.encoder import Classifier, longest_input
from penjing.model.heads import Heads
from penjing.model.layers import Stage

OPSET = 17
TOLERANCE = 1e-4
# Biases and scales stay as they are: they take hardly any space.
_SMALL = 1024


def export_onnx(classifier: Classifier, target_folder: Path) -> Path:
    """Write `model.onnx`: input_ids, attention_mask (batch, tokens) int64 -> the output of each head, float32.

    The output of a single head is `logits`; several have their own names (`output_names`).

    The exporter records the operations for one example. A value that it recorded as a constant would be wrong for other
    shapes. So the file is run at two other shapes, with padding, and must agree with torch within 1e-4 of the largest
    logit. Attention is exported as `eager`, which engines fuse again; sdpa would add branches for fully masked rows.
    Raises PenjingError where the file does not agree, MissingPackageError without `onnx`.
    """
    path = target_folder / ONNX_MODEL
    kinds = classifier.head.kinds if isinstance(classifier.head, Heads) else {ONLY: "pooled"}
    names = tuple(output_names(kinds).values())
    pooled = {name for name, kind in zip(names, kinds.values(), strict=True) if kind == "pooled"}
    model = _InOrder(classifier).eval() if len(names) > 1 else classifier
    with written_out(classifier):
        export_graph(model, example_of(classifier, 2, 8), path, ("input_ids", "attention_mask"), names, pooled)
    _check(classifier, path, names)
    return path


def export_stages(classifier: Classifier, ends: Sequence[int], heads: Sequence[nn.Module], target_folder: Path) -> None:
    """Write `stage0.onnx` and on: the layers up to each of `ends`, with the head of that stage.

    Raises as `export_onnx`.
    """
    starts = (0, *ends[:-1])
    stages = [Stage(classifier, first, end, head).eval() for first, end, head in zip(starts, ends, heads, strict=True)]
    with written_out(classifier):
        given, mask = example_of(classifier, 2, 8)
        for place, stage in enumerate(stages):
            names = ("input_ids" if not place else "hidden", "attention_mask")
            last = place == len(stages) - 1
            path = target_folder / stage_name(place)
            export_graph(
                _Answer(stage).eval() if last else stage, (given, mask), path, names, ("logits", "hidden")[: 2 - last]
            )
            with torch.inference_mode():
                given = stage(given, mask)[1].clone()
    longest = longest_input(classifier.encoder)
    sessions = [open_plain(target_folder / stage_name(place)) for place in range(len(stages))]
    for rows, length in ((1, min(5, longest)), (3, min(21, longest))):
        given, mask = example_of(classifier, rows, length)
        found = [given.numpy()]
        for session, stage in zip(sessions, stages, strict=True):
            with torch.inference_mode():
                expected, given = stage(given, mask)
            first, second = (each.name for each in session.get_inputs())
            logits, *found = session.run(None, {first: found[0], second: mask.numpy()})
            compare(logits, expected, rows, length)


class _InOrder(nn.Module):
    """A model of several heads that returns a tuple without names, as the exporter needs it."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.classifier(input_ids, attention_mask).values())


class _Answer(nn.Module):
    """The last stage: it returns its logits only."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage

    def forward(self, given: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.stage(given, attention_mask)[0]
        return logits


@contextmanager
def written_out(classifier: Classifier) -> Iterator[None]:
    """Puts the classifier into evaluation mode, and its attention into the form `eager`."""
    classifier.eval()
    encoder = classifier.encoder
    before = encoder.config._attn_implementation  # type: ignore[union-attr]
    encoder.set_attn_implementation("eager")  # type: ignore[operator]
    try:
        yield
    finally:
        encoder.set_attn_implementation(before)  # type: ignore[operator]


def export_graph(
    model: nn.Module, example: tuple[torch.Tensor, ...], path: Path, given: tuple[str, ...], found: tuple[str, ...],
    pooled: Collection[str] = (ONLY,), axes: Mapping[str, Mapping[int, str]] | None = None,
) -> None:  # fmt: skip
    """Write one graph. pooled: outputs of one vector a text; axes: those of inputs that are no batch of tokens.

    Raises MissingPackageError without `onnx`.
    """
    try:
        import onnx  # noqa: F401 - the exporter needs it, and its own error comes late
    except ModuleNotFoundError:
        raise MissingPackageError("the exporter needs the package `onnx`", fix="pip install 'penjing[train]'") from None
    usual = {0: "batch", 1: "tokens"}
    dynamic = {name: {0: "batch"} if name in pooled else usual for name in (*given, *found)} | dict(axes or {})
    with warnings.catch_warnings(), torch.inference_mode():
        # Warnings about constants in the trace (checked below), the old exporter and index arithmetic need no action.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            example,
            str(path),
            input_names=list(given),
            output_names=list(found),
            dynamic_axes=dynamic,
            opset_version=OPSET,
            # The newer exporter takes ten times as long and writes names that engines fuse less well.
            dynamo=False,
        )


def to_openvino(onnx_path: Path, target_folder: Path, *, half: bool = False) -> Path:
    """Write `model.xml` and `model.bin`, weights in float32 or float16. Raises MissingPackageError without openvino."""
    openvino = import_openvino(str(target_folder))
    path = target_folder / OPENVINO_MODEL
    write_model(openvino.Core().read_model(onnx_path), path, half=half)
    return path


def onnx_int8(full: Path, target: Path) -> None:
    """Write `model.onnx` once more with weights in eight bits; activations are quantized at run time.

    The weights use seven of the eight bits. Then the sum of two products fits the sixteen bits in which a CPU without
    VNNI adds them, so that every CPU computes the same whole numbers.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = _in_float32(onnx.load(full))
    # The quantizer infers the shapes itself and fails if those in the file differ.
    del model.graph.value_info[:]
    # It logs the advice to prepare the model first, which changes nothing for an encoder.
    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(
            model,
            target,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            # After `GatherBlockQuantized` no types are inferred, and everything there is float32.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    finally:
        logging.disable(logging.NOTSET)


def onnx_embeddings(full: Path, target: Path, bits: Literal[4, 8]) -> None:
    """Write `model.onnx` once more, with the table that `input_ids` index in a few bits; the rest is unchanged.

    8: one scale a table. 4: one a block of 32 numbers of a row (`GatherBlockQuantized`), float16 scales.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    model = _in_float32(onnx.load(full))
    del model.graph.value_info[:]
    words = next(node for node in model.graph.node if node.op_type == "Gather" and node.input[1] == "input_ids")
    # Both quantizers log every node that they skip.
    logging.disable(logging.WARNING)
    try:
        if bits == 8:
            quantize_dynamic(model, target, ["Gather"], nodes_to_quantize=[words.name], weight_type=QuantType.QInt8)
            return
        config = DefaultWeightOnlyQuantConfig(block_size=32, is_symmetric=True, op_types_to_quantize=("Gather",))
        quantizer = MatMulNBitsQuantizer(model, nodes_to_include=[words.name], algo_config=config)
        # A row of zeros, the padding's, has a scale of zero.
        with np.errstate(invalid="ignore"):
            quantizer.process()
        onnx.save(quantizer.model.model, target)
    finally:
        logging.disable(logging.NOTSET)


def onnx_half(path: Path) -> None:
    """Store the weights of a `model.onnx` in float16; ONNX Runtime makes float32 of them when it opens the file."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph, casts = model.graph, []
    for weight in graph.initializer:
        if weight.data_type == TensorProto.FLOAT and np.prod(weight.dims) >= _SMALL:
            name, stored = weight.name, f"{weight.name}.float16"
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), stored))
            casts.append(helper.make_node("Cast", [stored], [name], name=f"{name}.float32", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


def _in_float32(model: Any) -> Any:
    """Undoes `onnx_half`, because the quantizer looks for weights, not for nodes that compute them."""
    from onnx import numpy_helper

    stored = {weight.name: weight for weight in model.graph.initializer}
    for node in [each for each in model.graph.node if each.op_type == "Cast" and each.input[0] in stored]:
        weight = stored[node.input[0]]
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float32), node.output[0]))
        model.graph.node.remove(node)
    return model


def example_of(classifier: Classifier, rows: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """input_ids and attention_mask, (rows, length) each, the last row half padded; the same at every call."""
    size = int(classifier.encoder.get_input_embeddings().weight.shape[0])  # type: ignore[operator]
    random = np.random.default_rng(0)
    # From the upper half, where no family has its padding and special tokens.
    ids = random.integers(size // 2, size, (rows, length))
    mask = np.ones_like(ids)
    ids[-1, length // 2 :] = getattr(classifier.encoder.config, "pad_token_id", 0) or 0
    mask[-1, length // 2 :] = 0
    return torch.from_numpy(ids), torch.from_numpy(mask)


def _check(classifier: Classifier, path: Path, names: Sequence[str]) -> None:
    session = open_plain(path)
    longest = longest_input(classifier.encoder)
    for rows, length in ((1, min(5, longest)), (3, min(21, longest))):
        ids, mask = example_of(classifier, rows, length)
        with torch.inference_mode():
            expected = classifier(ids, mask)
        wanted = [expected] if isinstance(expected, torch.Tensor) else list(expected.values())
        found = session.run(list(names), {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
        for one, other in zip(found, wanted, strict=True):
            compare(one, other, rows, length)


def open_plain(path: Path) -> Any:
    """A session of a model file on one thread, to compare it with torch."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def compare(found: Any, expected: torch.Tensor, rows: int, length: int) -> None:
    """Raise PenjingError where outputs of the file are not those of torch."""
    wanted = expected.numpy()
    apart = float(np.abs(found - wanted).max())
    if not apart <= TOLERANCE * max(1.0, float(np.abs(wanted).max())):
        raise PenjingError(
            f"the exported model differs from torch by {apart:.2g} at {rows} x {length} tokens",
            fix="use another base: this architecture cannot be exported faithfully",
        )
