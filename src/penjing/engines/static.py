"""The static engine: rows of a table for a text's hashed n-grams, added up, and one linear layer; numpy only."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError
from penjing.core.formats import refuse_newer
from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.engines.protocol import Array, Outputs, fingerprint, heads_of, split_columns
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
    ) -> None:
        """table E (buckets, rank) float16, head W (rank, columns), bias b (columns,); the heads side by side."""
        self.grams, self.heads = grams, heads
        self._stored, self._head, self._bias = table, head, bias
        # Reading rows from float32 is twice as fast; the sums are the same.
        self._table = table.astype(np.float32)

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
            # The ufunc is called directly: the method of an array would take longer than the sum itself.
            state = np.add.reduce(self._table.take(row, axis=0), axis=0)
            state /= np.float32(math.sqrt(len(row)))
            np.add(np.einsum("r,rl->l", state, self._head), self._bias, out=found[place])
        return split_columns(found, self.heads)

    def seen(self) -> npt.NDArray[np.bool_]:
        """Which buckets (buckets,) held an n-gram of a training text: training begins with a table of zeros."""
        found: npt.NDArray[np.bool_] = np.logical_or.reduce(self._stored.view(np.uint16), axis=1)
        return found

    def fingerprint(self) -> dict[str, str]:
        """Engine, version of numpy, instruction set; it always runs in one thread."""
        return fingerprint("static", f"numpy {np.__version__}", 1)

    def write(self, folder: Path) -> None:
        """Put table, head and settings into an artifact's folder; the same engine gives the same bytes."""
        from safetensors.numpy import save_file

        save_file({"bias": self._bias, "head": self._head, "table": self._stored}, folder / WEIGHTS)
        settings = {
            "format": 1,
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
            refuse_newer(settings, 1, SETTINGS, str(artifact.folder))
            grams = Grams(int(settings["characters"]), int(settings["words"]), int(settings["bits"]))
            tensors = load_file(artifact.folder / WEIGHTS)
            table, head, bias = tensors["table"], tensors["head"], tensors["bias"]
            shapes = (1 << grams.bits, len(head)), (len(head), columns), head.shape[1:]
            if settings["format"] != 1 or (table.shape, head.shape, bias.shape) != shapes:
                raise ValueError(f"table {table.shape}, head {head.shape}, {columns} columns")
        except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
            raise DamageError(
                f"{WEIGHTS} does not fit the model: {error}",
                where=str(artifact.folder),
                fix="copy the folder again from where it was made, or make it again",
            ) from None
        return cls(grams, table, head, bias, heads)
