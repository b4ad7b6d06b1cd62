"""The page of figures: each is read from a results file; a missing one says so, a changed one changes the verdict."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"
# Names and levels that have a digit of their own.
NAMES = re.compile(
    r"BANKING77|INT8|Model2Vec|p50|p99|float32|e5-small|F1|cut from|95 %|macro-F1|版本?|第 1 版|version 1|PostgreSQL"
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCH))
    yield import_module("measured_page")
    for name in ("measured_page", "measured_values", "speed_page", "spine_page", "compress_page", "speed", "spine"):
        sys.modules.pop(name, None)
    for name in ("compress", "folds", "claim", "claim_page", "pretrain", "pretrain_page"):
        sys.modules.pop(name, None)


VALUES = {
    "load": {"p99_ms": 5.16, "errors": 0},
    "kinds": {"a": {"recall": 0.991}, "b": {"recall": 0.75}},
    "sets": [{"name": "one", "rows": 1200}, {"name": "two", "rows": 30}],
    "said": "p99 18 ms beside it",
}
SECTION = {
    "title": {"en": "Load", "zh": "压力"}, "file": "load.json", "script": "bench/load.py", "limit": {"p99_ms": 10},
    "checks": [{"value": "load.p99_ms", "at_most": "limit.p99_ms"}],
    "figure": "{load.p99_ms|.1f} ms",
    "claim": {"en": "p99 within {limit.p99_ms} ms", "zh": "p99 不超过 {limit.p99_ms} 毫秒"},
    **dict.fromkeys(("measured", "set", "rows", "seeds", "interval", "baseline"), "{load.p99_ms|.1f}"),
    "unproven": [{"en": "One run.", "zh": "只跑了一次。"}],
}  # fmt: skip


def made(page: ModuleType, folder: Path, language: str = "en", **changes: Any) -> str:
    template = page.load_template() | {"sections": [SECTION | changes]}
    return str(page.Page(language, folder, template).text())


def write(folder: Path, values: Any) -> None:
    (folder / "load.json").write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("load.p99_ms", 5.16), ("sets[0].rows", 1200), ("sets[-1].name", "two"), ("sets[name=two].rows", 30),
        ("min kinds.*.recall", 0.75), ("max sets.*.rows", 1200), ("count sets.*", 2), ("mean sets.*.rows", 615),
    ],
)  # fmt: skip
def test_a_path_leads_to_a_value(page: ModuleType, path: str, value: Any) -> None:
    assert page.value_at(VALUES, path) == value


@pytest.mark.parametrize("path", ["load.none", "sets[name=three].rows", "sets[9].rows", "min none.*.recall"])
def test_a_path_into_nothing_is_an_error(page: ModuleType, path: str) -> None:
    with pytest.raises(page.MissingValueError):
        page.value_at(VALUES, path)


def test_places_are_filled_in_the_language_of_the_page(page: ModuleType) -> None:
    one = page.Page("zh")
    words = {"en": "{sets[0].rows|,} rows", "zh": "{sets[0].rows|,} 行"}
    assert one.fill(words, VALUES) == "1,200 行"
    assert one.fill("{min kinds.*.recall|.1%}", VALUES) == "75.0 %"
    assert one.fill("{said|~p99 ([0-9]+) ms} ms", VALUES) == "18 ms"
    assert one.fill("{none} {said|~p50 (.)}", VALUES) == "未测 未测"
    scores = {"metrics": {"rmse": 0.81234, "mae": {"value": 0.5, "low": 0.4, "high": 0.6}}}
    assert one.fill("{metrics|pairs}", scores) == "rmse 0.8123, mae 0.5 [0.4, 0.6]"


def test_a_section_shows_figures_machine_source_and_what_is_not_proven(page: ModuleType, tmp_path: Path) -> None:
    write(tmp_path, VALUES | {"hardware": "a CPU", "date": "2026-11-20", "commit": "abc1234"})
    text = made(page, tmp_path)
    assert "| [Load](#load) | 5.2 ms | held |" in text and "**Verdict: held**" in text
    assert "- Claim: p99 within 10 ms\n" in text and "- Measured: 5.2\n" in text and "- Machine: a CPU\n" in text
    assert "[load.json]" in text and ", 2026-11-20, abc1234, `bench/load.py`\n" in text
    assert "Not proven:\n\n- One run." in text
    assert "**结论：达到**" in made(page, tmp_path, "zh")


def test_a_missing_file_is_not_measured(page: ModuleType, tmp_path: Path) -> None:
    text = made(page, tmp_path)
    assert "| [Load](#load) | not measured | not measured |" in text and "- Claim: p99 within 10 ms\n" in text
    assert "- Measured" not in text and "`load.json`" in text


@pytest.mark.parametrize(
    ("check", "state"),
    [
        ({"value": "load.p99_ms", "at_most": 5.16}, "held"),
        ({"value": "load.p99_ms", "at_most": 5}, "broken"),
        ({"value": "load.p99_ms", "at_least": 6}, "broken"),
        ({"value": "kinds.a.recall", "bound": "kinds.b.recall", "at_least": 0.99}, "unproven"),
        ({"value": "load.none", "at_most": 5}, "unproven"),
    ],
)
def test_a_verdict_compares_the_value_and_its_bound(page: ModuleType, check: dict[str, Any], state: str) -> None:
    assert page.verdict(SECTION | {"checks": [check]}, VALUES) == state
    assert page.verdict(SECTION | {"checks": []}, VALUES) == "reported"
    assert page.verdict(SECTION, None) == "not measured"


def test_a_table_has_a_line_for_each_entry(page: ModuleType, tmp_path: Path) -> None:
    write(tmp_path, VALUES)
    table = {"over": "sets", "head": ["set", {"en": "rows", "zh": "行数"}], "cells": ["{name}", "{rows|,}"]}
    assert "| set | rows |\n| --- | --- |\n| one | 1,200 |\n| two | 30 |\n" in made(page, tmp_path, table=table)


def test_results_of_the_score_task_are_shown_as_soon_as_they_exist(page: ModuleType, tmp_path: Path) -> None:
    share = {"value": 0.7, "low": 0.6, "high": 0.8}
    one = {
        "name": "films", "rows": {"train": 9000, "test": 500}, "model": "tune.full", "within": 0.5,
        "metrics": {"within": share, "coverage": share}, "baseline": {"within": share}, "constant": {"within": 0.5},
        "certificate": {"max_error": 0.2, "automation_rate": 0.9}, "machine": "a CPU",
    }  # fmt: skip
    (tmp_path / "score.json").write_text(json.dumps({"sets": [one]}), encoding="utf-8")
    section = next(each for each in page.load_template()["sections"] if each["file"] == "score.json")
    text = "\n".join(page.Page("en", tmp_path).section(section))
    shown = "| films | 9,000, 500 | tune.full | 0.5 | 0.700 (0.600–0.800) | 0.700 | 0.500 | 70.0 % | 20 % | 90 % |"
    assert shown in text
    assert "- Machine: a CPU\n" in text


def test_every_place_of_the_page_has_a_figure(page: ModuleType) -> None:
    for language, missing in (("en", "not measured"), ("zh", "未测")):
        one = page.Page(language)
        for section in one.template["sections"]:
            if one.values_of(section) is not None:
                text = "\n".join(one.section(section))
                assert missing not in text and "{" not in text, f"{section['file']}: a path leads nowhere"


def test_words_are_in_both_languages_and_hold_no_figures(page: ModuleType) -> None:
    def walk(value: Any, where: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            if "en" in value:
                assert value.keys() == {"en", "zh"}, f"{where}: {value}"
            for key, each in value.items():
                yield from walk(each, f"{where}.{key}")
        elif isinstance(value, list):
            for each in value:
                yield from walk(each, where)
        elif isinstance(value, str):
            yield where, value

    for section in page.load_template()["sections"]:
        assert section.keys() >= {"title", "file", "script", "checks", "figure", *page.FACTS}, section["title"]
        words = {key: each for key, each in section.items() if key not in {"file", "script", "page", "limit", "checks"}}
        for where, text in walk(words, section["file"]):
            left = NAMES.sub("", re.sub(r"`[^`]*`", "", page.PLACE.sub("", text)))
            assert not re.search(r"\d", left), f"{where}: {text}"


def test_a_changed_result_changes_the_page(page: ModuleType, tmp_path: Path) -> None:
    shutil.copy(BENCH / "results" / "serve.json", tmp_path)
    section = next(each for each in page.load_template()["sections"] if each["file"] == "serve.json")
    before = page.Page("en", tmp_path).section(section)
    values = json.loads((tmp_path / "serve.json").read_bytes())
    values["load"] |= {"p99_ms": 77.7, "errors": 1}
    (tmp_path / "serve.json").write_text(json.dumps(values), encoding="utf-8")
    after = page.Page("en", tmp_path).section(section)
    assert "**Verdict: held**" in before and "**Verdict: broken**" in after
    assert any("p99 77.7 ms" in line for line in after)
