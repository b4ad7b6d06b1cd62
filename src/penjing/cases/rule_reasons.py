"""Why a rule decides as it does: its column `why`, from the release that decided."""

from __future__ import annotations

from collections.abc import Sequence

from penjing.core.errors import PenjingError
from penjing.decide.policy import Policy, load_policy
from penjing.store.database import Store
from penjing.store.releases import open_recorded


class RuleReasons:
    """The reasons of rules by release; each release is opened once, if its folder is still there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[str, str]] = {}

    def __call__(self, release: str, rule: str) -> str:
        """The reason of a rule by its name; "" where it has none, or the release cannot be opened any more."""
        if release not in self._known:
            self._known[release] = self._of(release)
        return self._known[release].get(rule, "")

    def _of(self, release: str) -> dict[str, str]:
        try:
            return load_policy(open_recorded(self._store, release)).reasons
        except PenjingError:
            return {}


def rule_why(policy: Policy, fired: Sequence[str]) -> dict[str, str]:
    """The part `rule_why` of an answer: the column `why` of the rule that fired; nothing where it has none."""
    reasons = [policy.reasons[name] for name in fired if name in policy.reasons]
    return {"rule_why": "; ".join(reasons)} if reasons else {}
