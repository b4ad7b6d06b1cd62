"""The bench of the claim: what a set lacks is said, and a set holds only with all folds and its times."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penjing.core.recipe import load_recipe
from penjing.make.plan import build_plan

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def claim(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("claim")


@pytest.fixture
def page(claim: ModuleType) -> ModuleType:
    assert claim
    return import_module("claim_page")


def fold(number: int, wrong: int = 0, **more: Any) -> dict[str, Any]:
    truth = [n % 2 for n in range(600)]
    student = [1 - label if place < wrong else label for place, label in enumerate(truth)]
    words = [1 - label if place < 60 else label for place, label in enumerate(truth)]
    row = {
        "key": "k",
        "set": "sms",
        "fold": number,
        "folds": 3,
        "labels": ["ham", "spam"],
        "over": [0, 1],
        "threads": 2,
    }
    row |= {"hardware": "x (avx512_vnni)", "truth": truth, "teacher": truth, "student": student, "linear": words}
    return row | more


def timed(p50: float = 0.2, times: float = 60.0) -> dict[str, Any]:
    one = {"p50_ms": p50, "p99_ms": 1.0, "online": 9.0, "times_online": times, "times_offline": 70.0}
    return {
        "penjing": one | {"macro_f1": {"value": 0.9}},
        "pipeline": one | {"macro_f1": {"value": 0.9}, "online": 1.0},
    }


def test_every_part_of_the_claim_is_needed(page: ModuleType) -> None:
    whole = [fold(0, subjects=timed()), fold(1), fold(2)]
    assert page.missed(whole) == []
    assert page.missed(whole[:2]) == ["2 of 3 folds"]
    assert page.missed([fold(0), fold(1), fold(2)]) == [page.NO_TIME]
    assert page.missed([fold(0, 30, subjects=timed()), fold(1), fold(2)]) == ["bound of kept below 99 %"]
    slow = [fold(0, subjects=timed(0.3, 40.0)), *whole[1:]]
    assert page.missed(slow) == ["p50 above 0.25 ms", "below 50 times"]


def test_the_page_says_how_many_hold_and_what_is_covered(page: ModuleType) -> None:
    rows = [fold(0, 6, subjects=timed()), fold(1, 6), fold(2, 6)]
    text = page.page([fold(0, 300, key="older"), *rows])
    assert "**Held on 0 of 7 sets**, with 3 of 21 folds run." in text and "Not run yet: Chinese reviews" in text
    assert "| SMS spam | 1,800 | 0.900 | 1.000 | 0.990 | 99.0 (≥ " in text and "| 90 % | 60 | 0.20 | 1.0 |" in text
    assert "**Held on 1 of 7 sets**" in page.page([fold(0, subjects=timed()), fold(1), fold(2)])


def test_times_are_a_line_of_their_own(page: ModuleType) -> None:
    times = {"key": "k", "set": "sms", "timed": 0, "threads": 2, "hardware": "quiet, with vnni", "subjects": timed()}
    rows = [times, fold(0), fold(1), fold(2)]
    assert page.missed(page.by_set(rows)["sms"]) == []
    assert page.missed(page.by_set([times | {"key": "older"}, *rows[1:]])["sms"]) == [page.NO_TIME]
    assert "2 threads of quiet, with vnni." in page.page(rows) and page.by_set([times]) == {}


def test_times_without_vnni_are_shown_and_decide_nothing(page: ModuleType) -> None:
    times = {"key": "k", "set": "sms", "timed": 0, "threads": 2, "hardware": "avx2", "subjects": timed(0.3, 40.0)}
    rows = [times, fold(0), fold(1), fold(2)]
    mine = page.by_set(rows)["sms"]
    assert page.missed(mine) == [page.NO_TIME] and page.state(mine) == "unproven"
    assert "| 40 | 0.30 | 1.0 | not timed on a CPU with VNNI |" in page.page(rows)
    both = page.by_set([times | {"hardware": "avx512_vnni", "subjects": timed()}, *rows])["sms"]
    assert page.state(both) == "held" and page.state(both[:2]) == "unproven"
    assert page.state([fold(0, 30), fold(1), fold(2)]) == "broken"


def test_a_processor_without_vnni_is_not_timed_unless_asked(
    claim: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(claim, "hardware", lambda: "a CPU (avx2)")
    results = tmp_path / "claim.jsonl"
    assert claim.time_all(["sms"], tmp_path, results) == 1
    assert claim.time_all(["sms"], tmp_path, results, without_vnni=True) == 0 and not results.exists()


@pytest.mark.parametrize("name", ["finance", "fraud"])
def test_the_recipes_of_both_new_sets_are_valid(name: str) -> None:
    load_recipe(BENCH / "recipes" / f"{name}.yaml")


def test_the_form_is_a_plan_that_make_takes(claim: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\na,b\n", encoding="utf-8")
    rows = [[{"text": f"{label} {n}", "label": label} for label in "ab" for n in range(9)] for _ in range(3)]
    folds = import_module("folds")
    base = claim.write_recipe("sms", claim.TEACHER, 0, 0, tmp_path, tmp_path, tune=claim.TUNE)
    recipe = folds.recipe_of(base, rows, 0, claim.STEPS, tmp_path, claim.GATES)
    file = load_recipe(recipe)
    assert [step.name for step in build_plan(file)][-1] == "compress.cascade"
    assert file.recipe.gates.keep == 0.99 and file.recipe.gates.times_faster is None
