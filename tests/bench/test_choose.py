"""The bench of the choice: its draws, its recipe, and that it reads the sets' forms of file."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(BENCH))
    import choose

    yield choose
    sys.modules.pop("choose", None)


def rows() -> list[tuple[str, str]]:
    kinds = {"a": "the parcel came late", "b": "the price is too high"}
    return [(f"{kinds['ab'[place % 2]]}, case {place * 7919}", "ab"[place % 2]) for place in range(200)]


def test_as_many_rows_of_each_label_are_drawn_and_always_the_same(choose: Any) -> None:
    found = choose.drawn(rows(), 16)
    assert Counter(label for _, label in found) == {"a": 16, "b": 16}
    assert found == choose.drawn(rows(), 16) and len(set(found)) == 32


def test_the_recipe_is_that_of_init_with_the_smallest_base(choose: Any, tmp_path: Path) -> None:
    made = {name: choose.write_recipe(tmp_path, choose.drawn(rows(), 16), name) for name in ("validation", "auto")}
    for name, path in made.items():
        found = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        assert (found["choose"], found["base"], found["threads"]) == (name, "penjing/nano", 1)
        assert found["gates"]["unproven"] == "allow" and "tune.prototype" in found["steps"][0]


def test_lines_of_two_columns_are_read(choose: Any, tmp_path: Path) -> None:
    folder = tmp_path / "zh-news-thucnews-titles"
    folder.mkdir()
    (folder / "dev.txt").write_text("一个标题\t3\n没有标签\n", encoding="utf-8")
    (folder / "test.txt").write_text("另一个标题\t1\n", encoding="utf-8")
    assert choose.read("thucnews", tmp_path) == ([("一个标题", "c3")], [("另一个标题", "c1")])
