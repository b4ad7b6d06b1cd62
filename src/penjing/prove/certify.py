"""The certificate: which thresholds hold the promised error among automated cases, rules included; no torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from penjing.core.canon import digest_lines
from penjing.core.certificate import Certificate, Need, ThresholdTest
from penjing.core.errors import DataError, GateError, RecipeError
from penjing.core.nouns import Prediction, Scalar, Table
from penjing.core.options import nearest
from penjing.core.recipe import TIME
from penjing.core.task import ALL
from penjing.data import fold, mask
from penjing.data.clean import clean
from penjing.data.features import beside_text, rows_of
from penjing.data.mask import open_masking
from penjing.data.masked import counted
from penjing.decide.by_model import tolerance_units
from penjing.decide.clock import clock_of_date
from penjing.decide.policy import Policy
from penjing.decide.schema import MICRO
from penjing.prove.item_words import by_item_in_words
from penjing.prove.label_words import by_label_in_words, label_misses_in_words
from penjing.prove.needed import LimitCount, needed, surest
from penjing.prove.sequence import DELTA, Cases, ThresholdStep, chosen, make_grid, run_sequence, tallies, upper_bound

# The clock of labelled rows that have no time of their own.
CLOCK = "1970-01-01T00:00:00.000000Z"
# The declared field that is the time of a labelled row, where it is a date.
MaxError = float | dict[str, float]


class Predictor(Protocol):
    """The part of a session that is used here."""

    def predict(self, masked: Sequence[str], fields: Sequence[Mapping[str, Scalar]] | None = None) -> list[Prediction]:
        """One prediction for each masked text, with its typed fields."""


@dataclass(frozen=True)
class Labelled:
    """Labelled rows as the policy sees them: hash, gold label and facts of each row.

    drawn: the probability with which each was drawn, in the order of the cases; empty: all alike. least: the least
    probability of any case that they stand for, those included that were not drawn.
    """

    hashes: tuple[str, ...]
    truth: tuple[str, ...]
    facts: tuple[Mapping[str, Any], ...]
    drawn: tuple[float, ...] = ()
    least: float = 1.0

    def __len__(self) -> int:
        return len(self.truth)


def row_hash(masked: str, folding: str = fold.VERSION, beside: str = "") -> str:
    """64-bit hash (hex) of a masked text. Texts that differ only in width, case, spaces or punctuation share it.

    beside: what the model reads of the row beside its text (`penjing.data.features.beside_text`).
    """
    return digest_lines([fold.fold(masked, folding), *([beside] if beside else [])])[:16]


def table_hashes(table: Table, features: Collection[str]) -> list[str]:
    """The hash of each row of a table of masked texts. features: the fields that the model reads."""
    pairs = zip(table.texts, rows_of(table), strict=True)
    return [row_hash(text, beside=beside_text(features, fields)) for text, fields in pairs]


def row_hashes(raw: str, known: Mapping[str, str] | None = None, beside: str = "") -> frozenset[str]:
    """The hashes by which a certificate of any version may list a row: one for each masking and folding version.

    known: masked texts that exist already, by masking version. The first folding did not fold width, so the hashes of
    the half-width form are added. beside: as of `row_hash`. Raises RequestError for a text that cannot be cleaned.
    """
    known = known or {}
    cleaned = clean(raw)
    composed = clean(fold.compose(cleaned))
    masked = {known[name] if name in known else open_masking(name)(cleaned).text for name in mask.VERSIONS}
    if composed != cleaned:
        masked |= {open_masking(name)(composed).text for name in mask.VERSIONS}
    return frozenset(row_hash(text, folding, beside) for text in masked for folding in fold.VERSIONS)


def label_facts(session: Predictor, policy: Policy, table: Table) -> Labelled:
    """Facts of a table of cleaned and masked texts and fields, predicted by the session that serves.

    The texts are not masked a second time. Raises DataError (no labels).
    """
    if table.labels is None:
        raise DataError("these rows have no labels", fix="certify on labelled rows")
    masked = [counted(text) for text in table.texts]
    declared = {name: column for name, column in table.fields.items() if name in policy.spec.fields}
    fields = [policy.schema.recorded({name: column[i] for name, column in declared.items()}) for i in range(len(table))]
    predictions = session.predict([each.text for each in masked], fields)
    clocks = [clock_of(policy, each) for each in fields]
    facts = [policy.facts(*each) for each in zip(predictions, masked, fields, clocks, strict=True)]
    hashes = table_hashes(replace(table, texts=[each.text for each in masked]), policy.spec.features)
    return Labelled(tuple(hashes), tuple(table.labels), tuple(facts))


def clock_of(policy: Policy, fields: Mapping[str, Scalar]) -> str:
    """The clock of a labelled row: its declared field `time`, if that is a date and is given."""
    return clock_in(policy.spec.fields, fields)


def clock_in(declared: Mapping[str, Any], fields: Mapping[str, Scalar]) -> str:
    """The clock of a labelled row. declared: the types of the fields."""
    time = fields.get(TIME) if declared.get(TIME) == "date" else None
    return clock_of_date(str(time)) if time else CLOCK


def cases_of(policy: Policy, labelled: Labelled, reviewed: Sequence[str] = ()) -> Cases:
    """The arrays that the sequence tests: the decisions of the policy with every threshold at its lowest."""
    task = policy.task
    opened = with_thresholds(policy, {scope: None if scope in reviewed else 0.0 for scope in task.scopes})
    index = {scope: i for i, scope in enumerate(task.scopes)}
    rows = [task.units(facts, gold) for facts, gold in zip(labelled.facts, labelled.truth, strict=True)]
    units = [unit for row in rows for unit in row]
    decided = [opened.decide("", facts) for facts, row in zip(labelled.facts, rows, strict=True) for _ in row]
    return Cases(
        scope=np.array([index[unit.scope] for unit in units], dtype=np.int64),
        p=np.array([round(unit.score * MICRO) for unit in units], dtype=np.int64),
        correct=np.array([not unit.wrong for unit in units], dtype=bool),
        open=np.array([each.route == "automatic" and each.decided_by == "model" for each in decided], dtype=bool),
        drawn=np.array([share for share, row in zip(labelled.drawn, rows, strict=True) for _ in row])
        if labelled.drawn
        else None,
        least=labelled.least,
    )


def fix_grid(
    policy: Policy,
    validation: Labelled,
    rows: int,
    max_error: MaxError,
    reviewed: Sequence[str] = (),
    delta: float = DELTA,
) -> dict[str, tuple[float, ...]]:
    """The ordered thresholds of each scope, from validation rows alone. rows: number of calibration rows."""
    cases, band = cases_of(policy, validation, reviewed), tolerance_units(policy.spec.tolerance)
    scopes = limits_of(policy, max_error, reviewed)
    level = delta / max(1, len(scopes))
    return {each.name: make_grid(cases.of(each.place), each.risk, rows, delta=level, band=band) for each in scopes}


def certify(
    policy: Policy,
    grid: Mapping[str, tuple[float, ...]],
    calibration: Labelled,
    max_error: MaxError,
    *,
    reviewed: Sequence[str] = (),
    used: Sequence[str] = (),
    delta: float = DELTA,
) -> Certificate:
    """Test the grid end to end, rules included, on calibration rows that were used for nothing else.

    One limit for all cases: one sequence at level delta; the error is the share of wrong cases among all cases that
    the model decides. Limits by label: one sequence for each label at delta / number of labels, on the cases where
    that label is the most probable. A label without a limit is always reviewed. used: hashes of the other rows that
    were used for the release.
    Raises RecipeError for a limit of an unknown label, and for limits by label if the task has no labels.
    """
    thresholds, steps = _test(policy, grid, calibration, max_error, reviewed, delta)
    proven = {step.scope for step in steps if step.passed}
    needs = needs_of(policy, grid, calibration, max_error, reviewed, delta=delta)
    return filled(
        policy,
        calibration,
        used,
        _counted(steps),
        max_error=max_error,
        confidence=round(1 - delta, 6),
        certified=bool(proven),
        thresholds=thresholds,
        grid=dict(grid),
        steps=tuple(steps),
        reviewed=tuple(sorted(reviewed)),
        needs={name: need for name, need in needs.items() if name not in proven},
    )


def filled(
    policy: Policy, calibration: Labelled, used: Sequence[str], counted: tuple[int, int], **found: Any
) -> Certificate:
    """A certificate with what its thresholds do on the calibration rows. found: its other fields.

    counted: the automated cases and the errors among them, as the tests counted them. Raises GateError if the policy
    with these thresholds decides other cases.
    """
    automated, errors, forced, ruled = _count(with_thresholds(policy, found["thresholds"]), calibration)
    if counted != (automated, errors):
        raise GateError(
            f"the policy decides {automated} cases with {errors} errors, the certificate counted {counted}",
            fix="report this: nothing is sealed",
        )
    rows, delta = max(1, len(calibration)), 1 - found["confidence"]
    return Certificate(
        format=3,
        **found,
        rows=len(calibration),
        automation=automated / rows,
        error=errors / automated if automated else None,
        high=upper_bound(errors, automated, delta) if automated else None,
        forced=forced / rows,
        ruled=ruled / rows,
        calibration=tuple(sorted(calibration.hashes)),
        used=tuple(sorted({*used})),
        an_error=policy.task.error_in_words().get("en", ""),
    )


def needs_of(
    policy: Policy,
    grid: Mapping[str, tuple[float, ...]],
    labelled: Labelled,
    max_error: MaxError,
    reviewed: Sequence[str] = (),
    *,
    delta: float = DELTA,
    tested: int | None = None,
) -> dict[str, Need]:
    """What more rows would do for each limit, from labelled rows. tested: as of `penjing.prove.needed.needed`."""
    limits = limits_of(policy, max_error, reviewed)
    level, band = delta / max(1, len(limits)), tolerance_units(policy.spec.tolerance)
    cases = cases_of(policy, labelled, reviewed)
    found = {}
    for each in limits:
        found[each.name] = one_need(cases.of(each.place), grid[each.name], each.risk, level, band, tested)
    return found


def one_need(
    cases: Cases, grid: tuple[float, ...], risk: float, delta: float = DELTA, band: int = 0, tested: int | None = None
) -> Need:
    """What more rows would do for one limit, whose thresholds are these, from the cases that are open for it."""
    first = round(grid[0] * MICRO) + band
    above = tuple(p / MICRO for p in surest(cases.p[cases.open]) if p > first)
    steps, stricter = (
        [[LimitCount(*counted, risk)] for counted in tallies(cases, thresholds, margin)]
        for thresholds, margin in ((grid, band), (above, 0))
    )
    return needed(steps, len(cases), delta, tested, stricter)


def _test(
    policy: Policy,
    grid: Mapping[str, tuple[float, ...]],
    calibration: Labelled,
    max_error: MaxError,
    reviewed: Sequence[str],
    delta: float,
) -> tuple[dict[str, float | None], list[ThresholdTest]]:
    """The threshold of each scope of the task, and every step tested."""
    limits = limits_of(policy, max_error, reviewed)
    level, band = delta / max(1, len(limits)), tolerance_units(policy.spec.tolerance)
    cases = cases_of(policy, calibration, reviewed)
    thresholds: dict[str, float | None] = dict.fromkeys(policy.task.scopes, None)
    steps: list[ThresholdTest] = []
    for each in limits:
        tried = run_sequence(cases.of(each.place), grid[each.name], each.risk, delta=level, band=band)
        steps += [_step(each.name, one) for one in tried]
        if (best := chosen(tried)) is not None:
            for scope in policy.task.scopes if each.place is None else (each.name,):
                thresholds[scope] = None if scope in reviewed else best.threshold
    return thresholds, steps


def in_words(certificate: Certificate) -> str:
    """The certificate in one sentence for a person."""
    limit = certificate.max_error
    promise = f"at most {100 * limit:.6g}%" if isinstance(limit, float) else "within the limit of its label"
    if is_joint(certificate):
        promise = "within the limit of each task"
    meaning = f" (an error is {certificate.an_error})" if certificate.an_error else ""
    sure, share = f"{100 * certificate.confidence:.6g}%", f"{certificate.automation:.1%}"
    if certificate.certified and certificate.weighted:
        return (
            f"with {sure} confidence the error among automated decisions is {promise}{meaning}: "
            f"about {share} of all cases are decided by the model, about {certificate.error or 0:.2%} of them wrong, "
            f"by {certificate.rows:,} drawn rows"
        )
    if certificate.certified and certificate.by_label:
        return by_label_in_words(certificate, sure)
    if certificate.certified and certificate.most_items:
        return by_item_in_words(certificate, sure)
    if certificate.certified:
        return (
            f"with {sure} confidence the error among automated decisions is {promise}{meaning}: "
            f"{share} of {certificate.rows:,} calibration rows are decided by the model, "
            f"{certificate.error or 0:.2%} of them wrong"
        )
    more = _more(certificate)
    return f"nothing is certified on {certificate.rows:,} calibration rows, cases without a rule go to review: {more}"


def is_joint(certificate: Certificate) -> bool:
    """Whether it is of several tasks in one, each with a limit of its own (`joint.py`)."""
    return bool(certificate.path) and not (certificate.max_miss or certificate.by_label or certificate.most_items)


def misses_in_words(certificate: Certificate) -> str:
    """The limits by true label that are proven, in one sentence for a person; "" for none."""
    proven = certificate.certified or any(each.certified for each in certificate.periods)
    if not proven or not certificate.max_miss:
        return ""
    limits = ", ".join(f"{label}: {limit:g}" for label, limit in certificate.max_miss.items())
    if certificate.by_label:
        return label_misses_in_words(limits)
    return f"of all cases of a true label, at most this share is decided wrongly without a person: {limits}"


def _more(certificate: Certificate) -> str:
    """What more rows would do, for the limit that needs the fewest."""
    enough = [need.rows for need in certificate.needs.values() if need.answer == "enough" and need.rows]
    if enough:
        return f"{min(enough):,} more calibration rows would be enough, with 90% assurance"
    if certificate.needs and all(need.answer == "no_help" for need in certificate.needs.values()):
        return "the error is above the limit at every threshold tested, so more rows alone would not help"
    return "these rows do not show whether more rows would be enough"


def with_thresholds(policy: Policy, thresholds: dict[str, float | None]) -> Policy:
    # The audit draws automatic cases at random. It changes no rate, only the number of rows that prove it.
    return replace(policy, spec=policy.spec.model_copy(update={"thresholds": thresholds, "periods": (), "audit": 0.0}))


@dataclass(frozen=True)
class ErrorLimit:
    """A limit on errors: for all cases (place None), or for the task's scope at that position."""

    name: str
    place: int | None
    risk: float


