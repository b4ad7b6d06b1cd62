"""The masking bench in small: the goal by kind, on a seed that is neither the one tuned on nor the one reported."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from penjing.data.mask import KINDS, VERSION, open_masking

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("masking")


@pytest.fixture
def items(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("masking_items")


def test_the_newest_masking_reaches_the_goal(bench: ModuleType, items: ModuleType) -> None:
    made = items.texts(11, 3_600)
    counted = bench.count(made, open_masking(VERSION))
    assert bench.below(bench.figures(counted)) == []
    negatives = sum(len(each.negatives) for each in made)
    assert negatives >= 1_000 and sum(counted["items"].values()) >= 2_000
    assert sum(counted["touched"].values()) < 0.02 * negatives


def test_the_first_masking_does_not(bench: ModuleType, items: ModuleType) -> None:
    assert len(bench.below(bench.figures(bench.count(items.texts(11, 1_500), open_masking("1"))))) > len(KINDS)


def test_the_set_is_the_same_for_a_seed_and_places_its_items(items: ModuleType) -> None:
    made = items.texts(3, 600)
    assert made == items.texts(3, 600) != items.texts(4, 600)
    kinds = Counter(gold.kind for each in made for gold in each.gold)
    assert set(kinds) == set(KINDS)
    for each in made:
        for gold in each.gold:
            assert each.text[gold.start : gold.end].strip() == each.text[gold.start : gold.end] != ""


def test_what_is_found_missed_and_wrong_is_told_apart(bench: ModuleType, items: ModuleType) -> None:
    text = items.Text("打 138 1 或 20", (items.Gold("mobile", 2, 7, 2, 7),), (("order", 10, 12),))

    def counts(masked: str) -> tuple[int, int, int, int]:
        class Result:
            text = masked

        found = bench.count([text], lambda _: Result)
        return tuple(found[name]["mobile"] for name in ("items", "found", "masked", "right"))  # type: ignore[return-value]

    assert counts("打 ⟦mobile⟧ 或 20") == (1, 1, 1, 1)
    assert counts("打 138 1 或 20") == (1, 0, 0, 0)
    assert counts("打 ⟦mobile⟧ 1 或 20") == (1, 0, 1, 1)
    assert counts("打 ⟦mobile⟧ 或 ⟦mobile⟧") == (1, 1, 2, 1)
    assert counts("打 138 1 或 ⟦mobile⟧") == (1, 0, 1, 0)
    assert counts("打 ⟦ip⟧ 或 20") == (1, 0, 0, 0)
