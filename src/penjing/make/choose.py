"""Measures every form in which the model could be sealed on validation rows; refuses forms that break a promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from penjing.core.certificate import Gate
from penjing.core.folder import folder_size
from penjing.core.nouns import Artifact, Decision, Table
from penjing.core.recipe import Gates
from penjing.core.stop import until
from penjing.core.task import JointTask, Task
from penjing.decide.identity import new_id
from penjing.decide.policy import Policy
from penjing.make.timings import Measured
from penjing.measure.latency import WINDOWS, Call, Latency, interleaved, latency
from penjing.prove.certify import CLOCK
from penjing.prove.gates import at_least, at_least_windows, at_most_exact, at_most_windows, refuses
from penjing.prove.retained import FORGET
from penjing.prove.score import Scored, score
from penjing.report.chosen_part import ChosenByFolds
from penjing.report.contract import Note
from penjing.report.found import ChosenVariant, Variant
from penjing.report.verdict import note_of, signed
from penjing.runtime.open import open_session
from penjing.runtime.session import Session

MEGA = 1e6
FASTEST_CALLS, MOST_FASTEST_CALLS = 150, 500
# Timed calls if no promise on time is tested: the figures are only shown in the report.
QUICK_CALLS = 250
# Least number of timed calls of a form. If SECONDS suffice, it gets MOST_CALLS, or all texts once a window if these are
# more. The sealed release gets at least MOST_CALLS.
CALLS, MOST_CALLS = 300, 1000
# Time of a measurement. A form that is too slow for its least number of calls takes longer.
SECONDS = 10.0


@dataclass(frozen=True)
class Setting:
    """The settings with which every form is measured.

    policy: the rules and fields of the release, without thresholds; promises on time refer to whole decisions.
    rows: number of rows of each stratum. reference: the system of the promise `times_faster`, timed in turn with the
    form. measured: times stored by a killed run, which are not measured again. quick: no promise on time is tested,
    so a quarter of the calls is enough; the sealed release is always timed in full. stop: whether the run was asked to
    stop.
    """

    table: Table
    policy: Policy
    rows: Mapping[str, int]
    threads: int
    long_texts: Literal["chunk", "review"] = "chunk"
    reference: Call | None = None
    measured: Measured | None = None
    quick: bool = False
    stop: Callable[[], bool] = lambda: False


def measure(name: str, artifact: Artifact, setting: Setting) -> Variant:
    """Open an artifact as in service, score it on a table, and time whole decisions at batch 1."""
    session = open_session(artifact, threads=setting.threads, long_texts=setting.long_texts)
    scored = score(session, setting.table, setting.rows)

    def timed() -> dict[str, Any]:
        call, texts = until(setting.stop, decisions(session, setting.policy)), setting.table.texts
        if setting.quick:
            return latency(call, texts, calls=QUICK_CALLS).to_json()
        most = max(MOST_CALLS, WINDOWS * len(texts))
        return latency(call, texts, CALLS, seconds=SECONDS, most=most, reference=setting.reference).to_json()

    kept = setting.measured
    return Variant(
        name=name,
        artifact=artifact,
        session=session,
        scored=scored,
        score=scored.interval(),
        latency=Latency.from_json(kept.once(["latency", artifact.id], timed) if kept else timed()),
        size_mb=folder_size(artifact.folder) / MEGA,
    )


def decisions(session: Session, policy: Policy) -> Call:
    """The decision of a release on raw texts without fields: masking, model, facts, rules, outcome."""
    fields = policy.schema.read(dict.fromkeys(policy.spec.fields))
    session.warm()

    def run(texts: Sequence[str]) -> list[Decision]:
        masked = [session.prepare(text) for text in texts]
        predictions = session.predict([each.text for each in masked], [fields] * len(masked))
        pairs = zip(predictions, masked, strict=True)
        return [policy.decide(new_id(), policy.facts(prediction, each, fields, CLOCK)) for prediction, each in pairs]

    return run


def fastest(variants: Sequence[Variant], table: Table, policy: Policy) -> Variant:
    """The variant with the smallest mean time of a decision, all timed in turn on the same texts."""
    if len(variants) == 1:
        return variants[0]
    runs = {str(place): decisions(each.session, policy) for place, each in enumerate(variants)}
    times = interleaved(runs, table.texts, calls=FASTEST_CALLS, batch=1, seconds=SECONDS, most=MOST_FASTEST_CALLS)
    return variants[min(range(len(variants)), key=lambda place: times[str(place)].mean_ms)]


def gate(variant: Variant, teacher: Scored | None, gates: Gates) -> Variant:
    """The variant with its gates on validation rows, and the reason if a gate refuses it.

    teacher: the answers whose score must be kept; None leaves `keep` out, because a model is not compared with itself.
    What the variant has of the promise `forget` stays.
    """
    beside = [one for one in variant.gates if one.name == FORGET]
    found = (*recipe_gates(variant.scored, teacher, variant.latency, variant.size_mb, gates), *beside)
    # An unproven gate does not refuse a form on validation rows. The promise is tested once, on test rows.
    bad = refuses(found, "allow")
    reason = "; ".join(f"{g.name} {g.measured:.4g} against {g.promised:g} (bound {g.bound:.4g})" for g in bad)
    return replace(variant, gates=found, refused=reason)


def choose(
    variants: Sequence[Variant],
    linear: Variant,
    *,
    proven: bool,
    folds: ChosenByFolds | None = None,
    more: Note | None = None,
) -> ChosenVariant | None:
    """The last encoder variant that no gate refuses, if it is proven better than the linear model; else the linear.

    None if everything is refused. Proven: the one-sided 95 % lower bound of the paired difference is above 0, on
    validation rows, or out of fold where `folds` says so. proven: whether the tuned encoder itself is proven better;
    `keep` then tests `linear` against it too. more: how more rows could choose.
    """
    passed = [variant for variant in variants if not variant.refused]
    if not passed:
        return None if linear.refused else ChosenVariant(linear, not proven, note_of("why_refused"))
    best = passed[-1]
    if best.artifact.id == linear.artifact.id:
        return ChosenVariant(best, False)
    if folds is not None:
        better = folds.chosen.lower > 0 or bool(linear.refused)
        return ChosenVariant(best if better else linear, not (better or proven), fold_note(folds), folds)
    paired = best.scored.difference(linear.scored)
    if paired.lower > 0 or linear.refused:
        return ChosenVariant(best, False)
    worse = paired.upper < 0
    form = "form_" if proven else ""
    note = note_of(
        f"why_{form}worse" if worse else f"why_{form}tie",
        metric=best.scored.metrics[0],
        value=signed(paired.value, 4),
        rows=f"{len(best.scored):,}",
        **({"upper": signed(paired.upper, 4)} if worse else {"lower": signed(paired.lower, 4)}),
    )
    return ChosenVariant(linear, not proven, note, more=more if paired.value > 0 else None)


def fold_note(found: ChosenByFolds) -> Note:
    """By how much the encoder is better out of fold, and what is proven of it and of its form that would be sealed."""
    paired, points = found.chosen, {"value": signed(100 * found.chosen.value, 1), "rows": f"{found.rows:,}"}
    of_form = found.tuned.lower > 0
    form = "form_" if of_form else ""
    if paired.lower > 0:
        key, bound = "why_folds_better", {"lower": signed(100 * paired.lower, 1)}
    elif paired.upper < 0:
        key, bound = f"why_folds_{form}worse", {"upper": signed(100 * paired.upper, 1)}
    else:
        key, bound = f"why_folds_{form}tie", {"lower": signed(100 * paired.lower, 1)}
    named = {"form": found.form} if of_form and paired.lower <= 0 else {}
    return note_of(key, metric=found.metric, folds=f"{found.folds}", **named, **points, **bound)


def beats(a: Scored, b: Scored) -> bool:
    """Whether the one-sided 95 % lower bound of a's score minus b's score on the same rows is above 0."""
    return a.difference(b).lower > 0


def _kept_metrics(task: Task) -> dict[str, str]:
    """The metrics that `keep` is about, by the name of the gate: the first one, and that of each of several tasks."""
    each = [task.metric_of(name) for name in task.scopes] if isinstance(task, JointTask) else []
    return {"keep": "", **{f"keep.{metric}": metric for metric in each}}


def has_pipeline(task: Task) -> bool:
    """Whether a pipeline for whole texts gives the answers of a task: it has one output, about the whole text."""
    return [head.kind for head in task.heads.values()] == ["pooled"]


def recipe_gates(
    scored: Scored,
    teacher: Scored | None,
    speed: Latency,
    size_mb: float,
    gates: Gates,
    note: str = "",
    *,
    shared: bool = False,
) -> list[Gate]:
    """The gates of all promises of a recipe, measured on one table.

    teacher: the answers whose score must be kept; None leaves `keep` out. note: the model that gave them. shared: the
    rows certify too, so that the bounds of scores hold at 97.5 % (those of `score` and `macro_f1` always do).
    """
    rows, found = len(scored), []
    if gates.keep is not None and teacher is not None:
        for name, metric in _kept_metrics(scored.task).items():
            if scored.outcomes == teacher.outcomes:
                found.append(at_least(name, gates.keep, 1.0, 1.0, 1.0, rows, note=note))
            else:
                kept = scored.kept(teacher, metric)
                low, high = (kept.low, kept.high) if shared else (kept.lower, kept.upper)
                found.append(at_least(name, gates.keep, kept.value, low, high, rows, note=note))
    for name, metric, promised in (("score", "", gates.score), ("macro_f1", "macro_f1", gates.macro_f1)):
        if promised is not None:
            own = scored.interval(metric)
            found.append(at_least(name, promised, own.value, own.low, own.high, rows))
    if gates.p50_ms is not None:
        found.append(at_most_windows("p50_ms", gates.p50_ms, speed.windows_p50_ms))
    if gates.p99_ms is not None:
        found.append(at_most_windows("p99_ms", gates.p99_ms, speed.windows_p99_ms))
    if gates.mean_ms is not None:
        found.append(at_most_windows("mean_ms", gates.mean_ms, speed.windows_mean_ms))
    if gates.times_faster is not None:
        found.append(at_least_windows("times_faster", gates.times_faster, speed.windows_times_faster))
    if gates.size_mb is not None:
        found.append(at_most_exact("size_mb", gates.size_mb, size_mb))
    return found
