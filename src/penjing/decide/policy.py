"""The policy of a release: first rules over calibrated facts, then the certified threshold, then the audit share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from penjing.core.canon import unit_hash
from penjing.core.certificate import FORMATS, POLICY, RULES
from penjing.core.errors import DamageError
from penjing.core.formats import refuse_newer
from penjing.core.nouns import Decision, Prediction, Release, Scalar
from penjing.core.options import explain
from penjing.core.task import Task
from penjing.core.zone import UTC, TimeZone
from penjing.data import fold, mask
from penjing.data.mask import Masked, open_masking
from penjing.data.seen import MISSING, Seen
from penjing.decide import facts as fact_versions
from penjing.decide.by_model import ByModel, Thresholds
from penjing.decide.clock import seconds_of
from penjing.decide.condition import Rule, Then
from penjing.decide.editions import FORMS, AnyTable, open_rules
from penjing.decide.first.table import Rule as FirstRule
from penjing.decide.schema import FactSchema, UnknownValues, unknown_of
from penjing.decide.table import RuleTable
from penjing.tasks import as_certified, opened, task_of

# The format of a policy whose limits are about parts of answers.
BY_PART = {"label": 6, "item": 7}
# The reason for the route of a case. The keys are stable: records, metrics and the console use them.
REASONS = {
    "above_threshold": "the model is surer than the certified threshold",
    "below_threshold": "the model is less sure than the certified threshold",
    "too_many": "the text has more items than are decided without a person",
    "within_tolerance": "the score is so near a threshold or a second label that another machine might differ",
    "not_certified": "no threshold is certified for this label",
    "not_certified_period": "rules have dates, and nothing is certified for the period in which the request lies",
    "too_long": "the text is longer than the model takes",
    "out_of_scope": "the text is unlike those that the model learned from: it may fit none of the labels",
    "rule_review": "a rule sends the case to a person",
    "rule_outcome": "a rule forces the outcome",
    "missing_field": "a rule needs a field that the request did not give",
    "unknown_value": "an enumerated field has a value that is not among its listed values",
    "missing_feature": "a field that the model reads is empty, and was never empty in training",
    "unseen_feature": "a field that the model reads has a value that the training rows did not have",
    "audit": "an automatic case that was drawn for a check by a person",
}


class Period(BaseModel):
    """The thresholds between two dates of rules, as inclusive local seconds since 1970 (None: no bound).

    thresholds: as of the policy; none where nothing is certified in this period.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int | None = None
    last: int | None = None
    thresholds: dict[str, float | None] = {}


