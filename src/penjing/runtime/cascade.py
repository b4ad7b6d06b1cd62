"""Two stages in one session: a small model answers where it is sure, the next one answers what is left.

A text leaves at the first stage where its highest probability there reaches the threshold; nothing but the text decides
that, so its answer never depends on its neighbours. A share of those that leave, chosen by a hash of the text, is
answered by the second stage too: what was said stands, and how often the two disagree is counted.
Source: Viola and Jones, Rapid Object Detection using a Boosted Cascade of Simple Features, 2001; Varshney and Baylor,
Model Cascading: Towards Jointly Improving Efficiency and Accuracy of NLP Systems, 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from penjing.core.artifact import open_artifact
from penjing.core.canon import unit_hash
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact
from penjing.runtime.engine import Logits
from penjing.runtime.session import DIGITS, Session, open_session
from penjing.tasks.classify import log_softmax

FIRST, SECOND, EXITS = "first", "second", "cascade.json"


class Exits(BaseModel):
    """`cascade.json`: from which probability on the first stage's answer stands, and the share that is audited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    threshold: float = Field(ge=0)
    audit: float = Field(ge=0, le=1)


@dataclass
class Tally:
    """What a cascade did since it was opened: texts, those that left at the first stage, audits, disagreements."""

    texts: int = 0
    exits: int = 0
    audited: int = 0
    differed: int = 0


class CascadeSession(Session):
    """A session whose logits are those of the stage that answered, as calibrated log probabilities of that stage."""

    def __init__(
        self, artifact: Artifact, first: Session, second: Session, exits: Exits, long_texts: Literal["chunk", "review"]
    ) -> None:
        # What asks for an engine (self-check, shapes, mask token) asks for the second stage's: the first has no tokens.
        super().__init__(artifact, second.engine, long_texts)
        self.first, self.second, self.exits = first, second, exits
        self.tally = Tally()
        self._lock = Lock()

    def warm(self) -> None:
        """Both stages meet every shape once."""
        self.first.warm()
        self.second.warm()

    def stage(self, masked: Sequence[str]) -> list[bool]:
        """Whether each text leaves at the first stage."""
        return [bool(leaves) for leaves in self._leaves(self._stage_logits(self.first, masked)[0])]

    def _score(self, masked: Sequence[str]) -> tuple[Logits, list[bool]]:
        logits, too_long = self._stage_logits(self.first, masked)
        leaves = self._leaves(logits)
        audited = [bool(left) and unit_hash(text) < self.exits.audit for left, text in zip(leaves, masked, strict=True)]
        places = np.flatnonzero(~leaves | np.array(audited))
        differed = 0
        if len(places):
            later, long = self._stage_logits(self.second, [masked[int(place)] for place in places])
            for row, place in enumerate(places):
                if leaves[place]:
                    differed += int(later[row].argmax() != logits[place].argmax())
                else:
                    logits[place], too_long[place] = later[row], long[row]
        with self._lock:
            self.tally.texts += len(masked)
            self.tally.exits += int(leaves.sum())
            self.tally.audited += sum(audited)
            self.tally.differed += differed
        return logits, too_long

    def _leaves(self, logits: Logits) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        # Rounded as probabilities are, so that the last bits of a sum decide nothing.
        leaves: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
            np.round(np.exp(logits.max(axis=1)), DIGITS) >= self.exits.threshold
        )
        return leaves

    @staticmethod
    def _stage_logits(session: Session, masked: Sequence[str]) -> tuple[Logits, list[bool]]:
        logits, too_long = session._score(masked)
        return log_softmax(logits, session.artifact.card.temperature).astype(np.float32), too_long


def open_cascade(artifact: Artifact, threads: int, long_texts: Literal["chunk", "review"]) -> CascadeSession:
    """Open both stages of an artifact of form "cascade". Raises DamageError where a file of it cannot be used."""
    exits = read_exits(artifact.folder)
    first, second = (
        open_session(open_artifact(artifact.folder / name), threads=threads, long_texts=long_texts)
        for name in (FIRST, SECOND)
    )
    if not first.labels == second.labels == artifact.card.labels:
        raise DamageError("the stages of the cascade have different labels", where=str(artifact.folder), fix=_FIX)
    return CascadeSession(artifact, first, second, exits, long_texts)


def read_exits(folder: Path) -> Exits:
    """The threshold of a cascade. Raises DamageError."""
    try:
        return Exits.model_validate_json((folder / EXITS).read_bytes())
    except (OSError, ValidationError) as error:
        raise DamageError(f"{EXITS} cannot be used: {error}", where=str(folder), fix=_FIX) from None


_FIX = "copy the folder again from where it was made, or make it again"
