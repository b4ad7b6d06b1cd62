"""What is wrong with limits by label, and which labels have too few rows: see also `tests/test_several_labels.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.recipe import load_recipe
from penjing.make.check_labels import label_faults
from penjing.tasks import open_task

SETS = {"labels": ["card", "fees"], "separator": ";", "none": "none"}


@pytest.mark.parametrize(
    ("task", "decide", "line", "what"),
    [
        ("several", "{certify: label, max_miss: 0.1}", None, ""),
        ("several", "{certify: label, max_error: {card: 0.1}, max_miss: {'*': 0.1}}", None, ""),
        ("several", "{certify: label}", "certify", "`max_miss` is not there"),
        ("several", "{certify: label, max_error: {cards: 0.1}, max_miss: 0.1}", "max_error", "unknown label 'cards'"),
        ("classify", "{certify: label, max_miss: 0.1}", "certify", "sets of labels"),
    ],
)
def test_faults_name_their_key(tmp_path: Path, task: str, decide: str, line: str | None, what: str) -> None:
    text = f"name: x\ndata: {{files: rows.csv}}\nsteps: [{{tune.linear: {{}}}}]\ndecide: {decide}\n"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    file = load_recipe(tmp_path / "recipe.yaml")
    found = label_faults(file, open_task(task, SETS if task == "several" else {"labels": ["card", "fees"]}))
    assert [what in fault.what for fault in found] == ([True] if line else [])
    assert [fault.where for fault in found] == ([file.where("decide", line)] if line else [])
