"""How far a text is from those that a model learned from: by the energy of its outputs, and by n-grams never seen.

    e(x) = (E(x) - m) / (q - m)     E: the energy of the outputs (`ScopedTask.energy`); m, q: its median and an upper
                                    quantile over validation rows, of each stage of the model apart
    u(x) = share of the pairs and triples of characters of x that no train text has, divided by an upper quantile of it
           over validation rows
    s(x) = max(e, u, 0);   far(x) = s / (1 + s) in [0, 1), rounded to 1e-6;   out of scope:  far(x) > threshold

The energy finds texts that read like the others and ask for something else. A sum of words may be sure of nonsense;
n-grams that no train text has find it. An upper quantile is that of a small share of rows, so both are about 1 at the
threshold, and the n-grams have a fifth of the share.
Source: Liu, Wang, Owens and Li, Energy-based Out-of-distribution Detection, 2020. Measured on docs/scope.md beside the
largest probability, distances between outputs, and sums instead of the maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveFloat, ValidationError

from penjing.core.canon import canonical_json
from penjing.core.certificate import FORMATS, SCOPE, SEEN
from penjing.core.errors import DamageError
from penjing.core.formats import refuse_newer
from penjing.core.options import explain
from penjing.text.short_grams import short_grams

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
DIGITS = 6
_FIX = "copy the folder again from where it was made, or make it again"


class StageEnergies(BaseModel):
    """Energies of a stage over validation rows: their median, and by how much an upper quantile is above it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    middle: FiniteFloat
    width: PositiveFloat


class ScopeSpec(BaseModel):
    """`scope/scope.json`. threshold: what `far` is compared with; share: of rows like the validation rows, at most so
    many are out of scope; rows: number of validation rows.

    stages: one spread for each stage that answers. unseen: the share of unseen n-grams that counts as 1, None for a
    model that does not read the text; bits: 2^bits buckets of n-grams, those of train texts in `scope/seen.bin`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    threshold: float = Field(ge=0, le=1)
    share: float = Field(gt=0, le=1)
    rows: int = Field(ge=1)
    stages: tuple[StageEnergies, ...] = Field(min_length=1)
    unseen: PositiveFloat | None = None
    bits: int = Field(20, ge=8, le=24)


@dataclass(frozen=True, eq=False)
class SeenGrams:
    """Which buckets of pairs and triples of characters the train texts have; (2^bits,) bool."""

    seen: Bools
    bits: int

    def unseen(self, masked: str) -> float:
        """The share of a text's n-grams that no train text has; 1 for a text without any."""
        found = short_grams(masked, self.bits)
        return 1.0 - int(np.count_nonzero(self.seen.take(found))) / len(found) if len(found) else 1.0


@dataclass(frozen=True, eq=False)
class Scope:
    """Says of a text how far it is from the train texts. Safe to use from several threads."""

    spec: ScopeSpec
    grams: SeenGrams | None

    def far(self, masked: Sequence[str], energies: Floats, stages: Sequence[int]) -> list[float]:
        """The score of each text in [0, 1). energies: (n,); stages: which stage answered each."""
        found = []
        for text, energy, stage in zip(masked, energies.tolist(), stages, strict=True):
            spread = self.spec.stages[stage]
            score = max(0.0, (energy - spread.middle) / spread.width)
            if self.grams is not None and self.spec.unseen is not None:
                score = max(score, self.grams.unseen(text) / self.spec.unseen)
            found.append(squashed(score))
        return found

    def is_out(self, far: float) -> bool:
        """Whether a text with this score is out of scope."""
        return far > self.spec.threshold

    def write(self, folder: Path) -> None:
        """Put the scope into the folder of a release; the same scope gives the same bytes."""
        (folder / SCOPE).parent.mkdir(exist_ok=True)
        (folder / SCOPE).write_bytes(canonical_json(self.spec.model_dump(mode="json")))
        if self.grams is not None:
            (folder / SEEN).write_bytes(np.packbits(self.grams.seen).tobytes())


def squashed(score: float) -> float:
    """s / (1 + s), rounded."""
    return round(score / (1.0 + score), DIGITS)


def read_scope(folder: Path) -> Scope | None:
    """The scope of a release; None where it has none. Raises DamageError, or UsageError for one of a newer Penjing."""
    path = folder / SCOPE
    if not path.is_file():
        return None
    try:
        spec = ScopeSpec.model_validate_json(path.read_bytes())
    except ValidationError as error:
        refuse_newer(path.read_bytes(), FORMATS[SCOPE], path.name, str(path))
        what = f"scope/scope.json is not valid: {explain(error, ScopeSpec)[0][1]}"
        raise DamageError(what, where=str(path), fix=_FIX) from None
    if spec.unseen is None:
        return Scope(spec, None)
    raw = (folder / SEEN).read_bytes() if (folder / SEEN).is_file() else b""
    if len(raw) != (1 << spec.bits) // 8:
        what = f"scope/seen.bin has {len(raw):,} bytes; scope/scope.json needs {(1 << spec.bits) // 8:,}"
        raise DamageError(what, where=str(path), fix=_FIX)
    seen = np.unpackbits(np.frombuffer(raw, dtype=np.uint8)).astype(bool)
    return Scope(spec, SeenGrams(seen, spec.bits))
