"""The same weights in the form in which they serve: torch -> ONNX -> OpenVINO, computed in float32.

    logits_engine(x) = logits_torch(x) + e,   |e| about 1e-6: another order of the same sums,
    or about 2e-4 of the largest logit where the weights are stored in float16, which halves the file

Source: Bai, Lu, Zhang et al., ONNX: Open Neural Network Exchange, 2019; OpenVINO 2026 documentation. It needs no data
and costs no score. Prefer it where every label must stay the teacher's, or where the CPU has no INT8 dot product;
`compress.int8` is two to three times as fast on AVX512-VNNI and half the size again.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from pydantic import Field

from penjing.compress.sealing import check_stop, encoder_parent, seal, whole, with_tokenizer
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions

EngineName = Literal["openvino", "onnx"]


class Options(BaseOptions):
    """What `compress.export` may be told."""

    engine: EngineName = Field("openvino", description="the engine that serves: openvino (faster) or onnx (any CPU)")
    storage: Literal["float16", "float32"] = Field(
        "float16", description="of the weights on the disk: half the size or every bit; the onnx engine takes float32"
    )


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent in engine form, its temperature fitted anew. Raises UsageError, MissingPackageError."""
    parent = encoder_parent(inputs, "compress.export")
    half = options.storage == "float16" and options.engine == "openvino"
    folder = whole(
        run.scratch / options.engine, lambda target: write_engine(parent, options.engine, target, run, half=half)
    )
    return seal(
        inputs,
        options,
        run,
        parent,
        method="compress.export",
        form=options.engine,
        folder=folder,
        notes={"engine": options.engine, "precision": "float32", "storage": "float16" if half else "float32"},
    )


def write_engine(parent: Artifact, engine: EngineName, target: Path, run: Run, *, half: bool = False) -> None:
    """Write the parent's model in an engine's form, with the tokenizer, into a folder that is being made.

    half: weights that OpenVINO gets from elsewhere are stored in float16.
    """
    run.progress.start(f"export to {engine}", None)
    form = parent.card.form
    if form == engine:
        names = ("model.xml", "model.bin") if engine == "openvino" else ("model.onnx",)
        for name in names:
            shutil.copyfile(parent.folder / name, target / name)
    elif form == "torch":
        _from_torch(parent, engine, target, half)
    elif form == "onnx":
        from penjing.runtime.export import to_openvino

        to_openvino(parent.folder / "model.onnx", target, half=half)
    else:
        raise UsageError(
            f"an artifact of form `{form}` cannot become `{engine}`",
            fix=f"set `engine: {engine}` in the step before, or leave that step out",
        )
    with_tokenizer(parent, target)
    check_stop(run)


def _from_torch(parent: Artifact, engine: EngineName, target: Path, half: bool) -> None:
    from penjing.model.encoder import load_classifier
    from penjing.runtime.export import export_onnx, to_openvino

    path = export_onnx(load_classifier(parent), target)
    if engine == "openvino":
        to_openvino(path, target, half=half)
        path.unlink()
