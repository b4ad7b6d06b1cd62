"""Fills the report of a run from its results; all figures of the sealed release come from test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

import penjing
from penjing.core.abilities import FittedTask, MarkedTask
from penjing.core.certificate import Certificate, CertifiedPeriod
from penjing.core.machine import hardware
from penjing.core.methods import Done
from penjing.core.nouns import Release, Table
from penjing.core.periods import present
from penjing.core.recipe import RecipeFile
from penjing.data.doubts import LabelDoubts
from penjing.data.prepare import Prepared
from penjing.data.split import cut_of
from penjing.decide.table import RuleTable
from penjing.measure.evaluate import coverage_risk, expected_calibration_error, reliability
from penjing.measure.latency import Latency
from penjing.prove.score import Scored
from penjing.prove.sequence import upper_bound
from penjing.report import contract as r
from penjing.report.data_part import DataPart
from penjing.report.faithful_part import Faithfulness
from penjing.report.found import ChosenVariant, ReleaseTest, Variant
from penjing.report.item_part import item_block, items_part
from penjing.report.label_part import label_block
from penjing.report.learning_part import RowsForecast
from penjing.report.limits_part import limits_on_test
from penjing.report.marked import marks_of
from penjing.report.promised import NeedPart, harm_rows, menu_of
from penjing.report.retained_part import retained_blocks
from penjing.report.rules_part import rules_part
from penjing.report.scope_part import scope_blocks
from penjing.report.search_part import SearchPart
from penjing.report.verdict import note_of
from penjing.tasks import calibration_of

MISTAKES = 10


@dataclass(frozen=True, eq=False)
class Found:
    """Everything that a report is filled from."""

    file: RecipeFile
    data: Prepared
    steps: Sequence[Done]
    variants: Sequence[Variant]
    linear: Variant
    choice: ChosenVariant | None
    tested: ReleaseTest
    release: Release | None
    skipped: tuple[r.Note, ...] = ()
    # The tuned model's answers on validation rows (None: those of the first variant are used).
    reference: Scored | None = None
    # Report rows of forms that an earlier run with the same content measured.
    earlier: tuple[r.VariantRow, ...] = ()
    rules: RuleTable | None = None
    searched: SearchPart | None = None
    learning: RowsForecast | None = None
    doubts: LabelDoubts | None = None


def fill(found: Found, threads: int) -> r.Report:
    """The report of a run, without its verdict."""
    recipe, tested, scored = found.file.recipe, found.tested, found.tested.scored
    task, choice, artifact = scored.task, found.choice, found.tested.release.artifact
    now = datetime.now(UTC)
    period = present(tested.certificate.periods, int(now.timestamp()))
    return r.Report(
        name=recipe.name,
        task=task.name,
        gold="label" if "label" in task.kinds().values() else "value",
        an_error=dict(task.error_in_words()),
        language=found.data.language,
        sealed=found.release is not None,
        release=found.release.id if found.release else None,
        model=" + ".join(_methods(artifact.card.lineage, artifact.card.method)),
        # The base of a student is another one than the recipe's.
        base=artifact.card.base if "compress.student" in _methods(artifact.card.lineage, "") else recipe.base,
        tested=_served(found).name,
        fell_back=bool(choice and choice.fell_back),
        made=now.isoformat(timespec="seconds"),
        version=penjing.__version__,
        data=DataPart.of(found.data.audit, found.data.fingerprint, recipe.data.features, cut_of(recipe.data)),
        test=r.Scores(**_measured(scored), rows=len(scored), apart=_apart(scored, found.data)),
        baseline=r.Baseline(linear=_reference(found, "tune.linear", tested.linear)),
        teacher=_reference(found, _teacher_name(found), tested.teacher),
        calibration=_calibration(tested, _served(found)),
        decisions=_decisions(tested, period),
        harm=() if _is_by_part(tested.certificate) else harm_rows(tested.harm, tested.certificate, period),
        forecast_rows=found.learning,
        menu=menu_of(tested.forecast, tested.certificate.rows if period is None else period.rows, period),
        gates=tested.gates,
        rules=rules_part(found.rules, tested.fired),
        speed=_speed(tested, threads),
        size_mb=round(tested.size_mb, 3),
        search=found.searched,
        steps=tuple(
            r.StepRow(
                name=done.step.name, seconds=round(done.seconds, 2), cached=done.cached, artifact=done.artifact.id
            )
            for done in found.steps
        ),
        variants=(*found.earlier, *(_variant(variant, found) for variant in _shown(found))),
        folds=choice.folds if choice else None,
        curves=_curves(found.steps, scored.metrics[0]),
        sections=(
            *label_block(tested.certificate, tested.forecast.settled),
            *item_block(tested.certificate, tested.forecast.items),
            *_sections(tested),
            *scope_blocks(tested.scope, len(scored)),
            *retained_blocks(tested.retained),
        ),
        errors=_mistakes(_served(found).scored, found.data.validation)
        if found.data.shared
        else _mistakes(scored, found.data.test),
        doubts=found.doubts,
        faithfulness=_faithful(tested.faithful),
        robustness=tested.robust,
        notes=_notes(found),
    )


def _notes(found: Found) -> tuple[r.Note, ...]:
    """What a reader should know of the run: why this form, what was not tested, which rows were used how often."""
    choice = found.choice
    chosen = [note for note in (choice.note, choice.more) if note] if choice else []
    return (*chosen, *_untested(found), *_shared(found), *_opened(found), *found.skipped)


def _served(found: Found) -> Variant:
    """The form that was certified and tested."""
    return found.choice.variant if found.choice else (found.variants or [found.linear])[-1]


def _untested(found: Found) -> tuple[r.Note, ...]:
    """Why a promise of the recipe is not among the gates."""
    kept = any(gate.name == "keep" for gate in found.tested.gates)
    return () if kept or found.file.recipe.gates.keep is None else (note_of("keep_untested"),)


def _shared(found: Found) -> tuple[r.Note, ...]:
    """That the same rows gave the score and the certificate, and at which confidence."""
    if not found.data.shared:
        return ()
    sure = found.tested.certificate.confidence
    values = {"rows": f"{len(found.tested.certificate.calibration):,}", "certificate": f"{100 * sure:.4g}"}
    return (note_of("held_out_shared", **values, score="97.5", joint=f"{100 * (sure - 0.025):.4g}"),)


def _opened(found: Found) -> tuple[r.Note, ...]:
    """That the calibration rows were opened before for other promises, and what that costs."""
    certificate = found.tested.certificate
    if not certificate.openings:
        return ()
    spent = 1 - certificate.confidence + sum(one.delta for one in certificate.openings)
    values = {"times": f"{len(certificate.openings)}", "confidence": f"{100 * certificate.confidence:.4g}"}
    return (note_of("opened_before", **values, joint=f"{100 * (1 - spent):.4g}"),)


def _measured(scored: Scored) -> dict[str, Any]:
    intervals = {name: _score(interval) for name, interval in scored.intervals().items()}
    return {"metric": scored.metrics[0], "metrics": intervals}


def _apart(scored: Scored, data: Prepared) -> r.Estimate | None:
    """The score on the test rows without a copy in another file; None if no test row has a copy."""
    rows = np.setdiff1d(np.arange(len(scored)), np.array(data.copied, dtype=np.int64))
    if not data.copied or not len(rows):
        return None
    return _score(scored.interval(rows=rows.tolist()))


def _sections(tested: ReleaseTest) -> tuple[r.Block, ...]:
    """The blocks of the task, with the calibration of the sealed model."""
    scored, task = tested.scored, tested.scored.task
    if isinstance(task, FittedTask):
        calibration = calibration_of(tested.release.artifact.card)
        found = task.fitted_figures(scored.answers, scored.golds, calibration)
    else:
        found = task.figures(scored.answers, scored.golds)
    return tuple(r.Block.model_validate(one) for one in found)


def _score(interval: Any) -> r.Estimate:
    return r.Estimate(value=interval.value, low=interval.low, high=interval.high)


def _reference(found: Found, name: str, other: Scored) -> r.Reference:
    """Another model beside the sealed one; against itself a model keeps everything, which says nothing."""
    scored, sealed = found.tested.scored, found.tested.release.artifact.id
    itself = any(done.step.name == name and done.artifact.id == sealed for done in found.steps)
    return r.Reference(
        name=name,
        **_measured(other),
        difference=_score(scored.difference(other)),
        kept=None if itself else _score(scored.kept(other)),
    )


def _teacher_name(found: Found) -> str:
    return next((done.step.name for done in found.steps if done.step.name != "tune.linear"), "tune.linear")


def _methods(lineage: Sequence[dict[str, Any]], method: str) -> list[str]:
    names = [str(step.get("method", "")) for step in lineage if step.get("method") not in {None, "base"}]
    return names or [method]


def _calibration(tested: ReleaseTest, served: Variant) -> r.Calibration:
    scored, plain = tested.scored, tested.uncalibrated
    return r.Calibration(
        ece=r.CalibrationError(
            before=None if plain is None else round(expected_calibration_error(plain.p, ~plain.wrong), 6),
            after=round(expected_calibration_error(scored.p, ~scored.wrong), 6),
        ),
        temperature=calibration_of(tested.release.artifact.card).get("temperature"),
        rows=len(served.scored),
        errors=int(served.scored.wrong.sum()),
        bins=tuple(
            r.ReliabilityBin(confidence=min(1.0, each.confidence), accuracy=each.accuracy, rows=each.rows)
            for each in reliability(scored.p, ~scored.wrong)
        ),
    )


def _decided_wrongly(tested: ReleaseTest) -> npt.NDArray[np.bool_]:
    """The rows whose outcome is wrong; where labels are certified it is another set than the one whose F1 is best."""
    scored = tested.scored
    if not tested.certificate.by_label:
        return scored.wrong
    return np.array([scored.task.wrong(*pair) for pair in zip(tested.outcomes, scored.golds, strict=True)], dtype=bool)


def _is_by_part(certificate: Certificate) -> bool:
    """Whether the limits are about parts of answers: labels of sets, or items of lists."""
    return certificate.by_label or certificate.most_items > 0


def _decisions(tested: ReleaseTest, period: CertifiedPeriod | None) -> r.Decisions:
    """period: that of the run, where the dates of rules cut time into several."""
    certificate: Certificate = tested.certificate
    shown = certificate if period is None else period
    wrong = tested.scored.wrong
    automated = int(tested.automated.sum())
    errors = int((_decided_wrongly(tested) & tested.automated).sum())
    rows, settled = max(1, len(wrong)), list(tested.forecast.settled.values())
    curve = coverage_risk(tested.scored.p, ~wrong)
    points = tuple(
        r.Point(threshold=min(1.0, threshold), coverage=coverage, risk=risk)
        for threshold, coverage, risk in zip(curve.threshold, curve.coverage, curve.risk, strict=True)
    )
    thresholds = [value for value in certificate.thresholds.values() if value is not None]
    point = None
    # Test rows of several periods are decided by several thresholds: no point of the curve has been certified.
    if automated and thresholds and period is None and not _is_by_part(certificate):
        point = r.Point(threshold=min(thresholds), coverage=automated / rows, risk=errors / automated)
    return r.Decisions(
        automation_rate=round(automated / rows, 6),
        error_among_automated=r.Bounded(
            value=round(errors / automated, 6) if automated else None,
            high=round(upper_bound(errors, automated, tested.level), 6) if automated else None,
        ),
        max_error=certificate.max_error,
        on_test=limits_on_test(tested),
        certified=shown.certified,
        confidence=certificate.confidence,
        rows=shown.rows,
        forced=round(float(tested.forced.mean()), 6) if len(tested.forced) else 0.0,
        thresholds=shown.thresholds or dict.fromkeys(certificate.thresholds),
        needs={
            name: NeedPart(**need.model_dump())
            for name, need in (tested.forecast.needs if period is None else period.needs).items()
        },
        periods=certificate.periods,
        max_miss=certificate.max_miss,
        by_label=certificate.by_label,
        items=items_part(tested.forecast.items, tested.level),
        labels_settled=round(sum(settled) / len(settled), 6) if settled else None,
        curve=points,
        certified_point=point,
    )


def _timing(latency: Latency) -> r.Timing:
    return r.Timing(p50_ms=latency.p50_ms, p99_ms=latency.p99_ms, texts_per_s=latency.texts_per_s)


def _speed(tested: ReleaseTest, threads: int) -> r.Speed:
    return r.Speed(
        **_timing(tested.speed).model_dump(),
        with_evidence=_timing(tested.speed_evidence),
        hardware=hardware(),
        threads=threads,
        against=_against(tested.rivals),
    )


def _against(rivals: Mapping[str, Latency]) -> tuple[r.Versus, ...]:
    if not rivals:
        return ()
    ours = rivals["penjing"]
    return tuple(
        r.Versus(
            name=name,
            p50_ms=one.p50_ms,
            p99_ms=one.p99_ms,
            texts_per_s=one.texts_per_s,
            times_faster=round(one.p50_ms / ours.p50_ms, 2),
            times_throughput=round(ours.texts_per_s / one.texts_per_s, 2),
        )
        for name, one in rivals.items()
        if name != "penjing"
    )


def _shown(found: Found) -> list[Variant]:
    linear = [] if found.linear in found.variants else [found.linear]
    return [*found.variants, *linear]


def _variant(variant: Variant, found: Found) -> r.VariantRow:
    chosen = found.choice.variant if found.choice else None
    sealed = found.release is not None and chosen is not None and variant.artifact.id == chosen.artifact.id
    state = "sealed" if sealed else "refused" if variant.refused else "passed"
    return r.VariantRow(
        name=variant.name,
        artifact=variant.artifact.id,
        form=variant.artifact.card.form,
        size_mb=round(variant.size_mb, 3),
        p50_ms=variant.latency.p50_ms,
        p99_ms=variant.latency.p99_ms,
        score=_score(variant.score),
        agreement=None if found.linear is variant else _agreement(variant, found),
        state=state,
        because=variant.refused,
        broken=tuple(gate for gate in variant.gates if gate.state == "broken") if variant.refused else (),
    )


def _agreement(variant: Variant, found: Found) -> float:
    return round(variant.scored.agreement(found.reference or found.variants[0].scored), 6)


def _curves(steps: Sequence[Done], metric: str) -> tuple[r.Curve, ...]:
    curves = []
    for done in steps:
        found = done.artifact.card.curves
        lines: dict[str, list[tuple[float, float]]] = {
            "train_loss": [(step, loss) for step, loss in found.loss],
            "validation_score": [(one["step"], one[metric]) for one in found.validation if metric in one],
        }
        curves += [
            r.Curve.model_validate({"name": done.step.name, "kind": kind, "points": points})
            for kind, points in lines.items()
            if points and done.step.name.startswith("tune.")
        ]
    return tuple(curves)


def _mistakes(scored: Scored, table: Table) -> tuple[r.Mistake, ...]:
    confidence, outcomes, wrong = scored.p, scored.outcomes, np.flatnonzero(scored.wrong)
    task = scored.task
    pieces = task.pieces if isinstance(task, MarkedTask) else lambda _: []
    first = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES].tolist() if len(wrong) else []
    return tuple(
        r.Mistake(
            truth=scored.golds[i],
            guess=outcomes[i],
            p=min(1.0, float(confidence[i])),
            row=table.rows[i] if len(table.rows) else None,
            text=table.texts[i],
            marks=marks_of(pieces(scored.golds[i]), pieces(outcomes[i])),
        )
        for i in first
    )


def _faithful(found: dict[str, Any]) -> Faithfulness | None:
    return Faithfulness.model_validate(found) if found and found.get("rows") else None
