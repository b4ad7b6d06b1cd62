"""How many top layers `tune.full` trains with `layers: auto`.

Those below are computed once. Where rows are many, all layers are worth their time.
"""

from __future__ import annotations

import math

# This share of the layers is trained where there are so many train rows at most.
TOP_SHARE, FEW_ROWS = 0.75, 10_000


def auto_layers(total: int, rows: int) -> int:
    """Of `total` layers, those that are trained on so many train rows; `total` means embeddings and all."""
    return total if rows > FEW_ROWS else math.ceil(TOP_SHARE * total)
