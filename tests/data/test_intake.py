"""Rows at the door: cleaned, masked, and what is turned away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penjing.core.errors import DataError
from penjing.core.recipe import RecipeFile, load_recipe
from penjing.data.intake import take_in, take_unlabelled
from penjing.tasks import open_reader


def recipe(folder: Path, data: str) -> RecipeFile:
    path = folder / "recipe.yaml"
    path.write_text(f"name: t\ndata: {data}\nsteps: [{{tune.linear: {{}}}}]\n", encoding="utf-8")
    return load_recipe(path)


def test_texts_are_cleaned_and_masked_and_labels_cleaned(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n 电话　13812345678 ,a\u3000b \n", encoding="utf-8")
    intake = take_in(recipe(tmp_path, "{files: a.csv}"), open_reader("classify", {}))
    assert (list(intake.table.texts), intake.table.labels) == (["电话 ⟦mobile⟧"], ["a b"])
    assert intake.masked["mobile"] == 1
    assert [(file.part, file.rows, file.encoding) for file in intake.files] == [("train", 1, "utf-8")]


def test_what_is_turned_away_is_listed_by_row(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "label": "x"},
        {"text": "\ud800", "label": "x"},
        {"text": "b", "label": "\ud800"},
        {"text": "c", "label": "long" * 60},
        {"text": " ", "label": "x"},
        {"text": "d", "label": ""},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    intake = take_in(recipe(tmp_path, "{files: a.jsonl}"), open_reader("classify", {}))
    found = {problem.message: (problem.severity, problem.rows["a.jsonl"]) for problem in intake.problems}
    assert found == {
        "the text has a lone surrogate (\\ud800) at character 1": ("error", [2]),
        "the label has a lone surrogate (\\ud800) at character 1": ("error", [3]),
        "a label of 240 characters": ("error", [4]),
        "empty texts, left out": ("warning", [5]),
        "rows without a label, left out": ("warning", [6]),
    }
    assert list(intake.table.texts) == ["a"]


def test_unlabelled_texts_come_from_lines_or_from_the_text_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,label\na,1\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("one 13812345678\n\n  \n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("t,other\ntwo,1\n", encoding="utf-8")
    assert take_unlabelled(recipe(tmp_path, "{files: a.csv, text: t, unlabelled: [b.txt, c.csv]}")) == [
        "one ⟦mobile⟧",
        "two",
    ]
    with pytest.raises(DataError, match="there is no column `t`"):
        (tmp_path / "d.csv").write_text("x,y\n1,2\n", encoding="utf-8")
        take_unlabelled(recipe(tmp_path, "{files: a.csv, text: t, unlabelled: [d.csv]}"))


def test_a_file_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n", encoding="utf-8")
    with pytest.raises(DataError, match="the file has no rows"):
        take_in(recipe(tmp_path, "{files: a.csv}"), open_reader("classify", {}))
