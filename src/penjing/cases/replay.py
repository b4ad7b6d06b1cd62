"""Replay: recorded facts -> the same decision byte for byte; recorded masked text -> the same answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from penjing.core.answers import Answer, answer_to_json
from penjing.core.canon import canonical_json
from penjing.core.errors import RequestError
from penjing.core.nouns import Decision, Prediction, Scalar
from penjing.core.task import Task
from penjing.data.mask import Masked
from penjing.decide.by_model import tolerance_units
from penjing.decide.facts import version_of
from penjing.decide.policy import Policy
from penjing.decide.schema import FieldValues

# Two numbers that were rounded to 1e-6 each may differ by one unit where the unrounded ones agree.
_ROUNDING = 1e-6


class ReplayModel(Protocol):
    """The parts of a session that a model replay needs."""

    @property
    def task(self) -> Task:
        """The task, which defines the meaning of an answer."""

    def predict(self, masked: Sequence[str], fields: Sequence[Mapping[str, Scalar]] | None = None) -> list[Prediction]:
        """One prediction a masked text, with its typed fields."""

    def fingerprint(self) -> dict[str, str]:
        """Engine, version, instruction set, threads."""


@dataclass(frozen=True)
class ReplayResult:
    """A decision replay: `same` is equality of `recorded` and `replayed`, both canonical JSON."""

    id: str
    same: bool
    recorded: bytes
    replayed: bytes
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelReplay:
    """A model replay: `held` means the same bytes on the same fingerprint, else within the tolerance of the release.

    changed: names of the fingerprint's parts that differ; moved: the distance of the answers (`Task.moved`), such as
    the largest difference of a probability; outcome: (recorded, replayed) if another outcome would be decided.
    """

    held: bool
    exact: bool
    changed: tuple[str, ...]
    moved: float
    outcome: tuple[str, str] | None
    prediction: Prediction
    why: str


def replay_decision(policy: Policy, recorded: Mapping[str, Any]) -> ReplayResult:
    """Decide again from the recorded facts only: no text, no model, no clock. `recorded` is `Decision.to_json()`.

    A record that another release made, or whose facts are not complete, differs and says so.
    """
    record, before = str(recorded.get("id", "")), canonical_json(dict(recorded))
    if recorded.get("release") != policy.release_id:
        why = f"release: recorded {str(recorded.get('release'))[:12]}, replayed with {policy.release_id[:12]}"
        return ReplayResult(record, False, before, b"", (why,))
    try:
        if (version := version_of(recorded["facts"])) != policy.spec.facts:
            why = f"facts: recorded in version {version}, this release records version {policy.spec.facts}"
            return ReplayResult(record, False, before, b"", (why,))
        replayed = policy.decide(record, recorded["facts"]).to_json()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return ReplayResult(record, False, before, b"", (f"facts: they do not fit this release ({error!r})",))
    after = canonical_json(replayed)
    differences = tuple(
        f"{key}: recorded {recorded.get(key)!r}, replayed {replayed.get(key)!r}"
        for key in sorted({*recorded, *replayed})
        if recorded.get(key) != replayed.get(key)
    )
    return ReplayResult(record, before == after, before, after, differences)


def replay_model(
    session: ReplayModel,
    masked: str,
    recorded: Prediction,
    fingerprint: Mapping[str, str],
    tolerance: float,
    fields: Mapping[str, Scalar] | None = None,
) -> ModelReplay:
    """Predict again from the recorded masked text, and the recorded fields where the model reads any.

    On the recorded fingerprint the answer must be the same bytes; on another, it may have moved by `tolerance`.
    """
    repeated = session.predict([masked], [fields or {}])[0]
    here = session.fingerprint()
    changed = tuple(sorted(name for name in {*here, *fingerprint} if here.get(name) != fingerprint.get(name)))
    exact = _bytes(repeated) == _bytes(recorded)
    if reason := _incomparable(recorded.answer, repeated.answer):
        return ModelReplay(False, False, changed, 1.0, None, repeated, reason)
    moved = session.task.moved(repeated.answer, recorded.answer)
    outcome = other_outcome(session.task, recorded.answer, repeated.answer, tolerance)
    if not changed:
        why = "the same bytes" if exact else f"same machine and engine, but the answer moved by {moved:g}"
        return ModelReplay(exact, exact, changed, moved, outcome, repeated, why)
    apart = abs((repeated.far or 0.0) - (recorded.far or 0.0))
    held = max(moved, apart) <= tolerance + _ROUNDING and repeated.too_long == recorded.too_long
    reason = f"{', '.join(changed)} differ; the answer moved by {moved:g}, allowed are {tolerance:g}"
    return ModelReplay(held, exact, changed, moved, outcome, repeated, reason)


def _incomparable(one: Answer, other: Answer) -> str:
    """Why two answers cannot be compared, or ""."""
    if one.kind != other.kind:
        return f"the answers are of other kinds: `{one.kind}` and `{other.kind}`"
    return "the labels are others" if getattr(one, "labels", ()) != getattr(other, "labels", ()) else ""


def other_outcome(task: Task, before: Answer, after: Answer, tolerance: float) -> tuple[str, str] | None:
    """(outcome before, outcome after) if they differ by more than two machines may differ, else None.

    A changed label or grade is always another outcome; a number that moved within the tolerance is the same outcome.
    Raises TypeError for an answer of another task.
    """
    facts = task.facts(before), task.facts(after)
    one, other = map(task.outcome, facts)
    if one == other:
        return None
    leaps = any(task.unsettled(each, tolerance_units(tolerance + _ROUNDING)) for each in facts)
    return None if task.moved(before, after) <= tolerance + _ROUNDING and not leaps and tolerance else (one, other)


def _bytes(prediction: Prediction) -> bytes:
    content = [prediction.artifact, answer_to_json(prediction.answer), prediction.too_long, prediction.scope]
    return canonical_json(content)


def decide_again(policy: Policy, recorded: Mapping[str, Any], masked: Masked, prediction: Prediction) -> Decision:
    """The decision of this policy on a new prediction, with the recorded fields and clock.

    Raises RequestError if the recorded fields do not fit this policy.
    """
    facts = recorded["facts"]
    unknown = facts.get("unknown") or ()
    if unknown and policy.spec.unknown_values == "refuse":
        raise RequestError(
            f"the field `{unknown[0]}` was given with a value that is not listed, which this release refuses",
            fix="decide the case anew",
        )
    fields = policy.schema.recorded(FieldValues(facts["fields"], unknown))
    return policy.decide(str(recorded["id"]), policy.facts(prediction, masked, fields, str(facts["clock"])))
