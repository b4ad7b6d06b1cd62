"""The most frequent tokens of the train rows, with which prompts and prefixes begin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penjing.train.batches import Ints


def frequent_tokens(rows: Sequence[Ints], count: int) -> Ints:
    """Ids of `count` tokens, (count,) int64, the most frequent first; repeated where there are fewer different ones.

    Tokens that are in every row, as those that begin and end it, are left out unless there are no others.
    """
    flat = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    tokens, times = np.unique(flat, return_counts=True)
    in_rows = np.unique(
        np.concatenate([np.unique(np.asarray(row, dtype=np.int64)) for row in rows]), return_counts=True
    )[1]
    some = in_rows < len(rows)
    if some.any():
        tokens, times = tokens[some], times[some]
    order = np.lexsort((tokens, -times))
    return np.resize(tokens[order], count).astype(np.int64)
