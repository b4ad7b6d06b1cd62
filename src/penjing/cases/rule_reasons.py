"""What an answer says beside the record: why a rule decides as it does, and what the model left open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penjing.core.errors import PenjingError
from penjing.core.itemwise import ItemwiseTask
from penjing.core.task import ApartTask
from penjing.decide.absent import rule_reasons
from penjing.decide.by_model import BY_THRESHOLD
from penjing.decide.policy import Policy, load_policy
from penjing.store.database import Store
from penjing.store.releases import open_recorded


class RuleReasons:
    """The reasons of rules by release; each release is opened once, if its folder is still there."""

    def __init__(self, store: Store, policies: Mapping[str, Policy | None] | None = None) -> None:
        """policies: those that are open already, by the id of their release; None: it cannot be opened."""
        self._store = store
        self._known: dict[str, Policy | None] = dict(policies or {})

    def __call__(self, release: str, decided: Mapping[str, Any]) -> str:
        """The reasons of the rules that decided a case; "" where they have none, or the release cannot be opened."""
        policy = self.policy(release)
        return "" if policy is None else "; ".join(rule_reasons(policy, decided).values())

    def doubts(self, release: str, decided: Mapping[str, Any]) -> str:
        """The tasks, labels or items that the model left open, each with its reason; items by number and kind.

        "" where there are none, or the release cannot be opened.
        """
        policy = self.policy(release)
        if policy is None:
            return ""
        named = doubts(policy, decided).get("doubts", {})
        items = policy.task.items(decided["facts"]) if isinstance(policy.task, ItemwiseTask) else ()
        kinds = {str(place): f"{place} {one.kind}" for place, one in enumerate(items)}
        return "; ".join(f"{kinds.get(name, name)}: {reason}" for name, reason in named.items())

    def parts(self, release: str, decided: Mapping[str, Any]) -> dict[str, Any]:
        """As `policy_parts`; p alone where the release cannot be opened."""
        policy = self.policy(release)
        return {"p": decided["facts"]["p"]} if policy is None else policy_parts(policy, decided)

    def policy(self, release: str) -> Policy | None:
        """The policy of a release; None where the release cannot be opened."""
        if release not in self._known:
            self._known[release] = self._of(release)
        return self._known[release]

    def _of(self, release: str) -> Policy | None:
        try:
            return load_policy(open_recorded(self._store, release))
        except PenjingError:
            return None


def policy_parts(policy: Policy, decided: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of every answer that are not recorded, but follow from the record: `p`, `rule_why` and `doubts`.

    decided: as `Decision.to_json` gives it, of a release with this policy.
    """
    return {"p": decided["facts"]["p"]} | rule_why(policy, decided) | doubts(policy, decided)


def doubts(policy: Policy, decided: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The part `doubts` of an answer: of several tasks or labels those that the model would not decide, and why.

    Of items certified one by one by their numbers: all of them where a rule or the text itself decides the route, so
    that an item that is not named is decided.
    """
    found, task = policy.doubts(decided["facts"]), policy.task
    if isinstance(task, ItemwiseTask):
        reason, numbers = str(decided["reason"]), range(len(task.items(decided["facts"])))
        if decided["route"] == "automatic" or (decided["decided_by"] == "rule" and reason == "audit"):
            return {}
        if decided["decided_by"] == "rule" or reason not in BY_THRESHOLD:
            found = {str(place): reason for place in numbers}
        return {"doubts": found} if found else {}
    named = {task.part_of(scope): why for scope, why in found.items()} if isinstance(task, ApartTask) else {}
    return {"doubts": named} if named else {}


def rule_why(policy: Policy, decided: Mapping[str, Any]) -> dict[str, str]:
    """The part `rule_why` of an answer: the column `why` of the rule that decided; nothing where it has none."""
    reasons = rule_reasons(policy, decided).values()
    return {"rule_why": "; ".join(reasons)} if reasons else {}
