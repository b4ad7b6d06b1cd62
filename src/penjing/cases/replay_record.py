"""A recorded case decided again: from its facts through the policy, and from its masked text through the model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from penjing.cases.replay import ModelReplay, ReplayResult, replay_decision, replay_model
from penjing.core.task import Task
from penjing.decide.decider import Decider
from penjing.store.records import Record


@dataclass(frozen=True)
class ReplayAsk:
    """A record to be replayed, and when its text and fields were erased."""

    record: Record
    erased: str | None = None

    def cost(self) -> float:
        """The estimated cost: characters of the masked text."""
        return len(self.record.text or "") + 1.0


@dataclass(frozen=True)
class Replayed:
    """The decision replay and the model replay of one record.

    model: None if the masked text was not kept or was erased. erased: the time of the erasure. blank: whether the
    fields were erased.
    """

    id: str
    decision: ReplayResult
    model: ModelReplay | None
    torn: tuple[str, ...]
    erased: str | None = None
    blank: bool = False

    @property
    def same(self) -> bool:
        """Whether the decision has the same bytes and the model replay held; erased parts are left out."""
        return (self.decision.same or self.without_fields) and not self.torn and (self.model is None or self.model.held)

    @property
    def without_fields(self) -> bool:
        """Whether the decision needs fields that were erased, so that it cannot be made again."""
        return self.erased is not None and self.blank and not self.decision.same

    def to_json(self) -> dict[str, Any]:
        """Plain values for the service and the command line."""
        shown: dict[str, Any] = {
            "id": self.id,
            "same": self.same,
            "decision": {
                "same": self.decision.same,
                "sha256": [hashlib.sha256(raw).hexdigest() for raw in (self.decision.recorded, self.decision.replayed)],
                "differences": [*self.decision.differences, *self.torn],
            },
        }
        if self.erased is not None:
            left = "nothing was replayed" if self.without_fields else "only the decision was replayed"
            shown |= {"decision": None} if self.without_fields else {}
            why = f"the text and the fields were erased on {self.erased}: {left}"
            return shown | {"model": None, "erased": self.erased, "why": why}
        if self.model is None:
            return shown | {"model": None, "why": "the text was not kept: only the decision was replayed"}
        model = self.model
        shown["model"] = {
            "held": model.held,
            "exact": model.exact,
            "moved": model.moved,
            "changed": list(model.changed),
            "outcome": list(model.outcome) if model.outcome else None,
        }
        return shown | {"why": model.why}


def replay_record(record: Record, decider: Decider, erased: str | None = None) -> Replayed:
    """Replay one record with the release that made it; with another release it differs, and the result says so.

    erased: the time of the erasure of text and fields. If a rule needs an erased field, the decision is not replayed.
    """
    recorded = record.decided()
    decision = replay_decision(decider.policy, recorded)
    model = None
    if record.text is not None and record.release == decider.release.id:
        tolerance = decider.release.info.tolerance
        fields = recorded["facts"].get("fields")
        model = replay_model(decider.session, record.text, record.predicted(), record.fingerprint, tolerance, fields)
    blank = "fields" in recorded["facts"] and recorded["facts"]["fields"] is None
    return Replayed(record.id, decision, model, _torn(decider.policy.task, record, recorded), erased, blank)


def _torn(task: Task, record: Record, recorded: dict[str, Any]) -> tuple[str, ...]:
    """Parts of a record that do not fit each other: it was changed after it was written."""
    facts = recorded.get("facts")
    answer = record.predicted().answer
    try:
        answered = task.facts(answer)
    except TypeError:
        return (f"answer: the record holds one of kind {answer.kind!r}, which the task `{task.name}` does not give",)
    parts = {
        "id": (record.id, recorded.get("id")),
        "release": (record.release, recorded.get("release")),
        "route": (record.route, recorded.get("route")),
        "outcome": (record.outcome, recorded.get("outcome")),
        **{name: (one, facts.get(name) if isinstance(facts, dict) else None) for name, one in answered.items()},
    }
    return tuple(f"{name}: the record holds {one!r} and {two!r}" for name, (one, two) in parts.items() if one != two)
