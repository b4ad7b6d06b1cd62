"""Two stages in one session: a small model answers the texts that it is sure of, a second one the others.

Which texts the first stage answers is decided by a small model of its errors (`runtime/deferral.py`). In `cascade.json`
of format 1, which earlier versions wrote, it is one threshold t:

    p(l | x) = softmax(first(x) / T1)[l];   s = the label with the highest p
    the first stage answers x with s if   w[s] p(s | x) / sum_l w[l] p(l | x) >= t

The weight w[l] is how many times rarer l is than the most frequent label. So the threshold is compared with the
probability that s would have if all labels were equally frequent.
Only the text decides which stage answers, so its answer never depends on other texts. A share of the texts that the
first stage answers, chosen by a hash of the text, also runs through the second stage. The answer does not change; it is
counted how often the two disagree. A machine that sums n-grams in another order may choose the other stage for a text
whose value is exactly at the threshold. Its probability may then change by more than the tolerance.
Source: Viola and Jones, Rapid Object Detection using a Boosted Cascade of Simple Features, 2001; Varshney and Baylor,
Model Cascading: Towards Jointly Improving Efficiency and Accuracy of NLP Systems, 2022; Saerens, Latinne and
Decaestecker, Adjusting the Outputs of a Classifier to New a Priori Probabilities, 2002 (the weights).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, model_validator

from penjing.core.canon import unit_hash
from penjing.core.errors import DamageError
from penjing.core.formats import refuse_newer
from penjing.core.nouns import Artifact, Prediction
from penjing.core.options import explain
from penjing.core.task import Outputs
from penjing.engines.protocol import Array, Engine, Logits, label_head
from penjing.runtime.deferral import Bools, Deferral, DeferralRule
from penjing.runtime.session import DIGITS, Fields, Session
from penjing.tasks.metrics import Floats

FIRST, SECOND, EXITS = "first", "second", "cascade.json"


class CascadeExit(BaseModel):
    """`cascade.json`: when the first stage answers, the weight of each label in that (none: all are equal), and the
    share that is audited. Format 1 has a threshold, format 2 a model of the first stage's errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1, 2] = 1
    threshold: float | None = Field(None, ge=0)
    deferral: Deferral | None = None
    weights: tuple[PositiveFloat, ...] = ()
    audit: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _one_rule(self) -> CascadeExit:
        rules = self.threshold is not None, self.deferral is not None
        if rules != (self.format == 1, self.format == 2):
            raise ValueError("format 1 has a threshold, format 2 has a deferral model")
        return self


@dataclass
class Tally:
    """Counts since a cascade was opened: texts, those answered by the first stage, audits, disagreements."""

    texts: int = 0
    exits: int = 0
    audited: int = 0
    differed: int = 0


@dataclass(frozen=True)
class _Answered:
    """Logits of the stage that answers, shifted and scaled; whether a text is cut; whether the first stage answers it;
    its energy, which the shift takes out of the logits (zeros where it is not measured)."""

    logits: Logits
    too_long: list[bool]
    early: Bools
    energies: Floats


class CascadeSession(Session):
    """A session whose logits are those of the stage that answers, divided by that stage's temperature."""

    answering_stages = 2

    def __init__(
        self,
        artifact: Artifact,
        first: Session,
        second: Session,
        exits: CascadeExit,
        long_texts: Literal["chunk", "review"],
    ) -> None:
        super().__init__(artifact, second.engine, long_texts)
        self._tokens = None
        self._head = label_head(artifact, "a cascade")
        self.first, self.second, self.exits = first, second, exits
        self.tally = Tally()
        self._rule = _rule_of(exits, len(artifact.card.labels), first)
        self._lock = Lock()

    def predict(self, masked: Sequence[str], fields: Fields | None = None) -> list[Prediction]:  # noqa: ARG002
        """As in any session, but no fields are read. Answers of the first stage are counted, a share is audited."""
        if not masked:
            return []
        found = self._answer(masked, measured=self.scope is not None)
        self._count(masked, found.logits, found.early)
        energies = found.energies, _stages(found.early)
        return self._predictions(masked, {self._head: found.logits}, found.too_long, energies)

    def energies(self, masked: Sequence[str], fields: Fields | None = None) -> tuple[Floats, list[int]]:  # noqa: ARG002
        """As in any session; of each text by the stage that answers it."""
        found = self._answer(masked, measured=True)
        return found.energies, _stages(found.early)

    @property
    def stages(self) -> Mapping[str, Session]:
        """Both stages."""
        return {FIRST: self.first, SECOND: self.second}

    def over(self, change: Callable[[Engine], Engine]) -> CascadeSession:
        """Both stages over changed engines; what it counts is counted together with this session."""
        made = copy(self)
        made.first, made.second = self.first.over(change), self.second.over(change)
        made.engine = made.second.engine
        return made

    def exits_early(self, masked: Sequence[str]) -> list[bool]:
        """Whether each text is answered by the first stage."""
        if not masked:
            return []
        return [bool(each) for each in self._first_stage(masked)[2]]

    def answering(self, masked: str) -> Session:
        """The stage that answers this text, with the cascade's own calibration added."""
        return _Stage(self, self.first if self.exits_early([masked])[0] else self.second)

    def _score(self, masked: Sequence[str], features: Array | None = None) -> tuple[Outputs, list[bool]]:  # noqa: ARG002
        found = self._answer(masked)
        return {self._head: found.logits}, found.too_long

    def _answer(self, masked: Sequence[str], *, measured: bool = False) -> _Answered:
        """What both stages say of these texts. measured: with energies."""
        scaled, too_long, early, outputs = self._first_stage(masked)
        logits = scaled.astype(np.float32)
        energies = self.first._energy(outputs) if measured else np.zeros(len(masked))
        if not early.all():
            places = [int(place) for place in np.flatnonzero(~early)]
            later, long = self.second._score([masked[place] for place in places])
            logits[places] = _scaled(self.second, later[self._head])
            if measured:
                energies[places] = self.second._energy(later)
            for place, unfinished in zip(places, long, strict=True):
                too_long[place] = unfinished
        return _Answered(logits, too_long, early, energies)

    def _first_stage(self, masked: Sequence[str]) -> tuple[Floats, list[bool], Bools, Outputs]:
        rows = self.first.engine.encode(masked)
        outputs, too_long = self.first._score_rows(rows)
        scaled = _scaled(self.first, outputs[self._head])
        return scaled, too_long, self._rule(scaled, rows), outputs

    def _count(self, masked: Sequence[str], logits: Logits, early: Bools) -> None:
        audited = [
            place
            for place, text in enumerate(masked)
            if early[place] and self.exits.audit and unit_hash(text) < self.exits.audit
        ]
        differed = 0
        if audited:
            second = self.second.logits([masked[place] for place in audited])
            differed = int((second.argmax(axis=1) != logits[audited].argmax(axis=1)).sum())
        with self._lock:
            self.tally.texts += len(masked)
            self.tally.exits += int(np.count_nonzero(early))
            self.tally.audited += len(audited)
            self.tally.differed += differed