def limits_of(policy: Policy, max_error: MaxError, reviewed: Sequence[str]) -> list[ErrorLimit]:
    """The limits on errors, each with the scope to which it applies. Raises RecipeError as `certify`."""
    scopes = policy.task.scopes
    if not isinstance(max_error, dict):
        return [ErrorLimit(ALL, None, max_error)]
    if scopes == (ALL,):
        raise RecipeError(
            "`max_error` has limits by label, and the answers of this task are no labels",
            fix="write one share for all answers, such as `max_error: 0.05`",
        )
    for name in max_error:
        if name not in scopes:
            raise RecipeError(f"`max_error` has the unknown label {name!r}", fix=nearest(name, scopes))
    limited = [name for name in scopes if name in max_error and name not in reviewed]
    return [ErrorLimit(name, scopes.index(name), max_error[name]) for name in limited]


def _step(scope: str, tried: ThresholdStep) -> ThresholdTest:
    return ThresholdTest(
        scope=scope,
        threshold=tried.threshold,
        automated=tried.automated,
        errors=tried.errors,
        p_value=float(f"{tried.p_value:.6g}"),
        passed=tried.passed,
    )


def _count(policy: Policy, labelled: Labelled) -> tuple[int, int, int, int]:
    """Numbers of cases that the model decides, errors among them, forced outcomes, other cases that a rule decides.

    Those of the last number are reviewed: a rule sends them there, or forces an outcome although a field that the model
    reads is empty or new.
    """
    automated = errors = forced = ruled = 0
    wrong = policy.task.wrong
    for truth, facts in zip(labelled.truth, labelled.facts, strict=True):
        decision = policy.decide("", facts)
        if decision.decided_by == "rule":
            forced, ruled = forced + decision.forced, ruled + (not decision.forced)
        elif decision.route == "automatic":
            automated, errors = automated + 1, errors + wrong(decision.outcome, truth)
    return automated, errors, forced, ruled


def _counted(steps: Sequence[ThresholdTest]) -> tuple[int, int]:
    """Automated cases and errors at the last step of each scope that passed."""
    best: dict[str, ThresholdTest] = {}
    for step in steps:
        if step.passed and (step.scope not in best or step.automated > best[step.scope].automated):
            best[step.scope] = step
    return sum(step.automated for step in best.values()), sum(step.errors for step in best.values())