class PolicySpec(BaseModel):
    """`policy/policy.json`: when the model decides by itself. A label with the threshold None is always reviewed.

    masking, folding, rules: the versions by which the release masks, compares texts and reads its rules. Format 1, of
    the first releases, names none of them: it means the first of each. Formats 1 and 2 have `labels`, one of which is
    the answer. Format 3 has `task` instead, with `type` and what the task learned of its data; its thresholds are by
    the scopes of the task. Format 4 has either, and names the version of the facts that are recorded (`facts`) and what
    the train rows had of each declared field that the model reads (`features`). unknown_values: whether a new value of
    an enumerated field is refused, or sends the case to review; only the second is written. Where rules depend on the
    time, it has the thresholds of each period between their dates (`periods`), which apply instead of `thresholds`.
    Format 5 is format 4 with a scope, a time zone or both. `scope`: whether a text is out of scope is a fact, and such
    a text goes to a person where no rule decides. `time_zone`: the zone by whose clock rules and periods are dated, its
    offsets included; without it this is UTC. Format 6 is certified label by label (`certify`), and may have both; its
    thresholds are by `yes.LABEL` and `no.LABEL`. Format 7 is by item, of at most `most_items` a text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1, 2, 3, 4, 5, 6, 7] = 1
    labels: tuple[str, ...] = ()
    task: dict[str, Any] = {}
    thresholds: dict[str, float | None]
    audit: float = Field(0.01, ge=0, le=1)
    tolerance: float = Field(0.0, ge=0, lt=1)
    fields: dict[str, str | tuple[str, ...]] = {}
    max_error: float | dict[str, float] = 0.05
    texts: Literal["masked", "none"] = "masked"
    masking: str = mask.FIRST
    folding: str = fold.FIRST
    rules: str = FORMS[0]
    facts: str = fact_versions.FIRST
    features: dict[str, Seen] = {}
    unknown_values: UnknownValues = "refuse"
    periods: tuple[Period, ...] = ()
    scope: bool = False
    time_zone: TimeZone = UTC
    certify: Literal["case", "label", "item"] = "case"
    most_items: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _fits_its_format(self) -> PolicySpec:
        if self.format == 1 and self._versions() != (mask.FIRST, fold.FIRST, FORMS[0]):
            raise ValueError("format 1 cannot name a masking, a folding or a form of rules")
        if bool(self.task) == bool(self.labels) or (self.format < 4 and (self.format == 3) != bool(self.task)):
            raise ValueError("formats 1 and 2 name labels and no task, format 3 a task and no labels, the next either")
        of_text, known = self.facts in fact_versions.OF_TEXT, self.facts in fact_versions.VERSIONS
        if known and self.rules in FORMS and (self.rules == FORMS[-1]) != of_text:
            raise ValueError("facts of versions 3 to 5 are those of rules of form 2, and of no others")
        dated = self.format < 6 and (self.format == 5) != (self.scope or self.time_zone != UTC)
        if dated or (self.format == 6) != (self.certify == "label"):
            raise ValueError("format 5 is for a scope or a time zone, format 6 for certificates label by label")
        if not (self.format == 7) == (self.certify == "item") == (self.most_items > 0):
            raise ValueError("format 7 is for certificates item by item, and names the most items of a text")
        if self.scope and self.facts in fact_versions.VERSIONS[:3]:
            raise ValueError("a policy with a scope has facts of version 4 or later")
        if self.format < 4 and (self.features or self.facts != fact_versions.FIRST):
            raise ValueError("formats 1 to 3 name no version of facts and no features")
        if self.time_zone != UTC and self.rules != FORMS[-1]:
            raise ValueError("a policy with a time zone has rules of form 2")
        if self.unknown_values == "review" and self.facts in fact_versions.VERSIONS[:2]:
            raise ValueError("facts of versions 1 and 2 name no fields with unknown values")
        return self

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Policies of formats 1 to 3 keep their bytes."""
        values: dict[str, Any] = handler(self)
        absent = ["masking", "folding", "rules"] * (self.format == 1) + ["facts", "features"] * (self.format < 4)
        absent += [name for name in ("periods", "scope", "most_items") if not values.get(name)]
        usual = {"unknown_values": "refuse", "time_zone": UTC, "certify": "case"}
        absent += [name for name, value in usual.items() if getattr(self, name) == value]
        absent.append("labels" if self.task else "task")
        return {name: value for name, value in values.items() if name not in absent}

    def _versions(self) -> tuple[str, str, str]:
        return self.masking, self.folding, self.rules

    def newest_rules(self) -> PolicySpec:
        """The same policy for rules of the newest edition, with the folding and the facts that belong to them."""
        newest = {
            "format": BY_PART.get(self.certify) or (5 if self.scope or self.time_zone != UTC else 4),
            "rules": FORMS[-1],
            "folding": fold.VERSION,
            "facts": fact_versions.VERSION,
            "periods": (),
        }
        return self.model_copy(update=newest)

    def opened_task(self) -> Task:
        """The task of this policy. Raises UsageError for one that is not known here."""
        return as_certified(opened(self.labels, self.task), self.certify, most=self.most_items)

    def schema_of_facts(self) -> FactSchema:
        """The facts that rules of this policy may name."""
        return FactSchema(
            labels=self.labels,
            fields=self.fields,
            masking=self.masking,
            folding=self.folding,
            other=self.task,
            features={name: seen.empty for name, seen in self.features.items()},
            unknown_values=self.unknown_values,
            scope=self.scope,
            zone=self.time_zone,
            quotes=self.facts in fact_versions.OF_PIECES,
        )