class _Stage(Session):
    """One stage as a session of the whole cascade: its logits at its own temperature, and the cascade's card."""

    def __init__(self, whole: CascadeSession, stage: Session) -> None:
        super().__init__(whole.artifact, stage.engine, whole.long_texts)
        self._stage, self._head = stage, whole._head

    def _score(self, masked: Sequence[str], features: Array | None = None) -> tuple[Outputs, list[bool]]:  # noqa: ARG002
        outputs, too_long = self._stage._score(masked)
        return {self._head: _scaled(self._stage, outputs[self._head]).astype(np.float32)}, too_long


def _stages(early: Bools) -> list[int]:
    """The place among the stages of the one that answers each text."""
    return [0 if each else 1 for each in early.tolist()]


def _rule_of(exits: CascadeExit, labels: int, first: Session) -> Callable[[Floats, Sequence[Array]], Bools]:
    """Which texts the first stage answers, from their scaled logits and their encoded rows."""
    weights = np.array(exits.weights or (1.0,) * labels)
    if exits.deferral is None:
        threshold = exits.threshold
        assert threshold is not None  # CascadeExit has checked it
        return lambda scaled, _: sureness(scaled, weights) >= threshold
    seen: Bools = first.engine.seen()  # type: ignore[attr-defined]  # `open_cascade` has checked it
    rule = DeferralRule(exits.deferral, weights, seen)
    return lambda scaled, rows: np.array(
        [rule.exits_early(*pair) for pair in zip(scaled, rows, strict=True)], dtype=bool
    )


def sureness(scaled: Floats, weights: Floats) -> Floats:
    """What the threshold is compared with: the probability (n,) of the label if all labels were equally frequent.

    scaled: (n, labels) as of `divided`; weights: (labels,). Rounded as the probabilities of a prediction are, from
    double precision.
    """
    found: Floats = weights[scaled.argmax(axis=1)] / np.add.reduce(np.exp(scaled) * weights, axis=1)
    return found.round(DIGITS)


def _scaled(stage: Session, raw: Logits) -> Floats:
    return divided(raw, stage.artifact.card.temperature)


def divided(raw: Logits, temperature: float) -> Floats:
    """Logits in double precision divided by the temperature, shifted so that the largest of a text is 0."""
    scaled: Floats = np.asarray(raw, dtype=np.float64) / temperature
    scaled -= np.maximum.reduce(scaled, axis=1, keepdims=True)
    return scaled


def open_cascade(
    artifact: Artifact, first: Session, second: Session, long_texts: Literal["chunk", "review"]
) -> CascadeSession:
    """The session of an artifact of form "cascade" over its opened stages.

    Raises DamageError if a file of it cannot be used or does not fit the stages, UsageError for a task that does not
    give one label a text.
    """
    label_head(artifact, "a cascade")
    exits = read_exits(artifact.folder)
    if not first.labels == second.labels == artifact.card.labels:
        raise DamageError("the stages of the cascade have different labels", where=str(artifact.folder), fix=_FIX)
    if {len(each) for each in (exits.weights, exits.deferral and exits.deferral.cutoffs) if each} - {len(first.labels)}:
        raise DamageError(f"{EXITS} has weights for other labels", where=str(artifact.folder), fix=_FIX)
    if exits.deferral and not hasattr(first.engine, "seen"):
        raise DamageError(f"{EXITS} does not fit the first stage", where=str(artifact.folder), fix=_FIX)
    return CascadeSession(artifact, first, second, exits, long_texts)


def read_exits(folder: Path) -> CascadeExit:
    """When the first stage of a cascade answers. Raises DamageError, or UsageError for one of a newer Penjing."""
    try:
        return CascadeExit.model_validate_json((folder / EXITS).read_bytes())
    except FileNotFoundError as error:
        what = str(error)
    except ValidationError as error:
        refuse_newer((folder / EXITS).read_bytes(), 2, EXITS, str(folder))
        what = explain(error, CascadeExit)[0][1]
    raise DamageError(f"{EXITS} cannot be used: {what}", where=str(folder), fix=_FIX)


_FIX = "copy the folder again from where it was made, or make it again"
