"""report.json keeps its keys and reads back, and neither file holds a text where none is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from penjing.report.contract import Estimate, Report, read_report
from penjing.report.page import write_report


def test_no_texts_leaves_no_text_in_either_file(sample: Callable[..., Report], tmp_path: Path) -> None:
    write_report(sample(), tmp_path, texts=False)
    for name in ("report.html", "report.json"):
        assert "SECRET" not in (tmp_path / name).read_text(encoding="utf-8")
    write_report(sample(), tmp_path)
    for name in ("report.html", "report.json"):
        assert "SECRET" in (tmp_path / name).read_text(encoding="utf-8")


def test_the_file_has_the_keys_that_other_work_relies_on(sample: Callable[..., Report], tmp_path: Path) -> None:
    written = write_report(sample(), tmp_path)
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    for path in [
        "task",
        "data.rows",
        "test.metric",
        "data.labels",
        "data.duplicates_removed",
        "data.splits.train",
        "data.audit",
        "test.metrics.macro_f1.value",
        "test.metrics.macro_f1.low",
        "test.metrics.macro_f1.high",
        "test.metrics.accuracy.value",
        "baseline.linear.metrics.macro_f1.value",
        "baseline.linear.difference.low",
        "teacher.metrics.macro_f1.value",
        "calibration.ece.before",
        "calibration.ece.after",
        "decisions.automation_rate",
        "decisions.error_among_automated.value",
        "decisions.error_among_automated.high",
        "decisions.max_error",
        "decisions.certified",
        "decisions.forced",
        "decisions.thresholds",
        "speed.p50_ms",
        "speed.p99_ms",
        "speed.texts_per_s",
        "speed.with_evidence.p50_ms",
        "speed.hardware",
        "speed.threads",
        "size_mb",
        "verdict",
        "release",
    ]:
        here = found
        for key in path.split("."):
            assert key in here, path
            here = here[key]
    assert {"name", "promised", "measured", "bound", "state", "rows_needed"} <= found["gates"][0].keys()
    assert {"name", "seconds", "cached"} <= found["steps"][0].keys()
    assert read_report(tmp_path / "report.json") == written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_a_report_refuses_what_is_not_a_number_or_not_a_key() -> None:
    with pytest.raises(ValidationError):
        Estimate(value=float("nan"), low=0, high=1)
    with pytest.raises(ValidationError):
        Estimate(value=0.5, low=0, high=1, median=0.5)  # type: ignore[call-arg]
