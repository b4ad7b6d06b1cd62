"""Embedding rows in four or eight bits, everything else as it was: a smaller file, computed in float32.

    row' = s_b * round(row / s_b)   in blocks b of 32 numbers of a row (4 bits), or with one s for the table (8 bits)

Source: Shen et al., Q-BERT, 2020 (embeddings lose more from few bits than the layers do); Frantar et al., GPTQ, 2023
(scales by blocks); carried out by ONNX Runtime. In a small encoder with a large vocabulary the table is most of the
file: three layers of multilingual-e5-small are half of it. It saves disk space and memory, but no time per text.
`compress.int8` stores the table in eight bits in any case; four bits before it make the file still smaller. When: only
the size gate is not held. When not: `keep` has little margin, or `compress.vocabulary` already made the table small.
It runs only in ONNX Runtime, and so do the steps after it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from penjing.compress.export import check_form, write_engine
from penjing.compress.parts.sealing import Compression, complete_folder, copy_tokenizer, encoder_parent, score, seal
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.task import HeadKind
from penjing.engines.onnx import MODEL

HEADS: tuple[HeadKind, ...] = ("pooled",)


class Options(BaseOptions):
    """The options of `compress.embeddings`."""

    bits: Literal[4, 8] = Field(4, description="bits of each number of the embedding table")


def check_table(parent: Artifact) -> None:
    """Raise UsageError for a parent in OpenVINO's form, or with a quantized table."""
    if parent.card.embedding_bits is not None:
        raise UsageError(
            f"the embeddings are in {parent.card.embedding_bits} bits already",
            fix="remove one of the two steps",
        )
    check_form(parent, "onnx")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent in ONNX with a smaller embedding table, with `validation_agreement` against the full table.

    Raises UsageError for a parent that is no encoder, is in OpenVINO's form, or has a quantized table.
    """
    from penjing.engines.export import onnx_embeddings, onnx_half

    parent = encoder_parent(inputs, "compress.embeddings")
    check_table(parent)
    full = complete_folder(run.scratch / "onnx", lambda target: write_engine(parent, "onnx", target, run))

    def make(target: Path) -> None:
        onnx_embeddings(full / MODEL, target / MODEL, options.bits)
        onnx_half(target / MODEL)
        copy_tokenizer(parent, target)

    small = complete_folder(run.scratch / "embeddings", make)
    card = parent.card.model_copy(update={"form": "onnx", "precision": "float32"})
    before = score(full, card, inputs.validation, run, "compress.embeddings: validation before")
    return seal(
        Compression(inputs, options, run, parent, "compress.embeddings"),
        form="onnx",
        folder=small,
        notes={"engine": "onnx", "precision": "float32", "embedding_bits": options.bits},
        compare=before,
    )
