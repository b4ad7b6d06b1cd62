"""A model in ONNX Runtime as a careful engineer would serve it: the raw tokenizer, one padded pass, and no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penjing.core.nouns import Artifact
from penjing.tasks import task_of
from penjing.text.tokens import TOKENIZER, Tokens, read_tokenizer


def answer_onnx(artifact: Artifact, path: Path, threads: int) -> Callable[[Sequence[str]], list[Any]]:
    """A callable over texts that gives one label a text, by the exported model of an artifact in one padded pass."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names, encode = output_names(artifact), padded(artifact)

    def classify(texts: Sequence[str]) -> list[Any]:
        return [names[place] for place in session.run(["logits"], encode(texts))[0].argmax(axis=1)]

    return classify


def output_names(artifact: Artifact) -> tuple[str, ...]:
    """The labels of a model, or the numbers of its outputs where it has none."""
    columns = sum(head.size for head in task_of(artifact.card).heads.values())
    return artifact.card.labels or tuple(map(str, range(columns)))


def padded(artifact: Artifact) -> Callable[[Sequence[str]], dict[str, Any]]:
    """Texts -> `input_ids` and `attention_mask`, (texts, tokens) int64, padded to the longest of them."""
    tokens = Tokens.load(artifact)
    tokenizer = read_tokenizer(artifact.folder / TOKENIZER)
    tokenizer.enable_truncation(tokens.limit)
    tokenizer.enable_padding(pad_id=tokens.pad_id)

    def encode(texts: Sequence[str]) -> dict[str, Any]:
        encoded = tokenizer.encode_batch_fast(list(texts))
        return {
            "input_ids": np.array([row.ids for row in encoded], dtype=np.int64),
            "attention_mask": np.array([row.attention_mask for row in encoded], dtype=np.int64),
        }

    return encode
