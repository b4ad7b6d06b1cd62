"""The bench of tasks: cut by hash without a case in two parts, results that survive a kill, and the page."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCH))
    yield
    for name in ("tasks", "tasks_sets", "tasks_page", "spine", "page_files"):
        sys.modules.pop(name, None)


def test_no_case_is_in_two_parts_and_the_same_ones_come_again() -> None:
    from tasks_sets import TaskSet, parts

    cases = [{"text": f"case {i % 90}", "label": str(i)} for i in range(100)]
    one = TaskSet("", {}, {}, lambda _: (cases, []), "")
    found = parts(one, Path())
    texts = [case["text"] for some in found.values() for case in some]
    assert len(texts) == len(set(texts)) == 90
    assert found == parts(one, Path())
    assert {part: len(some) for part, some in found.items()} == {
        "train": 47, "validation": 8, "calibration": 13, "test": 22,
    }  # fmt: skip


def test_test_cases_that_are_learned_from_are_taken_out() -> None:
    from tasks_sets import TaskSet, parts

    learn = [{"text": f"case {i}", "label": "a"} for i in range(50)]
    test = [{"text": f"case {i}", "label": "a"} for i in range(45, 60)]
    found = parts(TaskSet("", {}, {}, lambda _: (learn, test), ""), Path())
    assert sorted(case["text"] for case in found["test"]) == [f"case {i}" for i in range(50, 60)]


def test_a_result_is_added_to_those_that_are_there(tmp_path: Path) -> None:
    from tasks import add_result, read_results

    path = tmp_path / "r" / "tasks.json"
    assert read_results(path) == {}
    add_result(path, "b/mini", {"exit": 0})
    add_result(path, "a/mini", {"exit": 4})
    assert read_results(path) == {"a/mini": {"exit": 4}, "b/mini": {"exit": 0}}
    assert list(json.loads(path.read_text())["runs"]) == ["a/mini", "b/mini"]


def test_the_page_names_what_was_not_measured() -> None:
    from tasks_page import page

    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    decided = {"automation_rate": 0.25, "error_among_automated": {"value": 0.05, "high": 0.09}}
    report = {
        "test": {"entity_f1": figure, "rows": 9}, "teacher": None, "model": "tune.linear", "decisions": decided,
        "calibration": {"ece": {"before": None, "after": 0.0361}},
        "sections": [{"name": "entities_by_probability", "rows": [["", 30.0, 0.95, 0.9], ["", 10.0, 0.5, 0.4]]}],
    }  # fmt: skip
    rows = {"train": 1_000, "validation": 100, "calibration": 200, "test": 300}
    made = page({"resume/linear": {"report": report, "rows": rows, "seconds": 90, "hardware": "a machine"}})
    assert "| `tag` | entity F1 | 50.0 [40.0, 60.0] | not measured | not measured |" in made
    assert "| 25.0 | 5.0 (≤ 9.0) | 0.036 | 0.062 | 1,000 / 100 / 200 / 300 | 1.5 |" in made


def test_headlines_have_the_company_that_is_named_once_and_a_mood(tmp_path: Path) -> None:
    import gzip

    from openpyxl import Workbook

    from tasks_sets import SETS

    here = tmp_path / "zh-finance-news-sentiment"
    here.mkdir()
    book = Workbook()
    for row in (
        ["日期", "公司", "代码", "正/负面", "标题"],
        ["", "甲乙", "1", 1, "甲乙：增长"],
        ["", "丙丁", "2", 0, "增长"],
    ):
        book.active.append(row)
    book.save(here / "news_seed.xlsx")
    listed = (
        ",日期,公司,代码,正负面,标题,正文\n0,,甲乙,1,1,甲乙：增长,\n1,,戊己,3,0,利好戊己股东减持,\n2,,戊,3,0,戊和戊,\n"
    )
    (here / "test_data.csv.gz").write_bytes(gzip.compress(listed.encode()))
    learn, test = SETS["headlines"].read(tmp_path)
    assert learn == [{"text": "甲乙：增长", "company": [{"start": 0, "end": 2, "label": "company"}], "mood": "good"}]
    assert test == [
        {"text": "利好戊己股东减持", "company": [{"start": 2, "end": 4, "label": "company"}], "mood": "bad"}
    ]
