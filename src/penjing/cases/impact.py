"""Change impact: which recorded decisions another release would change, and how."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from penjing.cases.replay import decide_again, other_outcome
from penjing.core.errors import RequestError
from penjing.core.nouns import Decision, Prediction, Scalar
from penjing.data.mask import Masking
from penjing.data.pair_text import mask_parts
from penjing.decide.policy import Policy

BATCH = 256


class Recorded(Protocol):
    """The parts of a record that impact needs: the values of the decision and the masked text (None if not kept)."""

    @property
    def text(self) -> str | None:
        """The masked text."""

    def decided(self) -> dict[str, Any]:
        """`Decision.to_json()` as it was recorded."""

    def predicted(self) -> Prediction:
        """The prediction on which the decision is based."""


class ImpactModel(Protocol):
    """The parts of a session that impact needs, its masking too: another release may mask more than the old one."""

    @property
    def masking(self) -> Masking:
        """The masking of the model."""

    def predict(self, masked: Sequence[str], fields: Sequence[Mapping[str, Scalar]] | None = None) -> list[Prediction]:
        """One prediction a masked text, with its typed fields."""


@dataclass(frozen=True, order=True)
class Change:
    """A kind of change: outcome and route before and after."""

    outcome_before: str
    outcome_after: str
    route_before: str
    route_after: str

    def __str__(self) -> str:
        return f"{self.outcome_before}, {self.route_before} -> {self.outcome_after}, {self.route_after}"


@dataclass
class Impact:
    """All records that were judged, the ids of each kind of change, and why others could not be judged."""

    judged: int = 0
    changes: dict[Change, list[str]] = field(default_factory=dict)
    unjudged: dict[str, int] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """The number of decisions that would change."""
        return sum(len(ids) for ids in self.changes.values())

    def to_json(self) -> dict[str, Any]:
        """Plain values: the largest group first."""
        groups = sorted(self.changes.items(), key=lambda item: (-len(item[1]), item[0]))
        return {
            "judged": self.judged,
            "changed": self.changed,
            "unjudged": dict(sorted(self.unjudged.items())),
            "groups": [
                {
                    "outcome": [change.outcome_before, change.outcome_after],
                    "route": [change.route_before, change.route_after],
                    "count": len(ids),
                    "ids": ids,
                }
                for change, ids in groups
            ],
        }

    def in_words(self) -> str:
        """One sentence for a person."""
        rest = sum(self.unjudged.values())
        more = f"; {rest:,} could not be judged ({', '.join(sorted(self.unjudged))})" if rest else ""
        return f"this would change {self.changed:,} of {self.judged:,} recorded decisions{more}"


def impact(policy: Policy, session: ImpactModel, records: Iterable[Recorded], others: Collection[str] = ()) -> Impact:
    """Decide recorded cases again, with recorded fields and clock, and group changes of outcome or route.

    others: ids of releases of other services, whose decisions are counted only.

    The draw for audit is left out on both sides: every release draws again, so a difference is no change.
    """
    silent = replace(policy, spec=policy.spec.model_copy(update={"audit": 0.0}))
    found = Impact()
    batch: list[tuple[str, Recorded]] = []
    for record in records:
        if others and record.decided()["release"] in others:
            _count(found, "another service decided it")
            continue
        if record.text is None:
            _count(found, "the text was not kept")
            continue
        batch.append((record.text, record))
        if len(batch) == BATCH:
            _judge(silent, session, batch, found)
            batch = []
    _judge(silent, session, batch, found)
    return found


def _judge(policy: Policy, session: ImpactModel, batch: list[tuple[str, Recorded]], found: Impact) -> None:
    masked = [mask_parts(session.masking, text) for text, _ in batch]
    decided = [record.decided() for _, record in batch]
    predictions = session.predict([each.text for each in masked], [_fields(policy, each) for each in decided])
    for (_, record), recorded, each, prediction in zip(batch, decided, masked, predictions, strict=True):
        try:
            after = decide_again(policy, recorded, each, prediction)
            same = recorded["outcome"] == after.outcome or _drifted(policy, record, after, prediction)
        except RequestError:
            _count(found, "its fields do not fit this release")
            continue
        except TypeError:
            _count(found, "it was decided for another task")
            continue
        found.judged += 1
        route = "automatic" if recorded["reason"] == "audit" else str(recorded["route"])
        change = Change(str(recorded["outcome"]), after.outcome, route, after.route)
        if not same or change.route_before != change.route_after:
            found.changes.setdefault(change, []).append(str(recorded["id"]))


def _fields(policy: Policy, recorded: Mapping[str, Any]) -> dict[str, Scalar]:
    """The recorded fields as this release types them; none where they do not fit it, which is found when it decides."""
    try:
        return policy.schema.recorded(recorded["facts"]["fields"] or {})
    except RequestError:
        return {}


def _drifted(policy: Policy, record: Recorded, after: Decision, prediction: Prediction) -> bool:
    """Whether both outcomes are of the models alone and differ by no more than two machines may."""
    if after.forced or record.decided()["forced"]:
        return False
    before = record.predicted().answer
    return other_outcome(policy.task, before, prediction.answer, policy.spec.tolerance) is None


def _count(found: Impact, why: str) -> None:
    found.unjudged[why] = found.unjudged.get(why, 0) + 1
