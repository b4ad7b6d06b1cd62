"""The spine's bookkeeping: concrete recipes, samples, results that survive a kill, the page."""

from __future__ import annotations

import gzip
import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penjing.core.recipe import load_recipe

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def spine(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("spine")


@pytest.fixture
def page(spine: ModuleType) -> ModuleType:
    assert spine.__name__ == "spine"
    return import_module("spine_page")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of sets with a few rows each."""
    files = {
        "zh-sentiment-chnsenticorp/train.tsv.gz": "label\ttext_a\n"
        + "".join(f'{i % 2}\t第{i}间房，"很好"\n' for i in range(50)),
        "zh-sentiment-chnsenticorp/dev.tsv": "label\ttext_a\n1\t好\n",
        "zh-sentiment-chnsenticorp/test.tsv": "label\ttext_a\n0\t坏\n",
        "en-finance-phrasebank/all-data.csv": "label,news\n" + "".join(f'neutral,"£{i} , sold"\n' for i in range(50)),
    }
    for name, text in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = text.encode("cp1252" if "phrasebank" in name else "utf-8")
        path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return tmp_path / "data"


def test_every_committed_recipe_is_valid_and_has_the_same_promises(spine: ModuleType) -> None:
    every = import_module("claim").SETS
    recipes = [load_recipe(BENCH / "recipes" / f"{name}.yaml").recipe for name in every]
    assert [recipe.name for recipe in recipes] == list(every) and every[: len(spine.SETS)] == spine.SETS
    assert sorted(path.stem for path in (BENCH / "recipes").glob("*.yaml")) == sorted(every)
    for recipe in recipes:
        assert (recipe.gates.keep, recipe.gates.p99_ms, recipe.gates.size_mb) == (0.97, 20, 60)
        assert (recipe.decide.max_error, recipe.decide.audit) == (0.05, 0.01)
        assert [name for name, _ in recipe.step_list()] == ["tune.full", "compress.int8"]


def test_a_recipe_gets_absolute_paths_its_base_and_seed(spine: ModuleType, data: Path, tmp_path: Path) -> None:
    path = spine.write_recipe("chnsenticorp", "penjing/mini", 0, 3, data, tmp_path)
    recipe = load_recipe(path).recipe
    assert recipe.seed == 3
    assert isinstance(recipe.data.files, dict)
    assert all(Path(each).is_absolute() and Path(each).is_file() for each in recipe.data.files.values())


def test_rows_are_sampled_the_same_way_every_time_and_the_test_file_is_kept(
    spine: ModuleType, data: Path, tmp_path: Path
) -> None:
    recipe = load_recipe(spine.write_recipe("chnsenticorp", "penjing/mini", 20, 0, data, tmp_path)).recipe
    assert isinstance(recipe.data.files, dict)
    train = Path(recipe.data.files["train"])
    first = train.read_bytes()
    rows = [json.loads(line) for line in gzip.decompress(first).decode().splitlines()]
    assert len(rows) == 20
    assert all(row["text_a"].endswith('"很好"') and row["label"] in "01" for row in rows)
    assert recipe.data.files["test"].endswith("zh-sentiment-chnsenticorp/test.tsv")
    spine.write_recipe("chnsenticorp", "penjing/mini", 20, 1, data, tmp_path)
    assert train.read_bytes() == first


def test_a_sample_of_a_cp1252_file_is_read_as_utf8(spine: ModuleType, data: Path, tmp_path: Path) -> None:
    recipe = load_recipe(spine.write_recipe("phrasebank", "penjing/mini", 7, 0, data, tmp_path)).recipe
    assert recipe.data.encoding == "auto"
    assert isinstance(recipe.data.files, str)
    text = gzip.decompress(Path(recipe.data.files).read_bytes()).decode()
    assert text.count("£") == 7


def test_the_key_changes_with_what_a_run_depends_on(spine: ModuleType) -> None:
    keys = {
        spine.key_of(name, "penjing/mini", rows, seed)
        for name in ("sms", "medical") for rows in (0, 2000) for seed in (0, 1)
    }  # fmt: skip
    assert len(keys) == 8
    assert spine.key_of("sms", "penjing/mini", 0, 0) in keys


def test_results_survive_a_line_that_was_cut(spine: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "results" / "spine.jsonl"
    spine.append(path, {"key": "a"})
    with path.open("ab") as file:
        file.write(b'{"key": "b", "rep')
    assert spine.read_results(path) == [{"key": "a"}]
    spine.append(path, {"key": "c"})
    assert spine.read_results(path) == [{"key": "a"}, {"key": "c"}]


def report(value: float, keep: str = "held", *, fell_back: bool = False) -> dict[str, Any]:
    """What the page reads of a report."""
    score = {"value": value, "low": value - 0.01, "high": value + 0.01}
    gates = [{"name": "keep", "state": keep}, *({"name": name, "state": "held"} for name in ("p99_ms", "size_mb"))]
    teacher = {"kept": score, "macro_f1": score, "difference": {"value": -0.04, "low": -0.06, "high": -0.01}}
    return {
        "fell_back": fell_back, "test": {"macro_f1": score, "apart": None}, "teacher": teacher,
        "baseline": {"linear": {"macro_f1": score, "difference": {"value": 0.02, "low": 0.01, "high": 0.03}}},
        "decisions": {"automation_rate": 0.8, "certified": True, "error_among_automated": {"value": 0.03}},
        "gates": gates, "speed": {"p50_ms": 2.0, "p99_ms": 4.0, "hardware": "two cores", "threads": 2},
        "size_mb": 24.0, "data": {"splits": {"train": 8000}}, "model": "tune.linear" if fell_back else "tune.full",
        "variants": [{"name": "compress.export", "because": "size_mb 160 against 60"}, {"name": "compress.int8"}],
    }  # fmt: skip


def test_the_page_shows_the_mean_over_seeds_and_every_broken_promise(page: ModuleType) -> None:
    rows = [
        {"set": "sms", "base": "mini", "rows": 0, "seed": seed, "report": report(0.9 + seed / 50, keep)}
        for seed, keep in ((0, "held"), (1, "unproven"))
    ]
    text = page.page(rows)
    assert "0.910 [0.900, 0.920]" in text
    assert "| +2.0 [+1.0, +3.0] |" in text
    assert "| 1 of 2 |" in text
    assert "penjing/mini, all rows: 0 of 1 sets, 0 of them strictly" in text
    assert "| 1 of 1 |" in page.page(rows[:1])
    assert page.picture(rows).count("<circle") == 2


def test_a_linear_model_must_keep_the_encoders_score_to_meet_it_strictly(page: ModuleType) -> None:
    def line(value: float) -> str:
        row = {"set": "sms", "base": "e5", "rows": 2000, "seed": 0, "report": report(value, fell_back=True)}
        return next(line for line in page.page([row]).splitlines() if "strictly:" in line)

    assert "2,000 rows: 1 of 1 sets, 1 of them strictly" in line(0.985)
    assert "2,000 rows: 1 of 1 sets, 0 of them strictly" in line(0.975)


def test_where_tfidf_was_sealed_the_encoders_gain_is_of_the_encoder_itself(page: ModuleType) -> None:
    row = {"set": "sms", "base": "e5", "rows": 0, "seed": 0, "report": report(0.9, fell_back=True)}
    assert "| +4.0 [+1.0, +6.0] |" in page.page([row])


def test_the_page_can_be_drawn_before_any_run(page: ModuleType) -> None:
    assert "No run yet." in page.page([])
    assert page.picture([]).startswith("<svg")


def teardown_module() -> None:
    for name in ("spine", "spine_page"):
        sys.modules.pop(name, None)
