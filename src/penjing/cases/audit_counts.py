"""What audited decisions count as their certificate does: items, answers without any, and labels given and missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penjing.cases.rule_reasons import RuleReasons
from penjing.core.itemwise import ItemwiseTask
from penjing.core.labelwise import LabelwiseTask
from penjing.decide.policy import Policy
from penjing.store.audits import AuditedDecision
from penjing.store.database import Store

ITEMS, EMPTY = "items", "empty"


@dataclass
class AuditCounts:
    """Of each audited decision how many cases of one limit it has, how many of them are wrong, and how it was drawn.

    most: the most cases that any decision could have, known before it was made.
    """

    cases: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    most: int = 1


@dataclass
class CertifiedCounts:
    """The counts of all decisions by limit: ITEMS or EMPTY; of labels, those given, and those that the verdict has."""

    parts: dict[str, AuditCounts] = field(default_factory=dict)
    given: dict[str, AuditCounts] = field(default_factory=dict)
    missed: dict[str, AuditCounts] = field(default_factory=dict)


def count_as_certified(store: Store, judged: Iterable[AuditedDecision]) -> CertifiedCounts:
    """The counts of audits whose release is certified by item or by label, and is where it was in service.

    Outcomes that a rule forced are in no certificate, and are left out.
    """
    reasons, found = RuleReasons(store), CertifiedCounts()
    for one in judged:
        policy = None if one.forced else reasons.policy(one.release)
        if policy is None or policy.spec.certify == "case":
            continue
        for table, name, cases, wrong in _limits(policy, one.decided, one.verdict):
            counts = getattr(found, table).setdefault(name, AuditCounts())
            counts.cases.append(cases)
            counts.wrong.append(wrong)
            counts.drawn.append(one.drawn)
            if name == ITEMS and isinstance(policy.task, ItemwiseTask):
                counts.most = max(counts.most, policy.task.most)
    return found


def _limits(policy: Policy, decided: Mapping[str, Any], verdict: str) -> Iterable[tuple[str, str, int, int]]:
    """(field of `CertifiedCounts`, name, cases, wrong ones) of each limit on which a decision counts."""
    task, facts = policy.task, decided["facts"]
    if isinstance(task, ItemwiseTask):
        right = task.right(facts, verdict)
        if right:
            yield "parts", ITEMS, len(right), len(right) - sum(right)
        else:
            yield "parts", EMPTY, 1, int(bool(task.meant(verdict)))
    elif isinstance(task, LabelwiseTask):
        given, gold = set(task.members(decided["outcome"])), set(task.members(verdict))
        for label in sorted(given):
            yield "given", label, 1, int(label not in gold)
        for label in sorted(gold):
            yield "missed", label, 1, int(label not in given)
        if not given:
            yield "parts", EMPTY, 1, int(bool(gold))
