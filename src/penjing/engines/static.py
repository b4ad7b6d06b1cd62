"""The static engine: rows of a table for a text's hashed n-grams, added up, and one linear layer; numpy only.

Format 1 of `static.json` has a row for every bucket. Format 2 has the buckets of its rows beside them: for a table that
was fitted to few texts, whose other buckets would be zeros.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.canon import canonical_json
from penjing.core.formats import refuse_newer
from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.engines.protocol import Array, Outputs, does_not_fit, fingerprint, heads_of, split_columns
from penjing.text.ngrams import Grams

WEIGHTS, SETTINGS = "static.safetensors", "static.json"


def unseen_share(seen: npt.NDArray[np.bool_], row: Array) -> float:
    """The share of a text's n-grams whose bucket is not in `seen`; 1 for a text without any n-gram."""
    return 1.0 - int(np.count_nonzero(seen.take(row))) / len(row) if len(row) else 1.0


class StaticEngine:
    """outputs = W (sum_g E[g]) / sqrt(n) + b over the n n-grams g of a text; b alone for a text without any."""

    def __init__(
        self,
        grams: Grams,
        table: npt.NDArray[np.float16],
        head: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
        heads: Mapping[str, Head],
        buckets: npt.NDArray[np.int32] | None = None,
    ) -> None:
        """table E (rows, rank) float16, head W (rank, columns), bias b (columns,); the heads side by side.

        buckets: those that the rows belong to, in ascending order, where most buckets have none (None: all have one).
        """
        self.grams, self.heads, self.buckets = grams, heads, buckets
        self._stored, self._head, self._bias = table, head, bias
        # Reading rows from float32 is twice as fast; the sums are the same.
        self._table = table.astype(np.float32)
        self._row_of: npt.NDArray[np.int32] | None = None
        if buckets is not None:
            # The last row is of zeros, for the buckets without one.
            self._table = np.concatenate((self._table, np.zeros((1, table.shape[1]), dtype=np.float32)))
            self._row_of = np.full(1 << grams.bits, len(table), dtype=np.int32)
            self._row_of[buckets] = np.arange(len(table), dtype=np.int32)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """The buckets of each masked text's n-grams, (n,) int64."""
        return [self.grams.of(text) for text in texts]

    def run(self, batch: Sequence[Array]) -> Outputs:
        """(batch, size) float32 of each head, each row by itself; no thread changes the order of its additions."""
        found = np.empty((len(batch), len(self._bias)), dtype=np.float32)
        for place, row in enumerate(batch):
            if not len(row):
                found[place] = self._bias
                continue
            rows = row if self._row_of is None else self._row_of.take(row)
            # The ufunc is called directly: the method of an array would take longer than the sum itself.
            state = np.add.reduce(self._table.take(rows, axis=0), axis=0)
            state /= np.float32(math.sqrt(len(row)))
            np.add(np.einsum("r,rl->l", state, self._head), self._bias, out=found[place])
        return split_columns(found, self.heads)

    def seen(self) -> npt.NDArray[np.bool_]:
        """Which buckets (buckets,) held an n-gram of a training text: training begins with a table of zeros."""
        used: npt.NDArray[np.bool_] = np.logical_or.reduce(self._stored.view(np.uint16), axis=1)
        if self.buckets is None:
            return used
        found = np.zeros(1 << self.grams.bits, dtype=np.bool_)
        found[self.buckets] = used
        return found

    def fingerprint(self) -> dict[str, str]:
        """Engine, version of numpy, instruction set; it always runs in one thread."""
        return fingerprint("static", f"numpy {np.__version__}", 1)

    @property
    def parameters(self) -> int:
        """Numbers of the table."""
        return self._stored.size

    def write(self, folder: Path) -> None:
        """Put table, head and settings into an artifact's folder; the same engine gives the same bytes."""
        from safetensors.numpy import save_file

        tensors = {"bias": self._bias, "head": self._head, "table": self._stored}
        if self.buckets is not None:
            tensors["buckets"] = self.buckets
        save_file(tensors, folder / WEIGHTS)
        settings = {
            "format": 1 if self.buckets is None else 2,
            "characters": self.grams.characters,
            "words": self.grams.words,
            "bits": self.grams.bits,
        }
        (folder / SETTINGS).write_bytes(canonical_json(settings))

    @classmethod
    def load(cls, artifact: Artifact, threads: int = 1) -> StaticEngine:  # noqa: ARG003
        """The engine of an artifact of form "static"; `threads` is not used. Raises DamageError."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        heads = heads_of(artifact)
        columns = sum(one.size for one in heads.values())
        try:
            settings = json.loads((artifact.folder / SETTINGS).read_text(encoding="utf-8"))
            refuse_newer(settings, 2, SETTINGS, str(artifact.folder))
            grams = Grams(int(settings["characters"]), int(settings["words"]), int(settings["bits"]))
            tensors = load_file(artifact.folder / WEIGHTS)
            table, head, bias = tensors["table"], tensors["head"], tensors["bias"]
            buckets = _buckets(tensors["buckets"], grams) if settings["format"] == 2 else None
            size = 1 << grams.bits if buckets is None else len(buckets)
            shapes = (size, len(head)), (len(head), columns), head.shape[1:]
            if settings["format"] not in (1, 2) or (table.shape, head.shape, bias.shape) != shapes:
                raise ValueError(f"table {table.shape}, head {head.shape}, {columns} columns")
        except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
            raise does_not_fit(WEIGHTS, artifact.folder, error) from None
        return cls(grams, table, head, bias, heads, buckets)


def _buckets(found: npt.NDArray[np.int32], grams: Grams) -> npt.NDArray[np.int32]:
    """The buckets that have a row. Raises ValueError for what is no ascending list of them."""
    if found.ndim != 1 or found.dtype != np.int32 or (np.diff(found) <= 0).any():
        raise ValueError("the buckets of the rows are not in order")
    if len(found) and not 0 <= found[0] <= found[-1] < 1 << grams.bits:
        raise ValueError(f"buckets beyond 2^{grams.bits}")
    return found
