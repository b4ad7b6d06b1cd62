"""The same weights in the form in which they serve: torch -> ONNX -> OpenVINO, computed in float32.

    logits_engine(x) = logits_torch(x) + e,   |e| about 1e-6: another order of the same sums,
    or about 2e-4 of the largest logit where the weights are stored in float16, which halves the file

Source: Bai, Lu, Zhang et al., ONNX: Open Neural Network Exchange, 2019; OpenVINO 2026 documentation. It needs no data
and costs no score. Prefer it if every label must equal the teacher's, or if the CPU has no INT8 dot product.
`compress.int8` is two to three times as fast on AVX512-VNNI, 1.5 times on AVX2, and half the size of float16.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from penjing.compress.parts.sealing import Compression, complete_folder, copy_tokenizer, encoder_parent, seal
from penjing.core.errors import UsageError
from penjing.core.machine import EngineName, fastest_engine
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.stop import check_stop
from penjing.core.task import HeadKind
from penjing.engines.onnx import MODEL as ONNX_MODEL
from penjing.engines.openvino import MODEL as OPENVINO_MODEL
from penjing.engines.openvino import WEIGHTS as OPENVINO_WEIGHTS
from penjing.engines.packed import copy_unpacked, pack

EngineChoice = Literal["auto", "openvino", "onnx"]

ENGINE = "the engine that serves; auto: openvino on a CPU with VNNI or AMX, else onnx, the faster one on each"

PACKED = "whether the model file is stored in gzip: smaller after `compress.magnitude`, and a little slower to open"
FILES: dict[EngineName, tuple[str, ...]] = {"openvino": (OPENVINO_MODEL, OPENVINO_WEIGHTS), "onnx": (ONNX_MODEL,)}
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True


class Options(BaseOptions):
    """The options of `compress.export`."""

    engine: EngineChoice = Field("auto", description=ENGINE)
    storage: Literal["float16", "float32"] = Field(
        "float16", description="of the weights on the disk: half the size or every bit"
    )
    packed: bool = Field(False, description=PACKED)


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent in engine form, its temperature fitted again. Raises UsageError, MissingPackageError."""
    parent = encoder_parent(inputs, "compress.export")
    engine, half = engine_of(options.engine, parent), options.storage == "float16"
    folder = complete_folder(
        run.scratch / engine,
        lambda target: write_engine(parent, engine, target, run, half=half, packed=options.packed),
    )
    return seal(
        Compression(inputs, options, run, parent, "compress.export"),
        form=engine,
        folder=folder,
        notes={"engine": engine, "precision": "float32", "storage": options.storage},
    )


def engine_of(name: EngineChoice, parent: Artifact) -> EngineName:
    """The engine that an option asks for; `auto` is the one that is faster on this kind of processor.

    After `compress.embeddings` it is ONNX Runtime, whose operator they need. Raises UsageError for another one there.
    """
    if parent.card.embedding_bits is None:
        return fastest_engine() if name == "auto" else name
    if name == "openvino":
        raise UsageError(
            "OpenVINO cannot read what `compress.embeddings` made",
            where="engine",
            fix="set `engine: onnx`, or leave `compress.embeddings` out",
        )
    return "onnx"


def check_form(parent: Artifact, engine: EngineName) -> None:
    """Raise UsageError for a parent that cannot be written in an engine's form."""
    form = parent.card.form
    if form not in (engine, "torch", "onnx"):
        raise UsageError(
            f"an artifact of form `{form}` cannot become `{engine}`",
            fix=f"set `engine: {engine}` in the step before, or leave that step out",
        )


def write_engine(
    parent: Artifact, engine: EngineName, target: Path, run: Run, *, half: bool = False, packed: bool = False
) -> None:
    """Write the parent's model in an engine's form, with the tokenizer, into a folder that is being made.

    half: weights that come from torch, or from one engine to the other, are stored in float16; packed: their file is.
    """
    check_form(parent, engine)
    run.progress.start(f"export to {engine}", None)
    form = parent.card.form
    if form == engine:
        for name in FILES[engine]:
            copy_unpacked(parent.folder, name, target)
    elif form == "torch":
        _from_torch(parent, engine, target, half)
    else:
        from penjing.engines.export import to_openvino

        copy_unpacked(parent.folder, ONNX_MODEL, target)
        to_openvino(target / ONNX_MODEL, target, half=half)
        (target / ONNX_MODEL).unlink()
    if packed:
        pack(target, FILES[engine][-1])
    copy_tokenizer(parent, target)
    check_stop(run.stop)


def _from_torch(parent: Artifact, engine: EngineName, target: Path, half: bool) -> None:
    from penjing.engines.export import export_onnx, onnx_half, to_openvino
    from penjing.model.encoder import load_classifier

    path = export_onnx(load_classifier(parent), target)
    if engine == "openvino":
        to_openvino(path, target, half=half)
        path.unlink()
    elif half:
        onnx_half(path)
