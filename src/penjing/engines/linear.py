"""The linear engine: TF-IDF features times a matrix, in numpy only; threads and other rows change no result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.data.features import FieldFeatures
from penjing.engines.fields import added_by
from penjing.engines.protocol import Array, Outputs, does_not_fit, fingerprint, heads_of, split_columns
from penjing.text.tfidf import Features

WEIGHTS = "linear.safetensors"
Matrix = npt.NDArray[np.float32]


class LinearEngine:
    """outputs = x W + f V + b of TF-IDF features x, and of declared fields f where the model reads any.

    Two labels have one column, the second's: its logits are -z/2 and z/2.
    """

    def __init__(
        self,
        features: Features,
        coef: npt.NDArray[np.float16],
        bias: npt.NDArray[np.float32],
        heads: Mapping[str, Head],
        fields: Matrix | None = None,
    ) -> None:
        """features of F terms; coef (F, columns) float16, bias (columns,); columns as `columns_of` the heads.

        fields: coefficients (size, columns) of the numbers of declared fields.
        """
        self.features, self.heads, self.fields = features, heads, fields
        self._stored, self._coef, self._bias = coef, coef.astype(np.float32), bias

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""
        return int(self._stored.size + self._bias.size + (0 if self.fields is None else self.fields.size))

    @property
    def reads_text(self) -> bool:
        """Whether it knows any term; else it is a model of declared fields alone."""
        return len(self.features) > 0 or self.fields is None

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """The known terms of each masked text with their weights, (terms,) of dtype features.ROW."""
        return [self.features.encode(text) for text in texts]

    def run(self, batch: Sequence[Array], features: Array | None = None) -> Outputs:
        """(batch, size) float32 of each head, each row by itself; features: (batch, size) of declared fields.

        Products are added in float64 in the order of the index and not by BLAS, whose order changes with the machine
        and its threads.
        """
        scores = np.empty((len(batch), self._coef.shape[1]), dtype=np.float64)
        for place, row in enumerate(batch):
            products = self._coef[row["index"]] * row["weight"][:, None]
            scores[place] = products.sum(axis=0, dtype=np.float64) + self._bias
        if features is not None and self.fields is not None:
            scores += added_by(self.fields, features)
        return outputs_of(scores, self.heads)

    def term_weights(self, text: str, place: int) -> list[tuple[str, float]]:
        """How much each known term of a masked text adds to an output of the first head, such as a label's logit.

        Strongest first; terms as Terms.of writes.
        """
        row = self.features.encode(text)
        column, sign = (0, 0.5 if place else -0.5) if _is_pair(next(iter(self.heads.values()))) else (place, 1.0)
        gains = self._coef[row["index"], column] * row["weight"] * sign
        pairs = [(self.features.vocabulary[i], float(gain)) for i, gain in zip(row["index"], gains, strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def fingerprint(self) -> dict[str, str]:
        """Engine, versions of numpy and of the word segmenter, instruction set; it always runs in one thread."""
        version = " + ".join(part for part in (f"numpy {np.__version__}", self.features.segmenter) if part)
        return fingerprint("linear", version, 1)

    def write(self, folder: Path) -> None:
        """Put weights, vocabulary and settings into an artifact's folder; the same engine gives the same bytes."""
        from safetensors.numpy import save_file

        self.features.write(folder)
        # safetensors stores the memory of an array as it lies: another order of its axes would be another matrix.
        coef = np.ascontiguousarray(self._stored)
        tensors = {"bias": self._bias, "coef": coef, "idf": self.features.idf}
        if self.fields is not None:
            tensors["fields"] = self.fields
        save_file(tensors, folder / WEIGHTS)

    @classmethod
    def load(cls, artifact: Artifact, threads: int = 1) -> LinearEngine:  # noqa: ARG003
        """The engine of an artifact of form "linear"; `threads` is not used. Raises DamageError, UsageError."""
        return cls.load_from(artifact, heads_of(artifact))

    @classmethod
    def load_from(cls, artifact: Artifact, heads: Mapping[str, Head]) -> LinearEngine:
        """As `load`, for some of the heads of an artifact."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            tensors = load_file(artifact.folder / WEIGHTS)
            coef, bias, idf = tensors["coef"], tensors["bias"], tensors["idf"]
            columns = columns_of(heads)
            if coef.shape != (len(idf), columns) or bias.shape != coef.shape[1:]:
                raise ValueError(f"coefficients {coef.shape}, {len(idf)} terms, {columns} columns")
            fields = tensors.get("fields")
            size = FieldFeatures.from_json(artifact.card.features).size
            if (size, columns) != ((0, columns) if fields is None else fields.shape):
                raise ValueError(f"coefficients of {size} numbers of declared fields are not there")
        except (FileNotFoundError, KeyError, ValueError, SafetensorError) as error:
            raise does_not_fit(WEIGHTS, artifact.folder, error) from None
        return cls(Features.read(artifact.folder, idf), coef, bias, heads, fields)


def columns_of(heads: Mapping[str, Head]) -> int:
    """Columns of the matrix for these heads: one a number, and one for two labels together.

    Raises ValueError for a head that is not pooled.
    """
    if any(head.kind != "pooled" for head in heads.values()):
        raise ValueError("a linear model gives numbers of a text, not of its tokens")
    return sum(1 if _is_pair(head) else head.size for head in heads.values())


def outputs_of(scores: npt.NDArray[np.float64], heads: Mapping[str, Head]) -> Outputs:
    """Outputs by head, float32, of the columns (n, columns) of all heads."""
    if len(heads) == 1:  # at each text of a service: no loop over heads and columns
        ((name, head),) = heads.items()
        both = np.concatenate((-scores / 2, scores / 2), axis=1) if _is_pair(head) else scores
        return {name: both.astype(np.float32)}
    if any(_is_pair(head) for head in heads.values()):
        scores = _with_mirrored(scores, heads)
    return split_columns(scores.astype(np.float32), heads)


def _is_pair(head: Head) -> bool:
    return head.loss == "cross_entropy" and head.size == 2


def _with_mirrored(scores: npt.NDArray[np.float64], heads: Mapping[str, Head]) -> npt.NDArray[np.float64]:
    """The columns of all heads, with both columns for a head of two labels."""
    parts, start = [], 0
    for head in heads.values():
        width = 1 if _is_pair(head) else head.size
        part = scores[:, start : start + width]
        parts += [-part / 2, part / 2] if _is_pair(head) else [part]
        start += width
    return np.concatenate(parts, axis=1)
