"""Two stages in one session: a small model answers where it is sure, the next one answers what is left.

A text leaves at the first stage where its highest probability there reaches the threshold; nothing but the text decides
that, so its answer never depends on its neighbours. A share of those that leave, chosen by a hash of the text, is
answered by the second stage too: what was said stands, and how often the two disagree is counted. A text that stands
at the threshold itself may change the stage, and so its probability by more than a tolerance, on a machine that sums
n-grams in another order.
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
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from penjing.core.artifact import open_artifact
from penjing.core.canon import unit_hash
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Prediction
from penjing.runtime.engine import Device, Logits
from penjing.runtime.session import DIGITS, Session, open_session
from penjing.tasks.classify import Floats

Bools = npt.NDArray[np.bool_]
FIRST, SECOND, EXITS = "first", "second", "cascade.json"


class Exits(BaseModel):
    """`cascade.json`: from which probability on the first stage's answer stands, and the share that is audited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    threshold: float = Field(ge=0)
    audit: float = Field(ge=0, le=1)


@dataclass
class Tally:
    """What a cascade predicted since it was opened: texts, those answered by the first stage, audits, disagreements."""

    texts: int = 0
    exits: int = 0
    audited: int = 0
    differed: int = 0


class CascadeSession(Session):
    """A session whose logits are those of the stage that answers, divided by that stage's temperature."""

    def __init__(
        self, artifact: Artifact, first: Session, second: Session, exits: Exits, long_texts: Literal["chunk", "review"]
    ) -> None:
        super().__init__(artifact, second.engine, long_texts)
        self._tokens = None
        self.first, self.second, self.exits = first, second, exits
        self.tally = Tally()
        self._lock = Lock()

    def predict(self, masked: Sequence[str]) -> list[Prediction]:
        """As of any session; what leaves at the first stage is counted, and a share of it audited."""
        if not masked:
            return []
        logits, too_long, leaves = self._answer(masked)
        self._count(masked, logits, leaves)
        return self._predictions(logits, too_long)

    def fingerprint(self) -> dict[str, str]:
        """That of both stages, in the four facts of one."""
        first, second = self.first.fingerprint(), self.second.fingerprint()
        return second | {name: f"{first[name]} + {second[name]}" for name in ("engine", "version")}

    def warm(self) -> None:
        """Both stages meet every shape once."""
        self.first.warm()
        self.second.warm()

    def leaves(self, masked: Sequence[str]) -> list[bool]:
        """Whether each text is answered by the first stage."""
        if not masked:
            return []
        sure = _scaled(self.first, self.first.logits(masked))[1]
        return [bool(leaves) for leaves in sure >= self.exits.threshold]

    def answering(self, masked: str) -> Session:
        """The stage that answers this text, with the cascade's own calibration on top."""
        return _Stage(self, self.first if self.leaves([masked])[0] else self.second)

    def _score(self, masked: Sequence[str]) -> tuple[Logits, list[bool]]:
        return self._answer(masked)[:2]

    def _answer(self, masked: Sequence[str]) -> tuple[Logits, list[bool], Bools]:
        raw, too_long = self.first._score(masked)
        logits, sure = _scaled(self.first, raw)
        leaves = sure >= self.exits.threshold
        if not leaves.all():
            places = [int(place) for place in np.flatnonzero(~leaves)]
            later, long = self.second._score([masked[place] for place in places])
            logits[places] = _scaled(self.second, later)[0]
            for place, unfinished in zip(places, long, strict=True):
                too_long[place] = unfinished
        return logits, too_long, leaves

    def _count(self, masked: Sequence[str], logits: Logits, leaves: Bools) -> None:
        audited = [
            place
            for place, text in enumerate(masked)
            if leaves[place] and self.exits.audit and unit_hash(text) < self.exits.audit
        ]
        differed = 0
        if audited:
            again = self.second.logits([masked[place] for place in audited])
            differed = int((again.argmax(axis=1) != logits[audited].argmax(axis=1)).sum())
        with self._lock:
            self.tally.texts += len(masked)
            self.tally.exits += int(np.count_nonzero(leaves))
            self.tally.audited += len(audited)
            self.tally.differed += differed


class _Stage(Session):
    """One stage of a cascade, answering for the whole: its logits at its own temperature, and the cascade's card."""

    def __init__(self, whole: CascadeSession, stage: Session) -> None:
        super().__init__(whole.artifact, stage.engine, whole.long_texts)
        self._stage = stage

    def _score(self, masked: Sequence[str]) -> tuple[Logits, list[bool]]:
        raw, too_long = self._stage._score(masked)
        return _scaled(self._stage, raw)[0], too_long


def _scaled(stage: Session, raw: Logits) -> tuple[Logits, Floats]:
    """Logits at the stage's own temperature, the largest of a text 0, and the probability of that one.

    It is rounded as a prediction's are, from double precision: so the threshold was set too.
    """
    scaled = np.asarray(raw, dtype=np.float64) / stage.artifact.card.temperature
    scaled -= np.maximum.reduce(scaled, axis=1, keepdims=True)
    sure: Floats = (1 / np.add.reduce(np.exp(scaled), axis=1)).round(DIGITS)
    return scaled.astype(np.float32), sure


def open_cascade(
    artifact: Artifact, threads: int, long_texts: Literal["chunk", "review"], device: Device = "cpu"
) -> CascadeSession:
    """Open both stages of an artifact of form "cascade". Raises DamageError where a file of it cannot be used."""
    exits = read_exits(artifact.folder)
    first, second = (
        open_session(open_artifact(artifact.folder / name), threads=threads, long_texts=long_texts, device=device)
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
