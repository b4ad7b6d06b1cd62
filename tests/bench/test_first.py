"""The bench of the first release: always the same rows, each text once, and a protocol that says what counts."""

from __future__ import annotations

import csv
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("first")


def test_the_rows_are_distinct_and_always_the_same(first: ModuleType, tmp_path: Path) -> None:
    lines = ["label,review", *(f'{number % 2},"review, {number}"' for number in range(50)), '1,"review, 7"', "0,"]
    (tmp_path / "source.csv").write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    assert first.write_rows(tmp_path / "source.csv", tmp_path / "a.csv", 20) == 20
    (tmp_path / "other.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n", encoding="utf-8")
    first.write_rows(tmp_path / "other.csv", tmp_path / "b.csv", 20)
    found = []
    for name in ("a.csv", "b.csv"):
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            found.append(sorted(row["review"] for row in csv.DictReader(file)))
    assert found[0] == found[1]
    assert len(set(found[0])) == 20
    assert first.write_rows(tmp_path / "source.csv", tmp_path / "a.csv", 2000) == 50


def test_a_command_that_fails_ends_the_bench(first: ModuleType) -> None:
    with pytest.raises(SystemExit, match="penjing make ended with"):
        first.command("make", "no-such-recipe.yaml")
