"""The linear engine of answers about pieces of a text: outputs of each unit from the units around it, in numpy only.

    z_t = b + sum over the known features of unit t of w / sqrt(number of features)      (text/units)

Added in float64 in the order of the features, so that threads and other rows change no result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.engines.linear import WEIGHTS
from penjing.engines.protocol import Array, Outputs, does_not_fit, fingerprint, heads_of
from penjing.text.units import TEMPLATES, Surroundings, places_of

# So that the rows of the matrix have a norm near 1, for which the values of C are meant.
WEIGHT = TEMPLATES**-0.5


def parts_of(heads: Mapping[str, Head]) -> dict[str, slice]:
    """The columns of each head in a table of them all."""
    found, start = {}, 0
    for name, head in heads.items():
        found[name] = slice(start, start + head.size)
        start += head.size
    return found


class TokenLinearEngine:
    """Token heads over the units of a text, side by side in one matrix. `places` tells where the units are."""

    def __init__(
        self,
        features: Surroundings,
        coef: npt.NDArray[np.float16],
        bias: npt.NDArray[np.float32],
        heads: Mapping[str, Head],
    ) -> None:
        """coef (features, sum of sizes) float16, bias (sum of sizes,), in the order of the heads."""
        self.features, self.heads = features, heads
        self._stored, self._bias = coef, bias
        # The last row stands for a feature that is not known.
        self._coef = np.concatenate((coef.astype(np.float32), np.zeros((1, coef.shape[1]), dtype=np.float32)))

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""
        return int(self._stored.size + self._bias.size)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """(units, TEMPLATES) of each masked text."""
        return [self.features.encode(text) for text in texts]

    def places(self, texts: Sequence[str]) -> list[Array]:
        """[start, end) of each unit of each text, (units, 2) in characters."""
        return [places_of(text) for text in texts]

    def run(self, batch: Sequence[Array]) -> Outputs:
        """(batch, units, size) float32 of each head, filled with zeros behind the units of a row."""
        longest = max((len(row) for row in batch), default=0)
        table = np.zeros((len(batch), longest, self._stored.shape[1]), dtype=np.float32)
        for place, row in enumerate(batch):
            table[place, : len(row)] = self._coef[row].sum(axis=1, dtype=np.float64) * WEIGHT + self._bias
        return {name: table[:, :, part] for name, part in parts_of(self.heads).items()}

    def only(self, name: str) -> TokenLinearEngine:
        """The engine of one of the heads."""
        part = parts_of(self.heads)[name]
        stored = np.ascontiguousarray(self._stored[:, part])
        return TokenLinearEngine(self.features, stored, self._bias[part].copy(), {name: self.heads[name]})

    def fingerprint(self) -> dict[str, str]:
        """Engine, version of numpy, instruction set; it always runs in one thread."""
        return fingerprint("linear", f"numpy {np.__version__}", 1)

    def write(self, folder: Path) -> None:
        """Put weights and vocabulary into an artifact's folder; the same engine gives the same bytes."""
        from safetensors.numpy import save_file

        self.features.write(folder)
        save_file({"bias": self._bias, "coef": self._stored}, folder / WEIGHTS)

    @classmethod
    def load(cls, artifact: Artifact) -> TokenLinearEngine:
        """The engine of an artifact of form "linear" whose task has token heads. Raises DamageError, UsageError."""
        return cls.load_from(artifact.folder, heads_of(artifact))

    @classmethod
    def load_from(cls, folder: Path, heads: Mapping[str, Head]) -> TokenLinearEngine:
        """As `load`, of the folder of these token heads."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        features = Surroundings.read(folder)
        try:
            tensors = load_file(folder / WEIGHTS)
            coef, bias = tensors["coef"], tensors["bias"]
            size = sum(head.size for head in heads.values())
            if coef.shape != (len(features), size) or bias.shape != (size,):
                raise ValueError(f"coefficients {coef.shape}, {len(features)} features, {size} outputs")
        except (FileNotFoundError, KeyError, ValueError, SafetensorError) as error:
            raise does_not_fit(WEIGHTS, folder, error) from None
        return cls(features, coef, bias, heads)