@dataclass(frozen=True)
class Policy:
    """Facts -> Decision: a pure function of the recorded facts, the record's id and the release's id."""

    spec: PolicySpec
    rules: AnyTable | None
    release_id: str

    @cached_property
    def task(self) -> Task:
        """The task, which defines the meaning of an answer and its outcome."""
        return self.spec.opened_task()

    @cached_property
    def schema(self) -> FactSchema:
        """The facts of the answer and the declared fields, with their types."""
        return self.spec.schema_of_facts()

    def compile(self) -> None:
        """Compile the rules now. Otherwise the first case does it: word lists of a million words take seconds."""
        if isinstance(self.rules, RuleTable):
            _ = self.rules.matcher

    @cached_property
    def reasons(self) -> dict[str, str]:
        """The column `why` of each rule that has one, by the name of the rule."""
        return {rule.name: rule.why for rule in self.rules.rules if rule.why} if self.rules else {}

    def facts(
        self,
        prediction: Prediction,
        masked: Masked,
        fields: Mapping[str, Scalar],
        clock: str,
        draw: float | None = None,
    ) -> dict[str, Any]:
        """All facts on which a decision may be based, as plain JSON values, without any text.

        prediction: a calibrated answer, its numbers rounded to 1e-6; masked: the text with its counts; fields: as
        `FactSchema.read` gives them; clock: the time of the request, given by the caller and never read here.
        draw: what the case drew (`draw.py`), kept in facts of version 3; None: it is not audited.
        """
        found = self.task.facts(prediction.answer) | {
            "too_long": prediction.too_long,
            "pii": dict(masked.counts),
            "fields": {name: fields.get(name) for name in self.spec.fields},
            "clock": clock,
        }
        if isinstance(self.rules, RuleTable) or self.spec.facts in fact_versions.OF_TEXT:
            found["text"] = self.rules.seen(masked.text) if isinstance(self.rules, RuleTable) else {}
        else:
            found["contains"] = self.rules.contained(masked.text) if self.rules else {}
        if isinstance(self.rules, RuleTable) and self.schema.quoted:
            found |= self.rules.quoted(self.schema.quotes_of(prediction.answer, masked.text))
        if self.spec.facts == fact_versions.FIRST:
            return found
        if self.spec.scope:
            found["out_of_scope"] = prediction.out_of_scope
        if draw is not None and self.spec.facts in fact_versions.OF_TEXT:
            found["audit"] = {"draw": draw, "probability": self.spec.audit}
        # Only what is wrong is recorded, without the value: it stays when the fields are erased.
        faults = {name: seen.fault(fields.get(name)) for name, seen in self.spec.features.items()}
        if unknown := unknown_of(fields):
            found["unknown"] = list(unknown)
        return found | {"version": self.spec.facts, "features": {name: what for name, what in faults.items() if what}}

    def decide(self, record_id: str, facts: Mapping[str, Any]) -> Decision:
        """The decision on these facts. There is always an outcome; for review it is the proposal to the person."""
        course = self._course(facts)
        route, reason = course.route, course.reason
        forced = reason == "rule_outcome"
        if route == "automatic" and self._audits(record_id, facts):
            route, reason = "review", "audit"
        return Decision(
            id=record_id,
            release=self.release_id,
            outcome=course.outcome,
            route=route,
            decided_by=course.by,
            forced=forced,
            reason=reason,
            facts=facts,
            fired=course.fired,
            queue=course.queue,
        )

    def _audits(self, record_id: str, facts: Mapping[str, Any]) -> bool:
        """Whether an automatic decision goes to a person as an audit."""
        if not self.spec.audit:
            return False
        if fact_versions.version_of(facts) not in fact_versions.OF_TEXT:
            return unit_hash(self.release_id, record_id) < self.spec.audit
        drawn = facts.get("audit")
        return drawn is not None and drawn["draw"] < drawn["probability"]

    def _course(self, facts: Mapping[str, Any]) -> _Course:
        answered, unmet = self.task.outcome(facts), _unmet(facts)
        first = self.rules.first(facts) if self.rules else None
        fired: tuple[str, ...] = ()
        if first is not None:
            rule, absent = first
            then, fired = _end(rule), (rule.name,)
            if absent:
                new = set(absent) & set(facts.get("unknown") or ())
                return _Course(answered, "review", "rule", "unknown_value" if new else "missing_field", fired)
            if then.kind == "review":
                return _Course(answered, "review", "rule", "rule_review", fired, then.value)
            if then.kind == "outcome" and unmet:
                return _Course(then.value, "review", "rule", unmet, fired)
            if then.kind == "outcome":
                return _Course(then.value, "automatic", "rule", "rule_outcome", fired)
        if unmet:
            return _Course(answered, "review", "model", unmet, fired)
        route, reason = self._by_threshold(facts)
        return _Course(answered, route, "model", reason, fired)

    def _by_threshold(self, facts: Mapping[str, Any]) -> ByModel:
        if facts["too_long"]:
            return "review", "too_long"
        if facts.get("out_of_scope"):
            return "review", "out_of_scope"
        thresholds = self.thresholds_at(facts["clock"])
        if self.spec.periods and not thresholds:
            return "review", "not_certified_period"
        return self._thresholds.decide(facts, thresholds)

    @cached_property
    def _thresholds(self) -> Thresholds:
        return Thresholds(self.task, self.spec.tolerance)

    def doubts(self, facts: Mapping[str, Any]) -> dict[str, str]:
        """Of an answer with parts (tasks, labels, items) those that the model would not decide, with the reason."""
        return self._thresholds.doubts(facts, self.thresholds_at(facts["clock"]))

    def thresholds_at(self, clock: str) -> Mapping[str, float | None]:
        """The thresholds at the clock of a request; none in a period in which nothing is certified."""
        if not self.spec.periods:
            return self.spec.thresholds
        second = seconds_of(clock, self.spec.time_zone)
        for each in self.spec.periods:
            if (each.first is None or each.first <= second) and (each.last is None or second <= each.last):
                return each.thresholds
        return {}


