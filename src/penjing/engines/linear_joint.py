"""The linear engine of several answers, of whole texts and of their pieces: a linear model of each kind, in numpy only.

The heads about whole texts share one matrix (`engines/linear.py`). Each head about pieces of the text has a vocabulary
and a matrix of its own (`engines/linear_tokens.py`), in a folder named after it. All of them cut a text into the same
units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.engines.linear import LinearEngine
from penjing.engines.linear_tokens import TokenLinearEngine
from penjing.engines.protocol import Array, Outputs, fingerprint, heads_of
from penjing.text.units import places_of

FOLDER = "tokens-"


class JointLinearEngine:
    """A linear model of the pooled heads (None: there are none), and one of each token head by its name."""

    def __init__(
        self, heads: Mapping[str, Head], pooled: LinearEngine | None, tokens: Mapping[str, TokenLinearEngine]
    ) -> None:
        self.heads, self.pooled, self.by_token = heads, pooled, tokens

    @property
    def _engines(self) -> list[LinearEngine | TokenLinearEngine]:
        return [*([self.pooled] if self.pooled is not None else []), *self.by_token.values()]

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""
        return sum(engine.parameters for engine in self._engines)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """What each model reads of each masked text: an array of arrays, that of the pooled heads first."""
        rows = []
        for parts in zip(*(engine.encode(texts) for engine in self._engines), strict=True):
            row = np.empty(len(parts), dtype=object)
            row[:] = list(parts)
            rows.append(row)
        return rows

    def places(self, texts: Sequence[str]) -> list[Array]:
        """[start, end) of each unit of each text, (units, 2) in characters."""
        return [places_of(text) for text in texts]

    def run(self, batch: Sequence[Array]) -> Outputs:
        """pooled: (batch, size) float32; token: (batch, units, size) float32, zeros behind the units of a row."""
        found: dict[str, Array] = {}
        first = 0
        if self.pooled is not None:
            found |= self.pooled.run([row[0] for row in batch])
            first = 1
        for place, engine in enumerate(self.by_token.values(), start=first):
            found |= engine.run([row[place] for row in batch])
        return {name: found[name] for name in self.heads}

    def alone(self, texts: Sequence[str]) -> dict[str, Any]:
        """Outputs of n texts, each by itself: pooled (n, size), token a list of n arrays (units, size)."""
        runs = [self.run([row]) for row in self.encode(texts)]
        found: dict[str, Any] = {}
        for name, head in self.heads.items():
            each = [run[name][0] for run in runs]
            found[name] = each if head.kind != "pooled" else np.stack(each) if each else np.zeros((0, head.size))
        return found

    def fingerprint(self) -> dict[str, str]:
        """Engine, versions of numpy and of the word segmenter, instruction set; it always runs in one thread."""
        if self.pooled is not None:
            return self.pooled.fingerprint()
        return fingerprint("linear", f"numpy {np.__version__}", 1)

    def write(self, folder: Path) -> None:
        """Put all models into an artifact's folder; the same engine gives the same bytes."""
        if self.pooled is not None:
            self.pooled.write(folder)
        for name, engine in self.by_token.items():
            own = folder / f"{FOLDER}{name}"
            own.mkdir()
            engine.write(own)

    @classmethod
    def load(cls, artifact: Artifact) -> JointLinearEngine:
        """The engine of an artifact of form "linear" with several heads. Raises DamageError, UsageError."""
        heads = heads_of(artifact)
        pooled = {name: head for name, head in heads.items() if head.kind == "pooled"}
        tokens = {}
        for name, head in heads.items():
            if head.kind == "pooled":
                continue
            folder = artifact.folder / f"{FOLDER}{name}"
            if not folder.is_dir():
                raise DamageError(
                    f"the folder {FOLDER}{name} of the model is missing",
                    where=str(artifact.folder),
                    fix="copy the folder again from where it was made, or make it again",
                )
            tokens[name] = TokenLinearEngine.load_from(folder, {name: head})
        return cls(heads, LinearEngine.load_from(artifact, pooled) if pooled else None, tokens)
