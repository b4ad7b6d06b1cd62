"""Why a rule decides as it does: its column `why`, from the release that decided."""

from __future__ import annotations

from penjing.core.errors import PenjingError
from penjing.decide.policy import load_policy
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
            rules = load_policy(open_recorded(self._store, release)).rules
        except PenjingError:
            return {}
        return {rule.name: rule.why for rule in rules.rules} if rules else {}
