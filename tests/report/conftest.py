"""A whole report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from penjing.core.certificate import Gate
from penjing.data.doubts import Doubt, LabelDoubts
from penjing.report.contract import (
    Baseline,
    Block,
    Bounded,
    Calibration,
    CalibrationError,
    Curve,
    Decisions,
    Estimate,
    Mistake,
    Note,
    Point,
    Reference,
    ReliabilityBin,
    Report,
    Scores,
    Speed,
    StepRow,
    Timing,
    VariantRow,
    Versus,
)
from penjing.report.data_part import AuditFinding, DataPart
from penjing.report.faithful_part import Faithful, Faithfulness

HOSTILE = '<script>alert("x")</script> & <img src=x onerror=y>'


def _between(low: float, high: float) -> Estimate:
    return Estimate(value=(low + high) / 2, low=low, high=high)


def _sample(**changes: Any) -> Report:
    score = Estimate(value=0.93, low=0.91, high=0.95)
    measured: dict[str, Any] = {"metric": "macro_f1", "metrics": {"macro_f1": score, "accuracy": score}}
    labels = ("差评", HOSTILE)
    report = Report(
        name=HOSTILE,
        language="en",
        sealed=True,
        release="ab" * 32,
        model="tune.full + compress.int8",
        data=DataPart(
            rows=1000,
            labels={"差评": 500, HOSTILE: 450},
            duplicates_removed=50,
            splits={"train": 600, "validation": 100, "calibration": 100, "test": 150},
            small_labels=("差评",),
            masked={"mobile": 3, "ip": 0},
            audit=(
                AuditFinding(level="warning", what=HOSTILE, count=20, rows={HOSTILE: tuple(range(20)), "b.csv": (3,)}),
            ),
        ),
        test=Scores(**measured, rows=150, apart=score),
        baseline=Baseline(
            linear=Reference(
                metric="macro_f1", metrics={"macro_f1": _between(0.88, 0.92)}, difference=_between(0.01, 0.05)
            )
        ),
        teacher=Reference(**measured, kept=_between(0.98, 1.01), name=HOSTILE),
        calibration=Calibration(
            ece=CalibrationError(before=0.08, after=0.02),
            bins=(ReliabilityBin(confidence=0.9, accuracy=0.92, rows=100),),
        ),
        decisions=Decisions(
            automation_rate=0.7,
            error_among_automated=Bounded(value=0.03, high=0.049),
            max_error=0.05,
            certified=True,
            rows=100,
            thresholds={"差评": 0.7, HOSTILE: None},
            curve=tuple(Point(threshold=1 - share, coverage=share, risk=0.1 * share) for share in (0.1, 0.5, 1.0)),
            certified_point=Point(threshold=0.3, coverage=0.7, risk=0.03),
        ),
        gates=(Gate(name="keep", promised=0.98, measured=0.99, bound=0.985, state="held", note=HOSTILE),),
        speed=Speed(
            p50_ms=4.3,
            p99_ms=7.0,
            texts_per_s=400,
            with_evidence=Timing(p50_ms=20, p99_ms=30, texts_per_s=50),
            hardware=HOSTILE,
            threads=2,
            against=(Versus(name=HOSTILE, p50_ms=40, p99_ms=80, texts_per_s=30, times_faster=9.3),),
        ),
        size_mb=31.2,
        steps=(StepRow(name="tune.full", seconds=1.5, cached=True, artifact="cd" * 32),),
        variants=(
            VariantRow(
                name="compress.int8",
                form="openvino",
                size_mb=31.2,
                p50_ms=4.3,
                p99_ms=7,
                score=score,
                agreement=0.99,
                state="refused",
                because=HOSTILE,
            ),
        ),
        curves=(
            Curve(name="tune.full", kind="train_loss", points=tuple((float(i), 1 / (i + 1)) for i in range(500))),
            Curve(name="tune.full", kind="validation_score", points=((100.0, 0.8), (200.0, 0.9))),
        ),
        sections=(
            Block(
                name="confusion",
                kind="matrix",
                title={"en": HOSTILE, "zh": HOSTILE},
                columns=("", *labels),
                rows=((labels[0], 70, 5), (labels[1], 6, 69)),
            ),
        ),
        errors=(Mistake(truth="差评", guess=HOSTILE, p=0.99, row=7, text=HOSTILE + "SECRET"),),
        doubts=LabelDoubts(
            looked=700,
            count=30,
            doubts=tuple(
                Doubt(
                    file=HOSTILE, row=row, text=HOSTILE + "SECRET", given=HOSTILE, suggested="差评", p=0.9, p_given=0.1
                )
                for row in range(2, 32)
            ),
            left_out=(HOSTILE,),
        ),
        faithfulness=Faithfulness(
            rows=50,
            sufficiency=Faithful(evidence=0.1, random=0.3, tfidf=0.2),
            comprehensiveness=Faithful(evidence=0.3, random=0.1, tfidf=0.2),
        ),
        notes=(Note(text=HOSTILE),),
    )
    return report.model_copy(update=changes)


@pytest.fixture
def sample() -> Callable[..., Report]:
    """`sample(sealed=False)`: a whole report with some parts changed; every text that a user can write is hostile."""
    return _sample
