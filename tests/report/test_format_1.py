"""A report.json of format 1, as an earlier version wrote it, is read, and its page shows what it showed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from penjing.core.recipe import PARTS
from penjing.report.contract import read_report
from penjing.report.format_1 import from_format_1
from penjing.report.page import render

OLD = Path(__file__).with_name("format_1.json")


def test_a_report_of_format_1_is_read_whole() -> None:
    given, report = json.loads(OLD.read_bytes()), read_report(OLD)
    assert given["format"] == 1 and report.format == 2
    assert (report.task, report.gold, report.test.metric) == ("classify", "label", "macro_f1")
    assert report.test.score.model_dump() == given["test"]["macro_f1"]
    assert report.test.metrics["accuracy"].model_dump() == given["test"]["accuracy"]
    assert report.test.apart is not None and report.test.rows == given["test"]["rows"]
    linear, teacher = report.baseline.linear, report.teacher
    assert teacher is not None and teacher.kept is not None and linear.difference is not None
    assert linear.score.model_dump() == given["baseline"]["linear"]["macro_f1"] and set(linear.metrics) == {"macro_f1"}
    assert report.variants[0].score.model_dump() == given["variants"][0]["macro_f1"]
    assert [curve.kind for curve in report.curves] == ["train_loss", "validation_score"]
    (block,) = report.sections
    assert block.columns[1:] == tuple(given["confusion"]["labels"])
    assert [list(row[1:]) for row in block.rows] == given["confusion"]["matrix"]
    same = {"verdict", "release", "decisions", "gates", "speed", "errors", "faithfulness", "data"}
    read = report.model_dump(mode="json")
    assert read["data"].pop("features") == [], "no model of then read fields"
    assert [one.pop("several_files") for one in read["data"]["audit"]] == [False] * len(given["data"]["audit"])
    assert read["data"].pop("cut") == list(PARTS), "whether a part had its own file was not recorded"
    assert (read["decisions"].pop("needs"), read["decisions"].pop("max_miss")) == ({}, {}), "there were none"
    assert read["decisions"].pop("on_test") == {}, "one limit is for all cases"
    assert read["decisions"].pop("periods") == [], "rules had no dates"
    assert read["decisions"].pop("items") is None, "no items were certified one by one"
    assert (read["decisions"].pop("by_label"), read["decisions"].pop("labels_settled")) == (False, None), (
        "limits of cases"
    )
    parts = [read["faithfulness"][name] for name in ("sufficiency", "comprehensiveness")]
    assert [one.pop("nearest") for one in parts] == [None, None], "labels are no pieces of a text"
    assert [one.pop("marks") for one in read["errors"]] == [[]] * len(read["errors"]), "labels are no pieces of a text"
    assert {name: read[name] for name in same} == {name: given[name] for name in same}


def test_its_page_names_the_metric_in_its_notes() -> None:
    report = read_report(OLD)
    assert "macro-F1 on 100 validation rows differs by +0.01" in render(report, language="en")
    assert "宏平均 F1 相差 +0.01" in render(report, language="zh")


@pytest.mark.parametrize("damage", [{"test": None}, {"test": 3}, {"baseline": []}, {"variants": [1]}, {"notes": [{}]}])
def test_what_is_no_report_is_refused_as_one_of_format_2_is(tmp_path: Path, damage: dict[str, object]) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({**json.loads(OLD.read_bytes()), **damage}), encoding="utf-8")
    with pytest.raises(ValidationError):
        read_report(path)


def test_what_is_given_is_not_changed() -> None:
    given = json.loads(OLD.read_bytes())
    from_format_1(given)
    assert given == json.loads(OLD.read_bytes())