@dataclass(frozen=True)
class _Course:
    """The parts of a decision before the draw for audit."""

    outcome: str
    route: Literal["automatic", "review"]
    by: Literal["model", "rule"]
    reason: str
    fired: tuple[str, ...]
    queue: str = ""


def _end(rule: Rule | FirstRule) -> Then:
    """What follows where a rule of either edition holds."""
    if isinstance(rule, Rule):
        return rule.then
    return Then("review") if rule.outcome is None else Then("outcome", rule.outcome)


def _unmet(facts: Mapping[str, Any]) -> str:
    """The reason why the model should not be trusted with the fields of a case, or "".

    It holds for an outcome that a rule forces too: rows above that rule may ask for the model's answer.
    """
    if facts.get("unknown"):
        return "unknown_value"
    faults = facts.get("features") or {}
    if not faults:
        return ""
    return "missing_feature" if MISSING in faults.values() else "unseen_feature"


def load_policy(release: Release) -> Policy:
    """The policy of a verified release, its rules read; `compile` compiles them. Raises DamageError or RuleError."""
    path = release.folder / POLICY
    try:
        spec = PolicySpec.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DamageError("the release has no policy/policy.json", where=str(release.folder)) from None
    except ValidationError as error:
        refuse_newer(path.read_bytes(), FORMATS[POLICY], path.name, str(path))
        raise DamageError(f"policy.json is not valid: {explain(error, PolicySpec)[0][1]}", where=str(path)) from None
    _check_task(spec, release)
    open_masking(spec.masking, str(path))
    fold.open_folding(spec.folding, str(path))
    fact_versions.check_version(spec.facts, str(path))
    read = open_rules(spec.rules, str(path))
    rules = release.folder / RULES
    schema = replace(spec.schema_of_facts(), read_as=release.info.labels_read_as)
    table = read(rules, schema) if rules.is_file() else None
    return Policy(spec=spec, rules=table, release_id=release.id)


def _check_task(spec: PolicySpec, release: Release) -> None:
    """Raise DamageError if policy and model have different tasks, UsageError if the task is not known here."""
    where, fix = str(release.folder), "make the release again"
    model = task_of(release.artifact.card, where)
    try:
        task = opened(spec.labels, spec.task, where)
    except (KeyError, TypeError, ValueError) as error:
        raise DamageError(f"policy.json describes no task: {error!r}", where=where, fix=fix) from None
    if (task.name, task.state) == (model.name, model.state):
        return
    if task.name == model.name and spec.labels:
        raise DamageError("the policy and the model have different labels", where=where, fix=fix)
    raise DamageError(
        f"the policy and the model have different tasks: `{task.name}` {task.state}, `{model.name}` {model.state}",
        where=where,
        fix=fix,
    )
