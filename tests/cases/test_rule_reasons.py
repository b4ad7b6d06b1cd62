"""The reason of a rule comes from the release that decided, and is empty where it cannot be read."""

from __future__ import annotations

from pathlib import Path

from penjing.cases.rule_reasons import RuleReasons
from penjing.core.nouns import Release
from penjing.decide.policy import load_policy
from penjing.store.database import open_store
from penjing.store.releases import put_in_service


def test_reasons_of_a_release_in_service_and_of_one_that_never_was(tiny_release: Release, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/p.db")
    put_in_service(store, tiny_release)
    why = RuleReasons(store)
    rules = load_policy(tiny_release).rules
    assert rules is not None and any(rule.why for rule in rules.rules)
    decided = {rule.name: {"reason": "rule_review", "facts": {}, "fired": [rule.name]} for rule in rules.rules}
    assert [why(tiny_release.id, decided[rule.name]) for rule in rules.rules] == [rule.why for rule in rules.rules]
    first = decided[rules.rules[0].name]
    assert why(tiny_release.id, first | {"fired": ["no such rule"]}) == "" and why("f" * 64, first) == ""
    assert why(tiny_release.id, first | {"reason": "missing_field"}) == ""
    store.close()
