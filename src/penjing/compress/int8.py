"""INT8: weights and activations in eight bits, their scales fixed on training texts, or taken from each text alone.

    q(x) = round(x / s) clipped to 8 bits;   s_weight per output channel,
    s_activation = range over calibration texts (static, OpenVINO), or over the present text (dynamic, ONNX Runtime)
    SmoothQuant moves spread from activations to weights: y = (x / d)(d W), d_j = max|x_j|^a / max|W_j|^(1-a)

Source: Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference,
2018; Xiao et al., SmoothQuant, 2023; bias correction: Nagel et al., Data-Free Quantization, 2019; carried out by NNCF
3.4. The embedding table becomes INT8 rows too. No text's logits depend on the other texts of a batch: static scales
are fixed, and with dynamic ones each text runs alone. Static wins where the CPU has VNNI or AMX, and there in large
batches most; without them it is slower than float32 (12 layers, a text of 24 tokens, Zen 3: 21 ms against 15), and
dynamic is the faster one (8.5 ms). Prefer it where size or latency is gated, and `compress.export` where the agreement
with float32 on validation is too low for the promise to be kept.
"""

from __future__ import annotations

import contextlib
import io
import logging
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from penjing.compress.export import ENGINE, FILES, PACKED, EngineChoice, check_form, engine_of, write_engine
from penjing.compress.parts.sealing import Compression, complete_folder, copy_tokenizer, encoder_parent, score, seal
from penjing.core.errors import MissingPackageError, UsageError
from penjing.core.machine import EngineName, int8_instructions
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.options import WrongValueError
from penjing.core.stop import check_stop
from penjing.core.task import HeadKind
from penjing.engines.onnx import MODEL as ONNX_MODEL
from penjing.engines.openvino import MODEL as OPENVINO_MODEL
from penjing.engines.openvino import write_model
from penjing.engines.packed import pack
from penjing.text.tokens import Tokens

HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True


class Options(BaseOptions):
    """The options of `compress.int8`."""

    engine: EngineChoice = Field("auto", description=ENGINE)
    scales: Literal["auto", "static", "dynamic"] = Field(
        "auto", description="of activations: fixed on training texts (openvino), or taken from each text alone (onnx)"
    )
    calibration_texts: int = Field(
        300,
        ge=8,
        le=5000,
        description="training texts for static scales; `preset`, `smooth_quant`, `bias_correction` and `keep` are for "
        "static scales too",
    )
    preset: Literal["mixed", "performance"] = Field(
        "mixed", description="activations with an offset (mixed, more exact) or symmetric (performance)"
    )
    smooth_quant: float | None = Field(
        0.95, ge=0, le=1, description="how far spread moves from activations to weights; null: not at all"
    )
    bias_correction: bool = Field(True, description="correct the mean error from rounding the weights")
    packed: bool = Field(False, description=PACKED)
    keep: list[str] = Field([], max_length=100, description="regular expressions of layer names left in float32")

    @field_validator("keep")
    @classmethod
    def _patterns(cls, keep: list[str]) -> list[str]:
        for pattern in keep:
            try:
                re.compile(pattern)
            except re.error as error:
                what = f"has `{pattern[:60]}`, which is no regular expression: {error}"
                raise WrongValueError(what, "write a pattern of Python's `re`, such as `layer\\.0\\.`") from None
        return keep


def scales_of(parent: Artifact, options: Options) -> tuple[EngineName, bool]:
    """The engine, and whether the scales are static. Raises UsageError for what the parent's form does not allow."""
    engine = engine_of(options.engine, parent)
    static = options.scales == "static" or (options.scales == "auto" and engine == "openvino")
    if static and parent.card.embedding_bits is not None:
        raise UsageError(
            "static scales cannot be fixed after `compress.embeddings`: NNCF does not know its operator",
            where="scales",
            fix="set `scales: dynamic`, or leave `compress.embeddings` out",
        )
    if not static and engine == "openvino":
        raise UsageError(
            "OpenVINO would take the scales from all texts of a batch, and no decision could be replayed",
            where="scales",
            fix="set `scales: static`, or `engine: onnx`",
        )
    check_form(parent, engine)
    return engine, static


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent in INT8, its temperature fitted again, with `validation_agreement` against float32 in its metrics.

    Raises UsageError for a parent that is no encoder, static scales without training texts or after
    `compress.embeddings`, or dynamic ones on OpenVINO; MissingPackageError without NNCF.
    """
    from penjing.engines.export import onnx_int8

    parent = encoder_parent(inputs, "compress.int8")
    engine, static = scales_of(parent, options)
    if static and not len(inputs.train):
        raise UsageError("`compress.int8` needs training texts to fix its scales", fix="give at least eight rows")
    if static and not int8_instructions():
        run.progress.say(
            "this CPU has no INT8 dot product (VNNI, AMX): static INT8 saves room here and costs time, and its release "
            "decides on such CPUs only; `engine: onnx` or `compress.export` is faster here"
        )
    full = complete_folder(run.scratch / "float32", lambda target: write_engine(parent, engine, target, run))

    def make(target: Path) -> None:
        if static:
            _static(parent, inputs, options, run, full, target)
        else:
            run.progress.start("INT8 for ONNX Runtime", None)
            onnx_int8(full / ONNX_MODEL, target / ONNX_MODEL)
        if options.packed:
            pack(target, FILES[engine][-1])
        copy_tokenizer(parent, target)

    small = complete_folder(run.scratch / "int8", make)
    card = parent.card.model_copy(update={"form": engine, "precision": "float32"})
    before = score(full, card, inputs.validation, run, "compress.int8: validation in float32")
    return seal(
        Compression(inputs, options, run, parent, "compress.int8"),
        form=engine,
        folder=small,
        notes={"engine": engine, "precision": "int8", "scales": "static" if static else "dynamic"},
        compare=before,
    )


def _static(parent: Artifact, inputs: Inputs, options: Options, run: Run, full: Path, target: Path) -> None:
    check_stop(run.stop)
    samples = calibration_samples(parent, inputs.train.texts, options.calibration_texts, run.seed)
    run.progress.start(f"fix the scales on {len(samples)} texts", None)
    if (full / OPENVINO_MODEL).exists():
        import openvino

        model = _nncf(openvino.Core().read_model(full / OPENVINO_MODEL), samples, options, run)
        write_model(model, target / OPENVINO_MODEL)
    else:
        import onnx

        onnx.save(_nncf(onnx.load(full / ONNX_MODEL), samples, options, run), target / ONNX_MODEL)


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


def _nncf(model: Any, samples: list[Any], options: Options, run: Run) -> Any:
    def taken(sample: Any) -> Any:
        run.progress.advance()
        return sample

    try:
        import nncf
    except ModuleNotFoundError:
        raise MissingPackageError(
            "`compress.int8` needs the package `nncf`", fix="pip install 'penjing[train]'"
        ) from None
    nncf.set_log_level(logging.ERROR)
    smooth = -1.0 if options.smooth_quant is None else options.smooth_quant
    # NNCF prints its progress bars on stdout, which is for results only.
    with contextlib.redirect_stdout(io.StringIO()):
        return nncf.quantize(
            model,
            nncf.Dataset(samples, taken),
            preset=nncf.QuantizationPreset(options.preset),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(samples),
            ignored_scope=nncf.IgnoredScope(patterns=options.keep, validate=False) if options.keep else None,
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                disable_bias_correction=not options.bias_correction,
                smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=smooth),
            ),
        )
