"""The linear engine of a catalogue: the few coefficients of each entry, by term, in numpy only.

    z_e = sum over the known terms t of the text of x_t W_te,   W sparse: an entry has the terms of its text and rows

The products are float32 and are added in float64 in the order of the terms, so the outputs are those of a dense matrix
to the bit, and threads and other rows change nothing. With 50,000 entries of some 60 terms each the file has 18 MB,
where a dense matrix of 200,000 terms would have 20 GB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.engines.linear import WEIGHTS, LinearEngine
from penjing.engines.protocol import Array, Outputs, does_not_fit, heads_of
from penjing.text.tfidf import Features

# The name of a tensor that only this form has.
STARTS = "starts"
# Cosines are at most 1: scores of this scale need temperatures near 1.
SCALE = 20.0


class SparseLinearEngine(LinearEngine):
    """outputs = x W of TF-IDF features x; W in compressed rows, one a term."""

    def __init__(
        self,
        features: Features,
        values: npt.NDArray[np.float16],
        entries: npt.NDArray[np.int32],
        starts: npt.NDArray[np.int64],
        heads: Mapping[str, Head],
    ) -> None:
        """features of F terms; values, entries: the coefficients of term t, and the entries in rising order that have
        them, at starts[t] to starts[t + 1] of (F + 1,); heads: one head."""
        self.features, self.heads, self.fields = features, heads, None
        ((self._name, head),) = heads.items()
        self._size = head.size
        self._values, self._entries, self._starts = values, entries, starts
        self._read = values.astype(np.float32)

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""
        return int(self._values.size)

    def run(self, batch: Sequence[Array], features: Array | None = None) -> Outputs:  # noqa: ARG002 - reads no fields
        """(batch, entries) float32, each row by itself."""
        scores = np.empty((len(batch), self._size), dtype=np.float32)
        for place, row in enumerate(batch):
            entries, products = self._products(row)
            # Adds in the order of the products, in float64.
            scores[place] = np.bincount(entries, weights=products, minlength=self._size)
        return {self._name: scores}

    def _products(self, row: Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The entries that have a term of a row, term by term, and the product of each."""
        first, counts = self._starts[row["index"]], np.diff(self._starts)[row["index"]]
        ends = np.cumsum(counts)
        # Of each product its place in the matrix: from the first one of its term on.
        at = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - ends + counts, counts)
        return self._entries[at], self._read[at] * np.repeat(row["weight"], counts)

    def term_weights(self, text: str, place: int) -> list[tuple[str, float]]:
        """As of `LinearEngine`: how much each known term of a masked text adds to the output of an entry."""
        row = self.features.encode(text)
        pairs = []
        for term, weight in zip(row["index"].tolist(), row["weight"], strict=True):
            own = slice(int(self._starts[term]), int(self._starts[term + 1]))
            at = int(np.searchsorted(self._entries[own], place))
            has = at < len(self._entries[own]) and self._entries[own][at] == place
            pairs.append((self.features.vocabulary[term], float(self._read[own][at] * weight) if has else 0.0))
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def write(self, folder: Path) -> None:
        """Put weights, vocabulary and settings into an artifact's folder; the same engine gives the same bytes."""
        from safetensors.numpy import save_file

        self.features.write(folder)
        tensors = {"values": self._values, "entries": self._entries, STARTS: self._starts, "idf": self.features.idf}
        save_file({name: np.ascontiguousarray(one) for name, one in tensors.items()}, folder / WEIGHTS)

    def columns(
        self, kept: Sequence[int]
    ) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Values, terms and starts of these entries, an entry a row: what `from_entries` takes."""
        terms = np.repeat(np.arange(len(self._starts) - 1, dtype=np.int32), np.diff(self._starts))
        order = np.lexsort((terms, self._entries))
        starts = np.searchsorted(self._entries[order], np.arange(self._size + 1))
        parts = [order[starts[place] : starts[place + 1]] for place in kept]
        taken = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        ends = np.cumsum([0, *(len(part) for part in parts)])
        return self._values[taken], terms[taken], ends.astype(np.int64)

    @classmethod
    def from_entries(
        cls,
        features: Features,
        values: npt.NDArray[np.float16],
        terms: npt.NDArray[np.int32],
        starts: npt.NDArray[np.int64],
        heads: Mapping[str, Head],
    ) -> SparseLinearEngine:
        """The engine of coefficients by entry: those of entry e and their terms at starts[e] to starts[e + 1]."""
        owners = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
        order = np.lexsort((owners, terms))
        by_term = np.searchsorted(terms[order], np.arange(len(features) + 1)).astype(np.int64)
        return cls(features, values[order], owners[order], by_term, heads)

    @classmethod
    def is_in(cls, artifact: Artifact) -> bool:
        """Whether an artifact of form "linear" is of this engine; false for a file that cannot be read."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(artifact.folder / WEIGHTS, framework="numpy") as file:
                return STARTS in file.keys()  # noqa: SIM118 - no mapping
        except (FileNotFoundError, SafetensorError):
            return False

    @classmethod
    def load(cls, artifact: Artifact, threads: int = 1) -> SparseLinearEngine:  # noqa: ARG003
        """The engine of an artifact of form "linear" with sparse coefficients. Raises DamageError, UsageError."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        heads = heads_of(artifact)
        try:
            tensors = load_file(artifact.folder / WEIGHTS)
            values, entries, starts, idf = (tensors[name] for name in ("values", "entries", STARTS, "idf"))
            ((_, head),) = heads.items()
            rising = not len(starts) or (starts[0] == 0 and bool((np.diff(starts) >= 0).all()))
            if len(starts) != len(idf) + 1 or not rising or starts[-1] != len(values) or len(values) != len(entries):
                raise ValueError(f"{len(values)} coefficients, {len(entries)} entries, {len(idf)} terms")
            if len(entries) and not 0 <= int(entries.min()) <= int(entries.max()) < head.size:
                raise ValueError(f"an entry beyond the {head.size} of the catalogue")
        except (FileNotFoundError, KeyError, ValueError, SafetensorError) as error:
            raise does_not_fit(WEIGHTS, artifact.folder, error) from None
        return cls(Features.read(artifact.folder, idf), values, entries, starts, heads)
