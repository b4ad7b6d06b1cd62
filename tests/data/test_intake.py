"""Rows at the door: cleaned, masked, and what is turned away."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import DataError
from penjing.core.recipe import RecipeFile, load_recipe
from penjing.data.intake import take_in, take_unlabelled
from penjing.data.mask import VERSION, open_masking
from penjing.tasks import open_reader

NEWEST = open_masking(VERSION)
READER = open_reader("classify", {})


def recipe(folder: Path, data: str) -> RecipeFile:
    path = folder / "recipe.yaml"
    path.write_text(f"name: t\ndata: {data}\nsteps: [{{tune.linear: {{}}}}]\n", encoding="utf-8")
    return load_recipe(path)


def test_texts_are_cleaned_and_masked_and_labels_cleaned(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n 电话　13812345678 ,a\u3000b \n", encoding="utf-8")
    intake = take_in(recipe(tmp_path, "{files: a.csv}"), READER, NEWEST)
    assert (list(intake.table.texts), intake.table.labels) == (["电话 ⟦mobile⟧"], ["a b"])
    assert intake.masked["mobile"] == 1
    assert [(file.part, file.rows, file.encoding) for file in intake.files] == [("train", 1, "utf-8")]


@pytest.mark.parametrize(
    ("task", "first", "second"),
    [
        ("tag", [], [{"start": 0, "end": 1, "label": "A"}, {"start": 2, "end": 3, "label": "B"}]),
        (
            "triples",
            {"entities": [], "relations": []},
            {
                "entities": [{"start": 0, "end": 1, "label": "X"}, {"start": 2, "end": 3, "label": "X"}],
                "relations": [{"head": 0, "tail": 1, "label": "A"}, {"head": 1, "tail": 0, "label": "B"}],
            },
        ),
    ],
)
def test_the_rows_of_each_part_are_listed_where_a_text_has_several(
    tmp_path: Path, task: str, first: object, second: object
) -> None:
    rows = [{"text": "a b", "label": first}, {"text": "c d", "label": second}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    file = recipe(tmp_path, "{files: a.jsonl}")
    found = [one.message for one in take_in(file, open_reader(task, {}), NEWEST).problems if one.code == "sets"]
    assert found == [
        "a text counts in this table under what is rarest in it; the rows with each are: `A` 1, `B` 1; "
        "2 of them are in fewer than 30 rows"
    ]
    (tmp_path / "a.jsonl").write_text(json.dumps(rows[0]), encoding="utf-8")
    found = [one.message for one in take_in(file, open_reader(task, {}), NEWEST).problems if one.code == "sets"]
    assert found == [], "the table itself says it"


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
    intake = take_in(recipe(tmp_path, "{files: a.jsonl}"), READER, NEWEST)
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
    assert take_unlabelled(recipe(tmp_path, "{files: a.csv, text: t, unlabelled: [b.txt, c.csv]}"), READER, NEWEST) == [
        "one ⟦mobile⟧",
        "two",
    ]
    with pytest.raises(DataError, match="there is no column `t`"):
        (tmp_path / "d.csv").write_text("x,y\n1,2\n", encoding="utf-8")
        take_unlabelled(recipe(tmp_path, "{files: a.csv, text: t, unlabelled: [d.csv]}"), READER, NEWEST)


def test_a_file_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n", encoding="utf-8")
    with pytest.raises(DataError, match="the file has no rows"):
        take_in(recipe(tmp_path, "{files: a.csv}"), READER, NEWEST)


def test_a_row_is_masked_once_by_the_masking_that_is_passed_in(tmp_path: Path, maskings: list[str]) -> None:
    (tmp_path / "a.csv").write_text("text,label,city\n138.1234.5678,x,上海\nb,y,北京\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("c\nd\n", encoding="utf-8")
    file = recipe(tmp_path, "{files: a.csv, unlabelled: [b.txt], fields: {city: str}}")
    intake = take_in(file, READER, open_masking("1"))
    assert list(intake.table.texts) == ["138.1234.5678", "b"]
    assert maskings == ["138.1234.5678", "上海", "b", "北京"]
    maskings.clear()
    assert take_unlabelled(file, READER, open_masking(VERSION)) == maskings == ["c", "d"]


def test_values_of_a_field_that_are_wrong_in_one_way_are_one_error(tmp_path: Path) -> None:
    dates = ["2026-01-05", "05/01/2026", "6月3日", "Jan 5", "2026年2月3日", "05/01/2026"]
    amounts = ["1", "5000元", "2", "3", "3千", "7"]
    rows = [f"t{place},x,{date},{amount}" for place, (date, amount) in enumerate(zip(dates, amounts, strict=True))]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,day,amount", *rows]), encoding="utf-8")
    found = take_in(recipe(tmp_path, "{files: a.csv, fields: {day: date, amount: float}}"), READER, NEWEST).problems
    assert [(problem.message, problem.rows["a.csv"]) for problem in found] == [
        ("4 values of the field `day` are not a date, such as `05/01/2026`, `6月3日`, `Jan 5`", [3, 4, 5, 7]),
        ("2 values of the field `amount` are not a number, such as `5000元`, `3千`", [3, 6]),
    ]
    assert found[0].fix == "write 2026-01-05, or 2026-01-05T10:30:00 with its time"
    assert found[1].fix == "where it is `5000元`: write the number alone: 5000"
    assert all(problem.severity == "error" for problem in found)


def test_every_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label,amount\na,1,2\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        take_in(recipe(tmp_path, "{files: a.csv, text: txt, fields: {amuont: float, city: str}}"), READER, NEWEST)
    assert "there is no column `txt`" in caught.value.what and caught.value.fix == "did you mean `text`?"
    assert "there is no column `amuont`" in caught.value.what and "(did you mean `amount`?)" in caught.value.what
    assert "there is no column `city`" in caught.value.what


def test_faults_that_differ_in_names_and_places_only_are_one_problem(tmp_path: Path) -> None:
    """A file of nested entities is one fault with its rows, and not a list of hundreds of like messages."""
    cells = [json.dumps([{"start": 0, "end": 2, "label": f"T{row}"}, {"start": 1, "end": 2 + row, "label": "b"}])
             for row in range(1, 31)]  # fmt: skip
    path = tmp_path / "r.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([f"{'word ' * 12}{row}", cell] for row, cell in enumerate(cells))
        writer.writerow(["one more text", "no list"])
    problems = take_in(recipe(tmp_path, "{files: r.csv}"), open_reader("tag", {}), NEWEST).problems
    said = [one for one in problems if one.code == "rows"]
    assert len(said) == 2 and len(said[0].rows["r.csv"]) == 30
    assert said[0].message == "the entities `T1` 0..2 and `b` 1..3 overlap, and the like in 29 more rows"
    assert "另有 29 行类似" in chinese(said[0].message) and said[0].fix.startswith("keep one of them")
