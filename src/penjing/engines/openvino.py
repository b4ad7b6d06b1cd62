"""The OpenVINO engine, for CPUs, above all in INT8; other rows of the batch change no result."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from penjing.core.errors import DamageError, MissingPackageError
from penjing.core.nouns import Artifact
from penjing.engines.onnx import output_names
from penjing.engines.packed import unpacked
from penjing.engines.protocol import Array, Outputs, fingerprint, heads_of, one_after_another
from penjing.text.tokens import Tokens

MODEL, WEIGHTS = "model.xml", "model.bin"
_COUNTED = re.compile(r"[A-Z][A-Za-z0-9]*_\d+(?:_\d+)*(?:/|$)")


class OpenVinoEngine:
    """An OpenVINO model behind one inference request; calls from several threads take turns.

    Taking turns costs no speed, because one run already uses all threads of the engine. A text is padded to the bucket
    of its own length, never to that of another text. Floating-point rows run one by one, because a matrix product may
    be split differently for another batch size; INT8 products are exact sums, so INT8 rows of a bucket run together.
    """

    def __init__(
        self, compiled: Any, tokens: Tokens, facts: dict[str, str], together: bool, outputs: Mapping[str, str]
    ) -> None:
        """facts: the fingerprint; together: whether rows of a bucket may share a run; outputs: the file's name of each
        head's output."""
        self.tokens = tokens
        self._fingerprint = facts
        self._request = compiled.create_infer_request()
        self._together = together
        self._lock = Lock()
        # Tensors are set by position: names to positions once, not in every call.
        names = [port.get_any_name() for port in compiled.inputs]
        self._ids, self._mask = names.index("input_ids"), names.index("attention_mask")
        found = [port.get_names() for port in compiled.outputs]
        # A single output is the only head's, even where a conversion gave it another name.
        places = {name: place for place, names in enumerate(found) for name in names}
        self._heads = {
            head: places.get(name, 0) if len(outputs) == 1 else places[name] for head, name in outputs.items()
        }

    @classmethod
    def load(cls, artifact: Artifact, threads: int) -> OpenVinoEngine:
        """Compile `model.xml` for this CPU. Raises MissingPackageError (no openvino) or DamageError."""
        openvino = import_openvino(str(artifact.folder))
        core = openvino.Core()
        try:
            compiled = core.compile_model(_read(core, openvino, artifact.folder), "CPU", settings(threads))
        except RuntimeError as error:
            raise DamageError(
                f"OpenVINO cannot read {MODEL}: {str(error).strip().splitlines()[-1]}",
                where=str(artifact.folder),
                fix="make the artifact again with the OpenVINO that is installed here",
            ) from None
        version = openvino.get_version().split("-")[0]
        facts, outputs = fingerprint("openvino", version, threads), output_names(heads_of(artifact))
        return cls(compiled, Tokens.load(artifact), facts, artifact.card.precision == "int8", outputs)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """Token ids of each text, (tokens,) int64."""
        return list(self.tokens.encode(texts))

    def run(self, batch: Sequence[Array]) -> Outputs:
        """Outputs of each head, float32; every row is padded to the bucket of its own length."""
        if len(batch) == 1 or (self._together and len({self.tokens.bucket(len(row)) for row in batch}) == 1):
            return self._run(batch)
        return one_after_another([self._run([row]) for row in batch])

    def fingerprint(self) -> dict[str, str]:
        """Engine, version, instruction set, threads."""
        return dict(self._fingerprint)

    def _run(self, batch: Sequence[Array]) -> Outputs:
        ids, mask = self.tokens.pad(batch)
        with self._lock:
            outputs = self._request.infer({self._ids: ids, self._mask: mask}, share_inputs=True, share_outputs=True)
            return {head: np.array(outputs[place], dtype=np.float32) for head, place in self._heads.items()}


def _read(core: Any, openvino: Any, folder: Path) -> Any:
    weights = unpacked(folder, WEIGHTS)
    if weights is None:
        return core.read_model(folder / MODEL)
    # The tensor shares the memory of the array, and the model that of the tensor.
    return core.read_model((folder / MODEL).read_bytes(), openvino.Tensor(np.frombuffer(weights, dtype=np.uint8)))


def import_openvino(where: str) -> Any:
    """The package openvino. Raises MissingPackageError with the command that installs it."""
    try:
        import openvino
    except ModuleNotFoundError:
        raise MissingPackageError(
            "this artifact runs on OpenVINO, which is not installed",
            where=where,
            fix="pip install 'penjing[openvino]', or make the release with `engine: onnx`",
        ) from None
    return openvino


def write_model(model: Any, path: Path, *, half: bool = False) -> None:
    """Write an OpenVINO model as `path` and its `.bin`; the same model always gives the same bytes.

    half: float32 weights are stored in float16; the engine computes in float32 all the same.
    Nodes without a name of their own get a name with a number that counts up through the whole process. Here they are
    named by their place instead.
    """
    openvino = import_openvino(str(path.parent))
    for place, node in enumerate(model.get_ordered_ops()):
        if _COUNTED.match(node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}-{place}")
    openvino.save_model(model, path, compress_to_fp16=half)


def settings(threads: int) -> dict[str, Any]:
    """How a model is compiled for serving, the same for every artifact.

    float32 is requested because OpenVINO otherwise uses bf16 where the CPU lists it. That changes results, and is slow
    without units for it. The group size of 0 prevents activations from being quantized by the batch that they are in.
    """
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        # Pinning to cores is wrong if other processes use them, and containers often hide the topology.
        "ENABLE_CPU_PINNING": False,
    }
