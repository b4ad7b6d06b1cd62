"""Corrected copies: the sources stay, every change is logged, and the recipe's own entry is written with the copies."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.core.recipe import RecipeFile, load_recipe
from penjing.make.corrected import LOG_COLUMNS, write_corrected
from penjing.make.label_fix import Correction


def recipe(folder: Path, data: str, task: str = "classify") -> RecipeFile:
    path = folder / "job" / "recipe.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"name: t\ntask: {{type: {task}}}\ndata: {data}\nsteps: [{{tune.linear: {{}}}}]\n", "utf-8")
    return load_recipe(path)


def fixed(row: int, new: str | None, file: str = "../rows.csv", **more: object) -> Correction:
    return Correction(file, row, "x", new, "王", "=1", **more)  # type: ignore[arg-type]


def test_one_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"text,label\na,x\nb,x\nc,x\n")
    file = recipe(tmp_path, "{files: ../rows.csv}")
    done = write_corrected(file, [fixed(2, "y"), fixed(4, None, same_as=2)], tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out" / "rows.csv").read_bytes() == b"text,label\na,y\nb,x\n"
    assert (tmp_path / "rows.csv").read_bytes() == b"text,label\na,x\nb,x\nc,x\n"
    assert done.recipe_lines == ('files: "../new/out/rows.csv"',) and done.take_out == ()
    rows = list(csv.reader(done.log.read_text(encoding="utf-8-sig").splitlines()))
    assert tuple(rows[0]) == LOG_COLUMNS
    assert [row[:7] for row in rows[1:]] == [
        ["../rows.csv", "2", "x", "y", "王", "'=1", ""],
        ["../rows.csv", "4", "x", "(removed)", "王", "'=1", "2"],
    ]
    assert rows[1][7].startswith("20") and rows[1][7].endswith("+00:00")
    changed = (tmp_path / "job" / "recipe.yaml").read_text("utf-8").replace("files: ../rows.csv", done.recipe_lines[0])
    (tmp_path / "job" / "recipe.yaml").write_text(changed, "utf-8")
    again = load_recipe(tmp_path / "job" / "recipe.yaml")
    assert again.resolve(str(again.recipe.data.files)) == done.copies["../rows.csv"].path


def test_of_several_files_those_without_a_change_stay(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"text,label\na,x\nb,x\n")
    file = recipe(tmp_path, "{files: {train: ../a.csv, test: ../b.csv}}")
    done = write_corrected(file, [fixed(2, "y", "../a.csv")], tmp_path / "out")
    assert done.recipe_lines == ("files:", '  train: "../out/a.csv"', '  test: "../b.csv"')
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.csv", "changes.csv"]


def test_lists_of_labels_stay_lists(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": ["x"]}, {"text": "b", "label": ["x", "z"]}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    file = recipe(tmp_path, "{files: ../rows.jsonl}", "several")
    done = write_corrected(file, [fixed(2, "x;y", "../rows.jsonl")], tmp_path / "out")
    lines = done.copies["../rows.jsonl"].path.read_text("utf-8").splitlines()
    assert json.loads(lines[1]) == {"text": "b", "label": ["x", "y"]} and done.copies["../rows.jsonl"].kept_form


def test_a_copy_of_another_form_needs_less_in_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"text": "a", "label": "x"}, {"text": "b", "label": "x"}]', "utf-8")
    file = recipe(tmp_path, "{files: ../rows.json, encoding: utf-8}")
    done = write_corrected(file, [fixed(2, "y", "../rows.json")], tmp_path / "out")
    assert done.recipe_lines == ('files: "../out/rows.csv"',) and done.take_out == ("encoding",)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"text,label\na,x\nb,x\n")
    file = recipe(tmp_path, "{files: ../rows.csv}")
    for folder in (tmp_path, tmp_path / "rows.csv"):
        with pytest.raises(UsageError, match="not empty, and nothing is overwritten"):
            write_corrected(file, [fixed(2, "y")], folder)
    assert (tmp_path / "rows.csv").read_bytes() == b"text,label\na,x\nb,x\n"


def test_files_that_only_train_are_named_under_add(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"text,label\na,x\nb,x\n")
    (tmp_path / "more.csv").write_bytes("﻿text;label\n'=a;x\nb;x\n".encode())
    file = recipe(tmp_path, "{files: ../rows.csv, add: [../more.csv], encoding: utf-8}")
    done = write_corrected(file, [fixed(2, "y", "../more.csv")], tmp_path / "out")
    assert done.recipe_lines == ('add: ["../out/more.csv"]',)
    assert (tmp_path / "out" / "more.csv").read_bytes() == "﻿text;label\n'=a;y\nb;x\n".encode()
