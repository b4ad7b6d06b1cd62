"""The same weights in the form in which they serve: torch -> ONNX -> OpenVINO, float32.

    logits_engine(x) = logits_torch(x) + e,   |e| about 1e-6: another order of the same sums

Source: Bai, Lu, Zhang et al., ONNX: Open Neural Network Exchange, 2019; OpenVINO 2026 documentation. It needs no data
and costs no score. Prefer it where every label must stay the teacher's, or where the CPU has no INT8 dot product;
`compress.int8` is two to three times as fast on AVX512-VNNI and a quarter of the size.
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


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent in engine form, float32, its temperature fitted anew. Raises UsageError, MissingPackageError."""
    parent = encoder_parent(inputs, "compress.export")
    folder = whole(run.scratch / options.engine, lambda target: write_engine(parent, options.engine, target, run))
    return seal(
        inputs,
        options,
        run,
        parent,
        method="compress.export",
        form=options.engine,
        folder=folder,
        notes={"engine": options.engine, "precision": "float32"},
    )


def write_engine(parent: Artifact, engine: EngineName, target: Path, run: Run) -> None:
    """Write the parent's model in an engine's form, with the tokenizer, into a folder that is being made."""
    run.progress.start(f"export to {engine}", None)
    form = parent.card.form
    if form == engine:
        names = ("model.xml", "model.bin") if engine == "openvino" else ("model.onnx",)
        for name in names:
            shutil.copyfile(parent.folder / name, target / name)
    elif form == "torch":
        _from_torch(parent, engine, target)
    elif form == "onnx":
        from penjing.runtime.export import to_openvino

        to_openvino(parent.folder / "model.onnx", target)
    else:
        raise UsageError(
            f"an artifact of form `{form}` cannot become `{engine}`",
            fix=f"set `engine: {engine}` in the step before, or leave that step out",
        )
    with_tokenizer(parent, target)
    check_stop(run)


def _from_torch(parent: Artifact, engine: EngineName, target: Path) -> None:
    from penjing.model.encoder import load_classifier
    from penjing.runtime.export import export_onnx, to_openvino

    path = export_onnx(load_classifier(parent), target)
    if engine == "openvino":
        to_openvino(path, target)
        path.unlink()
