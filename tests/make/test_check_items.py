"""What is wrong with a limit by item: see also `tests/test_tag_items.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.recipe import load_recipe
from penjing.make.check_items import item_faults
from penjing.tasks import open_task


@pytest.mark.parametrize(
    ("task", "decide", "line", "what"),
    [
        ("tag", "{certify: item, max_error: 0.1}", None, ""),
        ("tag", "{certify: item, max_error: {org: 0.1}}", "max_error", "one limit for all items"),
        ("tag", "{certify: item, max_miss: {org: 0.1}}", "max_miss", "promises nothing of items that are missed"),
        ("classify", "{certify: item}", "certify", "lists of items"),
    ],
)
def test_faults_name_their_key(tmp_path: Path, task: str, decide: str, line: str | None, what: str) -> None:
    text = f"name: x\ndata: {{files: rows.csv}}\nsteps: [{{tune.linear: {{}}}}]\ndecide: {decide}\n"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    file = load_recipe(tmp_path / "recipe.yaml")
    found = item_faults(file, open_task(task, {"types": ["org"]} if task == "tag" else {"labels": ["card", "fees"]}))
    assert [what in fault.what for fault in found] == ([True] if line else [])
    assert [fault.where for fault in found] == ([file.where("decide", line)] if line else [])
