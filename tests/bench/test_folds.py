"""The bench over folds: every row in one fold, never learnt from there, and a form made as the search makes it."""

from __future__ import annotations

import json
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from penjing.core.nouns import Silent, Table
from penjing.core.recipe import load_recipe
from penjing.data.prepare import prepare
from penjing.make.plan import build_plan
from penjing.measure.evaluate import Paired
from penjing.tasks import open_reader

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("folds")


def test_a_form_is_made_as_the_search_makes_it(folds: ModuleType) -> None:
    assert folds.steps_of("static, then 3 layers, INT8 (97% alike)", 12) == [
        {"compress.layers": {"keep": 3}},
        {"compress.distill": {}},
        {"compress.int8": {}},
        {"compress.cascade": {"agreement": 0.97}},
    ]
    assert folds.steps_of("1 layer", 4) == [
        {"compress.layers": {"keep": 1}},
        {"compress.distill": {}},
        {"compress.export": {}},
    ]
    assert folds.steps_of("tune.linear", 12) == []
    with pytest.raises(SystemExit, match="no form `3 layers`; there are: static, all layers, "):
        folds.steps_of("3 layers", 4)


def table(label: str, rows: range) -> Table:
    return Table(texts=[f"{label} number {row * row}" for row in rows], labels=[label] * len(rows))


def test_each_row_is_in_one_fold_and_each_label_in_all(folds: ModuleType) -> None:
    data = SimpleNamespace(
        train=table("a", range(50)), validation=table("a", range(50, 60)), calibration=table("b", range(12)),
        test=table("b", range(20, 29)),
    )  # fmt: skip
    dealt = folds.deal(data, 3)
    texts = [row["text"] for fold in dealt for row in fold]
    assert len(texts) == len(set(texts)) == 81
    assert [Counter(row["label"] for row in fold) for fold in dealt] == [{"a": 20, "b": 7}] * 3
    assert folds.deal(data, 3) == dealt


def test_the_recipe_of_a_fold_learns_from_the_others_and_tests_on_it(folds: ModuleType, tmp_path: Path) -> None:
    words = [f"{colour} {7919 * place}" for place in range(120) for colour in ("red", "green", "blue", "black")]
    rows = [{"text": f"{word} door {place * place}", "label": "ab"[place % 2]} for place, word in enumerate(words)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    start = tmp_path / "recipe.yaml"
    start.write_text(
        "name: x\nlanguage: en\ndata: {files: rows.jsonl, text: text, label: label}\nbase: penjing/mini\n"
        "steps:\n  - tune.full: {epochs: 2}\n  - compress.int8: {}\ngates: {keep: 0.97, p99_ms: 20}\n"
    )
    dealt = folds.deal(prepare(load_recipe(start), open_reader("classify", {}), Silent()), 2)
    inside = tmp_path / "1"
    inside.mkdir()
    file = load_recipe(folds.recipe_of(start, dealt, 1, [{"compress.export": {}}], inside))
    assert [step.name for step in build_plan(file)] == ["tune.full", "compress.export"]
    data = prepare(file, open_reader("classify", {}), Silent())
    assert set(data.test.texts) == {row["text"] for row in dealt[1]}
    learnt = {*data.train.texts, *data.validation.texts, *data.calibration.texts}
    assert learnt == {row["text"] for row in dealt[0]}


def test_pooled_is_the_paired_share_over_all_folds_without_small_labels(folds: ModuleType) -> None:
    first = {"labels": ["a", "b", "c"], "over": [0, 1], "truth": [0, 1] * 20 + [2], "teacher": [0, 1] * 20 + [2]}
    first["student"] = [0, 1] * 18 + [0, 0] * 2 + [1]
    second = first | {"student": [0, 1] * 20 + [0]}
    found = folds.pooled([first, second])
    assert found == Paired(value=0.96294, low=0.919108, high=0.994253, lower=0.92636, upper=0.988372)
    assert found.lower < found.value < 1
    assert folds.told(found) == f"{100 * found.value:.1f} % (≥ {100 * found.lower:.1f} %)"


def test_the_table_of_labels_shows_which_one_is_lost(folds: ModuleType) -> None:
    row = {
        "labels": ["a", "b"],
        "over": [0, 1],
        "truth": [0, 0, 0, 1],
        "teacher": [0, 0, 0, 1],
        "student": [0, 0, 0, 0],
    }
    assert folds.by_label([row, row])[2:] == [
        "| all: accuracy | 8 | 1.000 | 0.750 |",
        "| b | 2 | 1.000 | 0.000 |",
        "| a | 6 | 1.000 | 0.857 |",
    ]
    several = [str(place) for place in range(folds.MANY + 5)]
    right = list(range(len(several)))
    row |= {"labels": several, "truth": right * 2, "teacher": right * 2, "student": [*right, *right[:-1], 0]}
    lines = folds.by_label([row])
    assert len(lines) == 3 + folds.MANY and lines[3] == "| 24 | 2 | 1.000 | 0.667 |", "those that lose most, first"
