"""An encoder with an n-gram branch beside it: one session whose logits are a weighted sum of those of both.

    outputs(x) = v encoder(x) + w ngrams(x)

The weights v and w are in `ngrams.json`. Both stages read every text: no threshold decides which of them answers. The
n-gram branch reads a long text whole, where the encoder reads windows. Only the encoder reads declared fields.
Source: Hinton, Products of Experts, 1999 (the probabilities of two models multiplied, each raised to a power); Cheng et
al., Wide & Deep Learning for Recommender Systems, 2016 (a linear model of sparse features beside a network).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from penjing.core.errors import DamageError
from penjing.core.formats import refuse_newer
from penjing.core.nouns import Artifact
from penjing.core.options import explain
from penjing.core.task import Outputs
from penjing.engines.protocol import Array, Engine, Logits
from penjing.runtime.session import Session
from penjing.tasks import task_of

ENCODER, NGRAMS, WEIGHTS = "encoder", "ngrams", "ngrams.json"


class BranchWeights(BaseModel):
    """`ngrams.json`: the weight of the outputs of each stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    encoder: float = Field(ge=0, allow_inf_nan=False)
    ngrams: float = Field(ge=0, allow_inf_nan=False)


class BranchedSession(Session):
    """A session whose outputs are the weighted sum of those of an encoder and of a model of n-grams."""

    def __init__(
        self,
        artifact: Artifact,
        ngrams: Session,
        encoder: Session,
        weights: BranchWeights,
        long_texts: Literal["chunk", "review"],
    ) -> None:
        super().__init__(artifact, encoder.engine, long_texts)
        self.ngrams, self.encoder, self.weights = ngrams, encoder, weights

    @property
    def stages(self) -> Mapping[str, Session]:
        """Both stages; the encoder is the last."""
        return {NGRAMS: self.ngrams, ENCODER: self.encoder}

    def over(self, change: Callable[[Engine], Engine]) -> BranchedSession:
        """Both stages over changed engines."""
        made = copy(self)
        made.ngrams, made.encoder = self.ngrams.over(change), self.encoder.over(change)
        made.engine = made.encoder.engine
        return made

    def _score(self, masked: Sequence[str], features: Array | None = None) -> tuple[Outputs, list[bool]]:
        outputs, too_long = self.encoder._score(masked, features)
        added, _ = self.ngrams._score(masked)
        return {name: weighted_sum(self.weights, found, added[name]) for name, found in outputs.items()}, too_long


def weighted_sum(weights: BranchWeights, encoder: Array, ngrams: Array) -> Logits:
    """The outputs (n, size) float32 of a pooled head, summed in double precision and each row by itself."""
    both: Logits = (weights.encoder * encoder.astype(np.float64) + weights.ngrams * ngrams).astype(np.float32)
    return both


def open_branched(
    artifact: Artifact, ngrams: Session, encoder: Session, long_texts: Literal["chunk", "review"]
) -> BranchedSession:
    """The session of an artifact of form "ngrams" over its opened stages.

    Raises DamageError if a file of it cannot be used or does not fit the stages.
    """
    if not ngrams.task.state == encoder.task.state == task_of(artifact.card).state:
        what = "the encoder and its n-gram branch have different tasks"
        raise DamageError(what, where=str(artifact.folder), fix=_FIX)
    return BranchedSession(artifact, ngrams, encoder, read_weights(artifact.folder), long_texts)


def read_weights(folder: Path) -> BranchWeights:
    """The weights of both stages. Raises DamageError, or UsageError for a file of a newer Penjing."""
    try:
        return BranchWeights.model_validate_json((folder / WEIGHTS).read_bytes())
    except FileNotFoundError as error:
        what = str(error)
    except ValidationError as error:
        refuse_newer((folder / WEIGHTS).read_bytes(), 1, WEIGHTS, str(folder))
        what = explain(error, BranchWeights)[0][1]
    raise DamageError(f"{WEIGHTS} cannot be used: {what}", where=str(folder), fix=_FIX)


_FIX = "copy the folder again from where it was made, or make it again"
