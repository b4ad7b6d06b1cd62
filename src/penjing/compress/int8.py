"""Static INT8: weights and activations in eight bits, the scales fixed beforehand on training texts.

    q(x) = round(x / s) clipped to 8 bits;   s_weight per output channel, s_activation = range over calibration texts
    SmoothQuant moves spread from activations to weights: y = (x / d)(d W), d_j = max|x_j|^a / max|W_j|^(1-a)

Source: Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference,
2018; Xiao et al., SmoothQuant, 2023; bias correction: Nagel et al., Data-Free Quantization, 2019; carried out by NNCF
3.4. The embedding table becomes INT8 rows too. Because the scales are fixed, a text's logits do not depend on the
other texts of a batch, as they do with dynamic quantization. Prefer it wherever the CPU has VNNI or AMX: without them
it is slower than float32 (12 layers, one short text, Zen 3: 17 ms against 12) and saves room only. Take
`compress.export` where its agreement with float32 on validation is too low for the promise to be kept. ONNX Runtime
gains the size but, as measured on AVX512-VNNI, no speed: its fused kernels do not know this form.
"""

from __future__ import annotations

import contextlib
import io
import logging
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from penjing.compress.export import EngineName, write_engine
from penjing.compress.sealing import check_stop, encoder_parent, score, seal, whole, with_tokenizer
from penjing.core.errors import MissingPackageError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.runtime.machine import int8_instructions
from penjing.runtime.openvino_ import write_model
from penjing.runtime.tokens import Tokens


class Options(BaseOptions):
    """What `compress.int8` may be told."""

    engine: EngineName = Field("openvino", description="the engine that serves: openvino (faster) or onnx (any CPU)")
    calibration_texts: int = Field(300, ge=8, le=5000, description="training texts on which the scales are fixed")
    preset: Literal["mixed", "performance"] = Field(
        "mixed", description="activations with an offset (mixed, more exact) or symmetric (performance)"
    )
    smooth_quant: float | None = Field(
        0.95, ge=0, le=1, description="how far spread moves from activations to weights; null: not at all"
    )
    bias_correction: bool = Field(True, description="take back the mean error that rounding weights brings")
    keep: list[str] = Field([], max_length=100, description="regular expressions of layer names left in float32")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent in INT8, its temperature fitted anew, with `validation_agreement` against float32 in its metrics.

    Raises UsageError without training texts or for a parent that is no encoder, MissingPackageError without NNCF.
    """
    parent = encoder_parent(inputs, "compress.int8")
    if not len(inputs.train):
        raise UsageError("`compress.int8` needs training texts to fix its scales", fix="give at least eight rows")
    if not int8_instructions():
        run.progress.say(
            "this CPU has no INT8 dot product (VNNI, AMX): INT8 saves room here and costs time, and its release "
            "decides on such CPUs only; `compress.export` is faster here"
        )
    full = whole(run.scratch / "float32", lambda target: write_engine(parent, options.engine, target, run))
    small = whole(run.scratch / "int8", lambda target: _quantize(parent, inputs, options, run, full, target))
    card = parent.card.model_copy(update={"form": options.engine, "notes": {"precision": "float32"}})
    before = score(full, card, inputs.validation, run, "compress.int8: validation in float32")
    return seal(
        inputs,
        options,
        run,
        parent,
        method="compress.int8",
        form=options.engine,
        folder=small,
        notes={"engine": options.engine, "precision": "int8"},
        compare=before,
    )


def _quantize(parent: Artifact, inputs: Inputs, options: Options, run: Run, full: Path, target: Path) -> None:
    check_stop(run)
    samples = calibration_samples(parent, inputs.train.texts, options.calibration_texts, run.seed)
    run.progress.start(f"fix the scales on {len(samples)} texts", None)
    if options.engine == "openvino":
        import openvino

        model = _nncf(openvino.Core().read_model(full / "model.xml"), samples, options)
        write_model(model, target / "model.xml")
    else:
        import onnx

        onnx.save(_nncf(onnx.load(full / "model.onnx"), samples, options), target / "model.onnx")
    with_tokenizer(parent, target)


def calibration_samples(
    parent: Artifact, texts: Any, count: int, seed: int
) -> list[Mapping[str, np.ndarray[Any, np.dtype[np.int64]]]]:
    """Model inputs, each (1, tokens), of `count` texts drawn without replacement; a long text gives its first window.

    Unpadded and one by one: padding would be seen as activations that no result depends on.
    """
    chosen = sorted(random.Random(seed).sample(range(len(texts)), min(count, len(texts))))
    tokens = Tokens.load(parent)
    rows = [tokens.windows(row)[0].ids[None, :] for row in tokens.encode([texts[i] for i in chosen])]
    return [{"input_ids": row, "attention_mask": np.ones_like(row)} for row in rows]


def _nncf(model: Any, samples: list[Any], options: Options) -> Any:
    try:
        import nncf
    except ModuleNotFoundError:
        raise MissingPackageError(
            "`compress.int8` needs the package `nncf`", fix="pip install 'penjing[train]'"
        ) from None
    nncf.set_log_level(logging.ERROR)
    smooth = -1.0 if options.smooth_quant is None else options.smooth_quant
    # NNCF draws its bars on stdout, where only results belong.
    with contextlib.redirect_stdout(io.StringIO()):
        return nncf.quantize(
            model,
            nncf.Dataset(samples),
            preset=nncf.QuantizationPreset(options.preset),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(samples),
            ignored_scope=nncf.IgnoredScope(patterns=options.keep, validate=False) if options.keep else None,
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                disable_bias_correction=not options.bias_correction,
                smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=smooth),
            ),
        )
