"""Results that a run gives to its report: the measured forms, the chosen one, and the results of its test."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from penjing.core.certificate import Certificate, Gate
from penjing.core.nouns import Artifact, Release
from penjing.measure.evaluate import Interval
from penjing.measure.latency import Latency
from penjing.prove.forecast import Forecast
from penjing.prove.harm import Harm
from penjing.prove.retained import Retained
from penjing.prove.scope import ScopeTest
from penjing.prove.score import Scored
from penjing.report.chosen_part import ChosenByFolds
from penjing.report.contract import Note
from penjing.report.robust_part import RobustPart
from penjing.runtime.session import Session


@dataclass(frozen=True, eq=False)
class Variant:
    """One sealable artifact, its score and cost on validation, and whether it may be sealed.

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
class ChosenVariant:
    """The variant to seal, and the reason if it is not the encoder.

    fell_back: the linear model was chosen because the encoder is not proven better. `keep` then refers to the linear
    model's own score. folds: the comparison out of fold that chose; the note then tells it for an encoder too. more:
    how more rows could choose, where the encoder is ahead and the rows are too few to prove it.
    """

    variant: Variant
    fell_back: bool
    note: Note | None = None
    folds: ChosenByFolds | None = None
    more: Note | None = None

    @property
    def why(self) -> str:
        """The reason in English; empty if the last form of the encoder passed on validation rows."""
        return self.note.text if self.note else ""


@dataclass(frozen=True, eq=False)
class ReleaseTest:
    """Results of the chosen, sealed variant on test rows, end to end, with those of the teacher and linear model."""

    release: Release
    certificate: Certificate
    scored: Scored
    teacher: Scored
    linear: Scored
    uncalibrated: Scored | None  # the same without the temperature; None if the task has no temperature
    outcomes: tuple[str, ...]
    automated: npt.NDArray[np.bool_]  # (n,) decided by the model, without a person
    forced: npt.NDArray[np.bool_]  # (n,) outcome set by a rule
    speed: Latency
    speed_evidence: Latency
    size_mb: float
    gates: tuple[Gate, ...]
    faithful: dict[str, dict[str, float]]
    rivals: dict[str, Latency]  # the sealed release as `penjing`, and the other systems timed in turn with it
    level: float = 0.05  # of the bounds on what the thresholds decide
    harm: tuple[Harm, ...] = ()  # of each true label, the most frequent one first
    scope: ScopeTest | None = None
    forecast: Forecast = field(default_factory=Forecast)
    retained: Retained | None = None
    robust: RobustPart | None = None
    fired: tuple[tuple[str, ...], ...] = ()  # in each period of the rules, the rule that decides each row
