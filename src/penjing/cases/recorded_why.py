"""Why recorded cases were decided as they were, in words, with the policy of the release that decided each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penjing.core.errors import PenjingError
from penjing.decide.policy import Policy, load_policy
from penjing.explain.why import Language, why
from penjing.store.database import Store
from penjing.store.releases import open_recorded


class RecordedWhy:
    """The words for a reader; each release is opened once. Where its folder is not there, they name no threshold."""

    def __init__(self, store: Store, language: Language = "en") -> None:
        self._store, self._language = store, language
        self._known: dict[str, Policy | None] = {}

    def __call__(
        self,
        release: str,
        decided: Mapping[str, Any],
        evidence: Mapping[str, Any] | None = None,
        text: str | None = None,
    ) -> str:
        """The sentences in one line. decided, evidence, text: as they were recorded.

        Raises KeyError for a changed record.
        """
        if release not in self._known:
            self._known[release] = self._opened(release)
        return _MARK[self._language].join(why(decided, self._known[release], evidence, self._language, text))

    def _opened(self, release: str) -> Policy | None:
        try:
            return load_policy(open_recorded(self._store, release))
        except PenjingError:
            return None


_MARK = {"en": "; ", "zh": "；"}
