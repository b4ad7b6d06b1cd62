"""The ONNX Runtime engine: runs wherever the wheel does, on x86 and ARM; float32 or INT8.

On a GPU it uses the CUDA or TensorRT provider of the wheel `onnxruntime-gpu`. This has not been run yet. As with every
engine, the self-check of a release runs at load, and a release with other outputs is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from penjing.core.errors import DamageError, MissingPackageError
from penjing.core.nouns import Artifact
from penjing.engines.packed import unpacked
from penjing.engines.protocol import Array, Device, Outputs, fingerprint, heads_of, one_after_another
from penjing.text.tokens import Tokens

MODEL = "model.onnx"
# The name of the output of a model of one head.
ONLY = "logits"
SPIN_US = 2000
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
PROVIDERS: dict[Device, list[str]] = {
    "cpu": [_CPU],
    "cuda": [_CUDA, _CPU],
    "tensorrt": ["TensorrtExecutionProvider", _CUDA, _CPU],
}


class OnnxEngine:
    """An ONNX Runtime session; its `run` may be called from several threads.

    Rows run one by one and without padding, which this engine does not need. In a batch a float32 row changes by 1e-7
    (seen between batches of one and two), which may change the sixth digit of a probability. An INT8 row changes much
    more, because its scales depend on the padding and on the other rows. A replay must repeat both exactly.
    """

    def __init__(self, session: Any, tokens: Tokens, facts: dict[str, str], outputs: Mapping[str, str]) -> None:
        """outputs: the file's name of each head's output."""
        self.tokens = tokens
        self._session = session
        self._heads, self._names = tuple(outputs), list(outputs.values())
        self._fingerprint = facts

    @classmethod
    def load(cls, artifact: Artifact, threads: int, device: Device = "cpu") -> OnnxEngine:
        """Open `model.onnx`, packed or not. Raises MissingPackageError (no onnxruntime or device) or DamageError."""
        session, facts = open_model(artifact, MODEL, threads, device)
        return cls(session, Tokens.load(artifact), facts, output_names(heads_of(artifact)))

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """Token ids of each text, (tokens,) int64."""
        return list(self.tokens.encode(texts))

    def run(self, batch: Sequence[Array]) -> Outputs:
        """Outputs of each head, float32."""
        return one_after_another([self._run(row) for row in batch])

    def fingerprint(self) -> dict[str, str]:
        """Engine, version, instruction set, threads."""
        return dict(self._fingerprint)

    def _run(self, row: Array) -> Outputs:
        ids = np.asarray(row, dtype=np.int64)[None, :]
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        return dict(zip(self._heads, self._session.run(self._names, feed), strict=True))


def output_names(heads: Iterable[str]) -> dict[str, str]:
    """What the output of each head is called in a model file: `logits` of a single head, else its own name."""
    names = list(heads)
    return {names[0]: ONLY} if len(names) == 1 else {name: name for name in names}


def open_model(artifact: Artifact, name: str, threads: int, device: Device = "cpu") -> tuple[Any, dict[str, str]]:
    """An inference session of a model file of an artifact, packed or not, and its fingerprint.

    Raises MissingPackageError (no onnxruntime, or no device) or DamageError.
    """
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state
    except ModuleNotFoundError:
        raise MissingPackageError(
            "this artifact runs on ONNX Runtime, which is not installed",
            where=str(artifact.folder),
            fix="pip install onnxruntime",
        ) from None
    unreadable = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoSuchFile,
                  state.NotImplemented)  # fmt: skip
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # Threads wait so many microseconds for the next run before they sleep, which helps the rare texts of a cascade.
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN_US))
    providers = PROVIDERS[device]
    missing = set(providers) - set(onnxruntime.get_available_providers())
    if missing:
        raise MissingPackageError(
            f"the ONNX Runtime that is installed has no {' and no '.join(sorted(missing))}",
            where=f"device {device}",
            fix="pip uninstall onnxruntime and install onnxruntime-gpu, or ask for the device cpu",
        )
    try:
        model = unpacked(artifact.folder, name) or str(artifact.folder / name)
        session = onnxruntime.InferenceSession(model, options, providers=providers)
    except unreadable as error:
        raise DamageError(
            f"ONNX Runtime cannot read {name}: {str(error).splitlines()[0]}",
            where=str(artifact.folder),
            fix="make the artifact again with the ONNX Runtime that is installed here",
        ) from None
    # ONNX Runtime skips a provider whose libraries are missing, without an error.
    if session.get_providers()[0] != providers[0]:
        raise MissingPackageError(
            f"ONNX Runtime could not start its {providers[0]}",
            where=f"device {device}",
            fix="install the CUDA (and TensorRT) libraries that this onnxruntime-gpu asks for, or take the device cpu",
        )
    engine = "onnxruntime" if device == "cpu" else f"onnxruntime on {device}"
    return session, fingerprint(engine, onnxruntime.__version__, threads)
