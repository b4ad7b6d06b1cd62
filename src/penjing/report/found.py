"""What a run hands to its report: the forms that were measured, the one chosen, and what its test found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penjing.core.certificate import Certificate, Gate
from penjing.core.nouns import Artifact, Release
from penjing.measure.evaluate import Interval
from penjing.measure.latency import Latency
from penjing.prove.score import Scored
from penjing.report.contract import Note
from penjing.runtime.session import Session


@dataclass(frozen=True, eq=False)
class Variant:
    """One sealable artifact, what it scored and cost on validation, and whether it may be sealed.

    score: the first metric of its task.
    """

    name: str
    artifact: Artifact
    session: Session
    scored: Scored
    score: Interval
    latency: Latency
    size_mb: float
    gates: tuple[Gate, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class Choice:
    """The variant to seal, and why it is not the encoder where it is not.

    fell_back: it is the linear model, and the encoder is not proven better: its own score is then what must be kept.
    """

    variant: Variant
    fell_back: bool
    note: Note | None = None

    @property
    def why(self) -> str:
        """The reason in English; nothing where the last form of the encoder passed."""
        return self.note.text if self.note else ""


@dataclass(frozen=True, eq=False)
class ReleaseTest:
    """What the sealed pick did on test rows, end to end, beside the teacher and the linear model."""

    release: Release
    certificate: Certificate
    scored: Scored
    teacher: Scored
    linear: Scored
    uncalibrated: Scored | None  # the same without the temperature, of a task that has one
    outcomes: tuple[str, ...]
    automated: npt.NDArray[np.bool_]  # (n,) decided by the model, without a person
    forced: npt.NDArray[np.bool_]  # (n,) outcome set by a rule
    speed: Latency
    speed_evidence: Latency
    size_mb: float
    gates: tuple[Gate, ...]
    faithful: dict[str, dict[str, float]]
    rivals: dict[str, Latency]  # the sealed release as `penjing`, and what it was timed in turn with
