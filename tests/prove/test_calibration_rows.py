"""Opening calibration rows: noted before they are looked at, dearer for another promise, free for the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.labelled_cases import LABELS

from penjing.core.nouns import Artifact, Table
from penjing.decide.policy import Policy, PolicySpec
from penjing.prove.calibration_rows import OpenedRows, ledger_of, open_rows
from penjing.prove.misses import Promised
from penjing.prove.openings import LEDGER, read_openings

TABLE = Table(texts=[f"text number {n}" for n in range(20)], labels=["good"] * 20)
POLICY = Policy(PolicySpec(labels=LABELS, thresholds=dict.fromkeys(LABELS)), None, "")
PROMISED = Promised(0.1, {})


@pytest.fixture
def artifact(tiny_release) -> Artifact:
    return tiny_release.artifact


def test_every_part_of_a_promise_makes_it_another_one(artifact: Artifact, tmp_path: Path) -> None:
    ledger = tmp_path / LEDGER

    def opened(policy: Policy = POLICY, promised: Promised = PROMISED, rows: tuple[str, ...] = ("v",)) -> OpenedRows:
        return open_rows(ledger, TABLE, policy, artifact, promised, rows)

    first = opened()
    assert (first.delta, first.earlier, first.left, first.table) == (0.05, (), (), TABLE)
    assert opened() == first and len(read_openings(ledger)) == 1
    limit = opened(promised=replace(PROMISED, max_error=0.2))
    assert limit.delta == 0.025 and len(limit.earlier) == 1 and len(limit.earlier[0].promise) == 16
    assert opened(promised=replace(PROMISED, max_miss={"bad": 0.1})).delta == 0.0125
    assert opened(replace(POLICY, spec=POLICY.spec.model_copy(update={"tolerance": 0.01}))).delta == 0.00625
    assert opened(rows=("w",)).delta == 0.003125
    assert opened() == first


def test_new_rows_are_opened_alone_where_they_are_half_or_more(artifact: Artifact, tmp_path: Path) -> None:
    ledger = tmp_path / LEDGER
    open_rows(ledger, TABLE.take(range(8)), POLICY, artifact, PROMISED, ())
    found = open_rows(ledger, TABLE, POLICY, artifact, replace(PROMISED, max_error=0.2), ())
    assert found.table.texts == TABLE.texts[8:] and found.delta == 0.05 and len(found.left) == 8


def test_the_ledger_is_beside_the_recipe_or_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "out"
    assert ledger_of(recipe, out) == tmp_path / LEDGER
    monkeypatch.setattr("os.access", lambda *_: False)
    assert ledger_of(recipe, out) == out / LEDGER
