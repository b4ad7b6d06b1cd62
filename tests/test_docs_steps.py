"""The pages of tasks name every compression that `check` accepts for a task."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import penjing.compress

DOCS = Path(__file__).parents[1] / "docs"
# Of each section the kinds of heads of the task, and the declaration that it needs besides.
NEEDS: dict[str, tuple[set[str], str]] = {
    "tag": ({"token"}, ""),
    "match": ({"pooled"}, "PAIRS"),
    "answer": ({"span"}, "PAIRS"),
    "triples": ({"token"}, ""),
    "together": ({"pooled", "token"}, "JOINT"),
}


def accepted(kinds: set[str], declared: str) -> set[str]:
    """The compressions that declare these kinds of heads."""
    found = set()
    for each in pkgutil.iter_modules(penjing.compress.__path__):
        module = importlib.import_module(f"penjing.compress.{each.name}")
        if kinds <= set(getattr(module, "HEADS", ())) and (not declared or getattr(module, declared, False)):
            found.add(f"compress.{each.name}")
    return found


@pytest.mark.parametrize("page", ["tasks.md", "zh/tasks.md"])
@pytest.mark.parametrize("task", sorted(NEEDS))
def test_the_section_of_a_task_names_the_compressions_that_serve_it(page: str, task: str) -> None:
    pytest.importorskip("torch")
    text = (DOCS / page).read_text("utf-8")
    section = re.split(rf"^## `{task}`", text, flags=re.MULTILINE)[1].split("\n## ")[0]
    steps = accepted(*NEEDS[task])
    assert {"compress.export", "compress.int8"} <= steps
    assert steps <= set(re.findall(r"compress\.\w+", section)), f"{page}: {task}"
