"""What the numbers of declared fields add to the outputs of a model that reads the text: one map, in every engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.nouns import Artifact
from penjing.data.features import FieldFeatures
from penjing.engines.protocol import Array, Engine, Outputs, does_not_fit, fingerprint, heads_of
from penjing.text.tokens import Tokens

FIELDS = "fields.safetensors"
Matrix = npt.NDArray[np.float32]


class FieldsEngine:
    """outputs = those of another engine + f V, of numbers f of declared fields; all heads are pooled.

    The sum is made in numpy, row by row in float64, so that neither neighbours nor threads change a bit of it.
    """

    def __init__(self, engine: Engine, fields: Matrix, sizes: dict[str, int]) -> None:
        """fields: V, (numbers, columns of all heads side by side); sizes: of the heads, in their order."""
        self.tokens: Tokens | None = getattr(engine, "tokens", None)
        self._engine, self._fields, self._sizes = engine, fields, sizes

    @classmethod
    def load(cls, artifact: Artifact, engine: Engine) -> FieldsEngine:
        """The engine of an artifact's text, with the map that is kept beside it. Raises DamageError."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        sizes = {name: head.size for name, head in heads_of(artifact).items()}
        wanted = (FieldFeatures.from_json(artifact.card.features).size, sum(sizes.values()))
        try:
            fields = load_file(artifact.folder / FIELDS)["fields"]
            if fields.shape != wanted:
                raise ValueError(f"{fields.shape}, the card says {wanted}")
        except (FileNotFoundError, KeyError, ValueError, SafetensorError) as error:
            raise does_not_fit(FIELDS, artifact.folder, error) from None
        return cls(engine, fields, sizes)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """What the engine of the text gives."""
        return self._engine.encode(texts)

    def run(self, batch: Sequence[Array], features: Array | None = None) -> Outputs:
        """Outputs of each head, float32; features: (batch, numbers) float32 (None: zeros)."""
        found = self._engine.run(batch)
        if features is None:
            return found
        added = added_by(self._fields, features)
        ends = np.cumsum(list(self._sizes.values()))[:-1]
        parts = np.split(added, ends, axis=1)
        return {name: (found[name] + part).astype(np.float32) for name, part in zip(self._sizes, parts, strict=True)}

    def fingerprint(self) -> dict[str, str]:
        """That of the engine of the text, with the version of numpy."""
        facts = self._engine.fingerprint()
        own = fingerprint("fields", f"numpy {np.__version__}", 1)
        return facts | {"version": f"{facts['version']} + {own['version']}"}


def added_by(fields: Matrix, features: Array) -> npt.NDArray[np.float64]:
    """f V of each row, (batch, columns): products in float32, added in float64 in the order of the numbers."""
    added = np.empty((len(features), fields.shape[1]), dtype=np.float64)
    for place, given in enumerate(features):
        added[place] = (fields * given[:, None]).sum(axis=0, dtype=np.float64)
    return added


def write_fields(folder: Path, fields: Matrix) -> None:
    """Put the map into an artifact's folder that is being made."""
    from safetensors.numpy import save_file

    save_file({"fields": fields}, folder / FIELDS)
