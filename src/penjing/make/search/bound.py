"""A lower bound on the size of a chain of compressions: a search does not make forms that cannot be the smallest.

    least size = v h b_e / 8 + l (4 h^2 + 2 h f) b_w / 8   bytes

v: size of the vocabulary, h: hidden size, f: feed-forward size, l: layers left, b_e and b_w: bits of a weight of the
embeddings and of the layers. Biases, norms, the head and the tokenizer are not counted, so no form is smaller than its
bound. The model without layers has a table of 2^bits rows in half precision, with a column for each label, at most
`rank`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from penjing.core.methods import Step
from penjing.core.nouns import Artifact
from penjing.tasks import predicts, task_of

MEGA = 1e6
# Bits of a weight by the last step of a chain. A chain that ends in another step is always tried.
BITS = {"compress.export": 16, "compress.int8": 8}


def least_mb(steps: Sequence[Step], layers: int, teacher: Artifact) -> float:
    """The least size in megabytes of the form that the steps make with so many layers; 0 if it is unknown."""
    options: dict[str, Any] = {one.name: one.options for one in steps}
    size = 0.0
    if {"compress.static", "compress.cascade"} & set(options):
        columns = sum(head.size for head in task_of(teacher.card).heads.values()) if predicts(teacher.card) else 0
        size += _static_mb(columns, options.get("compress.static"))
    made = next((name for name in BITS if name in options), None)
    if not layers or made is None:
        return size
    shape = _shape(teacher)
    if shape is None:
        return size
    vocabulary, hidden, inner = shape
    bits = BITS[made]
    small = getattr(options.get("compress.embeddings"), "bits", bits)
    matrices = layers * (4 * hidden * hidden + 2 * hidden * inner) * bits
    return size + (vocabulary * hidden * min(small, bits) + matrices) / 8 / MEGA


def _static_mb(columns: int, options: Any) -> float:
    bits, rank = getattr(options, "bits", 17), getattr(options, "rank", 64)
    return 2 * (1 << bits) * min(rank, max(1, columns)) / MEGA


def _shape(teacher: Artifact) -> tuple[int, int, int] | None:
    """Vocabulary size, hidden size and feed-forward size of an encoder; None if its configuration lacks one."""
    path = teacher.folder / "encoder" / "config.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return int(found["vocab_size"]), int(found["hidden_size"]), int(found["intermediate_size"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
