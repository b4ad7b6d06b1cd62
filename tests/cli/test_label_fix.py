"""`penjing label fix`: questions out, answers back, a recipe that uses the copy; nothing changed by wrong answers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer
from openpyxl import load_workbook
from tests.cli.test_check import good, recipe
from typer.testing import CliRunner, Result

from penjing.cli import label_fix
from penjing.core.errors import DataError
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import prepare
from penjing.make.doubted import find_doubts
from penjing.tasks import reader_of

PLANTED = tuple(row for row in range(2, 602) if row % 13 == 0)


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    label_fix.register_in(app)
    return app


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A recipe whose data has the wrong label in every thirteenth row."""
    lines = good()
    for row in PLANTED:
        lines[row - 1] = lines[row - 1][:-1] + "10"[int(lines[row - 1][-1])]
    return recipe(tmp_path, lines, "files: rows.csv", "rows.csv")


def run(app: typer.Typer, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["fix", *map(str, arguments)])


def test_there_and_back_as_csv(app: typer.Typer, path: str, tmp_path: Path) -> None:
    questions, answers, folder = tmp_path / "q.csv", tmp_path / "a.csv", tmp_path / "fixed"
    done = run(app, path, "--out", questions)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told == {"exported": told["found"], "file": str(questions), "found": told["found"], "rows": 432}
    assert f"then: penjing label fix {path} --answers {questions} --out DIR" in done.stderr
    with questions.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    asked = [int(row[header.index("row")]) for row in rows]
    assert len(asked) == told["found"] > 20 and set(asked) <= set(PLANTED)
    for row in rows[1:]:
        row[header.index("answer")] = row[header.index("suggested")]
    rows[0][header.index("answer")] = "remove"
    with answers.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    source = (tmp_path / "rows.csv").read_bytes()
    done = run(app, path, "--answers", answers, "--out", folder)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["changed"], told["removed"], told["confirmed"]) == (len(rows) - 1, 1, 0)
    assert 'files: "fixed/rows.csv"' in done.stderr and (tmp_path / "rows.csv").read_bytes() == source
    lines, copy = source.decode().split("\n"), (folder / "rows.csv").read_bytes().decode().split("\n")
    for row in asked:
        lines[row - 1] = lines[row - 1][:-1] + "10"[int(lines[row - 1][-1])]
    del lines[asked[0] - 1]
    assert copy == lines
    text = Path(path).read_text(encoding="utf-8").replace("files: rows.csv", 'files: "fixed/rows.csv"')
    Path(path).write_text(text, encoding="utf-8")
    corrected = load_recipe(Path(path))
    assert find_doubts(corrected, prepare(corrected, reader_of(corrected), Silent()), Silent()).count < 10


def test_there_and_back_as_a_workbook(app: typer.Typer, path: str, tmp_path: Path) -> None:
    questions = tmp_path / "q.xlsx"
    assert run(app, path, "--out", questions).exit_code == 0
    book = load_workbook(questions)
    sheet = book.active
    assert sheet is not None
    header = [str(cell.value) for cell in sheet[1]]
    sheet.cell(2, 1 + header.index("answer"), sheet.cell(2, 1 + header.index("suggested")).value)
    sheet.cell(3, 1 + header.index("answer"), int(str(sheet.cell(3, 1 + header.index("given")).value)))
    rows = sheet.max_row
    book.save(questions)
    done = run(app, path, "--answers", questions, "--out", tmp_path / "fixed")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert {name: told[name] for name in ("changed", "removed", "confirmed", "without_answer")} == {
        "changed": 1, "removed": 0, "confirmed": 1, "without_answer": rows - 3,
    }  # fmt: skip


def test_wrong_answers_change_nothing(app: typer.Typer, path: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("row,answer,digest\n2,1,q0\n", encoding="utf-8")
    done = run(app, path, "--answers", tmp_path / "a.csv", "--out", tmp_path / "fixed")
    assert isinstance(done.exception, DataError) and done.exception.exit_code == 3
    assert "row 2: what was asked about `rows.csv`, row 2, does not hold now" in str(done.exception)
    assert not (tmp_path / "fixed").exists()


def test_answers_that_change_nothing_write_nothing(app: typer.Typer, path: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("row,answer,digest\n2,,q0\n", encoding="utf-8")
    done = run(app, path, "--answers", tmp_path / "a.csv", "--out", tmp_path / "fixed")
    assert done.exit_code == 0 and json.loads(done.stdout)["without_answer"] == 1
    assert "no answer changes a label: nothing was written" in done.stderr and not (tmp_path / "fixed").exists()


def test_answers_that_are_no_labels_are_not_asked_about(app: typer.Typer, path: str, tmp_path: Path) -> None:
    text = Path(path).read_text(encoding="utf-8").replace("data:", "task: {type: score}\ndata:")
    Path(path).write_text(text, encoding="utf-8")
    done = run(app, path, "--out", tmp_path / "q.csv")
    assert isinstance(done.exception, DataError) and "task `score` are not labels of a closed set" in str(
        done.exception
    )
    assert not (tmp_path / "q.csv").exists()
