"""Audits of releases that are certified by item or by label count as their certificates do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serve.test_lookups import golden_store

from penjing.cases.audit_counts import EMPTY, ITEMS, count_as_certified
from penjing.cli.audits import _by_limit, _limit_lines
from penjing.core.artifact import open_release
from penjing.core.chinese import chinese
from penjing.store.audits import AuditedDecision
from penjing.store.database import Store
from penjing.store.records import scan_records
from penjing.store.releases import put_in_service

SIXTH = Path(__file__).parents[1] / "golden" / "sixth"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = golden_store("sixth", tmp_path)
    yield opened
    opened.close()


def audits(store: Store, name: str, *, forced: bool = False) -> list[AuditedDecision]:
    """All automatic decisions of the model of a release, each judged as it was decided."""
    release = open_release(SIXTH / name)
    put_in_service(store, release)
    return [
        AuditedDecision(one.id, one.release, one.created, 0.5, False, forced, one.decided(), one.outcome)
        for one in scan_records(store, release=release.id)
        if one.route == "automatic" and not one.decided()["forced"]
    ]


def judged(one: AuditedDecision, verdict: str) -> AuditedDecision:
    return AuditedDecision(one.id, one.release, one.created, 0.5, True, False, one.decided, verdict)


def test_items_are_counted_and_not_whole_texts(store: Store) -> None:
    made = audits(store, "by-item")
    sizes = [len(json.loads(one.verdict)) for one in made]
    counts = count_as_certified(store, made)
    assert sum(counts.parts[ITEMS].cases) == sum(sizes) > len([size for size in sizes if size])
    assert sum(counts.parts[ITEMS].wrong) == 0 and counts.parts[ITEMS].most >= max(sizes)
    assert not counts.given and not counts.missed
    place = next(place for place, size in enumerate(sizes) if size > 1)
    one_less = json.dumps(json.loads(made[place].verdict)[1:])
    wrong = count_as_certified(store, [*made[:place], judged(made[place], one_less), *made[place + 1 :]])
    figures = _by_limit(wrong, 0.5)["items"]
    assert (figures["cases"], figures["wrong"]) == (sum(sizes), 1) and figures["error"] == round(1 / sum(sizes), 6)
    assert figures["low"] < figures["error"] < figures["high"]
    lines = _limit_lines(_by_limit(wrong, 0.5))
    assert lines[0] == f"by item, as the certificate counts: of {sum(sizes)} items 1 were wrong"
    assert all(chinese(line) != line for line in lines)


def test_labels_are_counted_where_they_are_given_and_where_they_are_missed(store: Store) -> None:
    made = audits(store, "by-label")
    counts = count_as_certified(store, made)
    given = sum(len(one.cases) for one in counts.given.values())
    assert given == sum(len(one.verdict.split(";")) for one in made if one.verdict) > 0
    assert not any(sum(one.wrong) for one in [*counts.given.values(), *counts.missed.values()])
    first = next(one for one in made if one.verdict == "card")
    found = count_as_certified(store, [judged(first, "fees")])
    assert (found.given["card"].wrong, found.missed["fees"].wrong, EMPTY in found.parts) == ([1], [1], False)
    lines = _limit_lines(_by_limit(found, 0.5))
    assert lines == [
        "`card` was given 1 times, of which 1 were wrong",
        "`fees` belonged to 1 decisions, of which 1 missed it",
    ]
    assert all(chinese(line) != line for line in lines)


def test_what_no_certificate_covers_is_left_out(store: Store) -> None:
    assert not count_as_certified(store, audits(store, "by-item", forced=True)).parts
    gone = [
        AuditedDecision("x", "f" * 64, "", 0.5, False, False, {"facts": {}, "outcome": "a"}, "a"),
    ]
    assert not count_as_certified(store, gone).parts
