"""Rows that a model computes of many texts, stored in slices that all steps of a run share and that survive a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.canon import digest_lines
from penjing.core.folder import write_whole
from penjing.core.nouns import Run

Floats = npt.NDArray[np.float32]
_SLICE = 1024


def in_slices(
    texts: Sequence[str], width: int, key: Sequence[str], folder: Path, compute: Callable[[list[str]], Floats], run: Run
) -> Floats:
    """The rows (n, width) float32 that `compute` makes of the texts, in their order.

    Each slice is stored in the folder under a hash of its texts and of the key. The next call that needs the same slice
    reads it from there. key: what the rows depend on beside the texts, such as the model. compute: gets the texts of a
    slice, reports them to `run.progress`, and may raise to stop. The same call then goes on after the last slice.
    """
    # Texts of similar length need little padding.
    order = sorted(range(len(texts)), key=lambda place: (len(texts[place]), texts[place]))
    rows = np.empty((len(texts), width), dtype=np.float32)
    for first in range(0, len(order), _SLICE):
        places = order[first : first + _SLICE]
        own = [texts[place] for place in places]
        path = folder / f"{digest_lines([*key, *own])[:32]}.npy"
        found = stored_rows(path, (len(own), width))
        if found is None:
            found = compute(own)
            store_rows(path, found)
        else:
            run.progress.advance(len(own))
        rows[places] = found
    return rows


def store_rows(path: Path, rows: Floats) -> None:
    """Store rows in a file that is complete or absent."""
    buffer = BytesIO()
    np.save(buffer, rows)
    write_whole(path, buffer.getvalue())


def stored_rows(path: Path, shape: tuple[int, int]) -> Floats | None:
    """The rows of `store_rows`; None if they are missing, incomplete or of another shape."""
    try:
        rows: Floats = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return rows if rows.shape == shape and rows.dtype == np.float32 else None
