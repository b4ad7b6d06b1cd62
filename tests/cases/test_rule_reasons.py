"""The reason of a rule comes from the release that decided, and is empty where it cannot be read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from penjing.cases.rule_reasons import RuleReasons, doubts
from penjing.core.artifact import open_release
from penjing.core.nouns import Release
from penjing.decide.policy import load_policy
from penjing.store.database import open_store
from penjing.store.records import scan_records
from penjing.store.releases import put_in_service

SIXTH = Path(__file__).parents[1] / "golden" / "sixth"


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


@pytest.mark.parametrize("name", ["by-label", "by-item"])
def test_what_the_model_left_open_is_named_for_a_reviewer(name: str, tmp_path: Path) -> None:
    for file in SIXTH.glob("store.sqlite*"):
        hidden = "." if file.suffix in (".key", ".head") else ""
        shutil.copyfile(file, tmp_path / f"{hidden}{file.name}").chmod(0o600)
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    release = open_release(SIXTH / name)
    put_in_service(store, release)
    why, policy = RuleReasons(store), load_policy(release)
    named = 0
    for record in scan_records(store, release=release.id):
        decided = json.loads(record.decision)
        found = doubts(policy, decided).get("doubts", {})
        said = why.doubts(release.id, decided)
        if name == "by-item":
            kinds = [span[2] for span in decided["facts"]["spans"]]
            found = {f"{place} {kinds[int(place)]}" if place.isdigit() else place: one for place, one in found.items()}
        assert said == "; ".join(f"{part}: {reason}" for part, reason in found.items())
        named += bool(said)
    assert named > 5 and why.doubts("f" * 64, {}) == ""
    store.close()
