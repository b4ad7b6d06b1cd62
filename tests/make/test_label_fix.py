"""Questions out and answers back: what they change, and hostile files of answers, refused with the row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import DataError
from penjing.core.recipe import RecipeFile, load_recipe
from penjing.data.doubts import Doubt, LabelDoubts
from penjing.data.read import Reading, read_rows
from penjing.make.label_fix import (
    CHINESE_COLUMNS,
    COLUMNS,
    Correction,
    question_digest,
    read_answers,
    write_questions,
)

ROWS = [["物流很快", "好评"], ["=太慢了", "好评"], ["难吃 13812345678", "差评"], ["太慢了！", "好评"], ["好吃", "差评"]]


@pytest.fixture
def file(tmp_path: Path) -> RecipeFile:
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([["text", "label"], *ROWS])
    (tmp_path / "recipe.yaml").write_text(
        "name: t\ndata: {files: rows.csv, labels: {不好: 差评}}\nsteps: [{tune.linear: {}}]\n", encoding="utf-8"
    )
    return load_recipe(tmp_path / "recipe.yaml")


def asked(row: int, suggested: str = "差评") -> Doubt:
    text, given = ROWS[row - 2]
    text = text.replace("13812345678", "[手机号]")
    return Doubt(file="rows.csv", row=row, text=text, given=given, suggested=suggested, p=0.9, p_given=0.1)


def filled(path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([header, *rows])
    return path


def row_of(recipe: RecipeFile, place: int, answer: str, **more: str) -> list[str]:
    """A row of the file of questions as it is written, with an answer."""
    from penjing.data.intake import take_in
    from penjing.data.mask import VERSION, open_masking
    from penjing.tasks import reader_of

    table = take_in(recipe, reader_of(recipe), open_masking(VERSION)).table
    position = list(table.rows).index(place)
    text, given = table.texts[position], (table.labels or ())[position]
    cells = dict.fromkeys(COLUMNS, "") | {"file": "rows.csv", "row": str(place), "text": text, "given": given}
    cells |= {"answer": answer, "digest": question_digest(text, given), **more}
    return [cells[name] for name in COLUMNS]


@pytest.mark.parametrize("workbook", [False, True])
@pytest.mark.parametrize("chinese", [False, True])
def test_questions_have_all_that_a_person_needs(tmp_path: Path, workbook: bool, chinese: bool) -> None:
    path = tmp_path / ("q.xlsx" if workbook else "q.csv")
    found = LabelDoubts(looked=300, count=2, doubts=(asked(3), asked(6, "好评")))
    write_questions(found, ["好评", "差评"], path, workbook=workbook, chinese=chinese)
    assert workbook or "'=太慢了" in path.read_text(encoding="utf-8-sig"), "a spreadsheet reads no formula"
    rows = [cells for _, cells in read_rows(path)]
    columns = CHINESE_COLUMNS if chinese else COLUMNS
    assert list(rows[0]) == list(columns) and len(rows) == 2
    first = [rows[0][name] for name in columns]
    digest = question_digest("=太慢了", "好评")
    assert first == [
        "rows.csv",
        "3",
        "=太慢了",
        "好评",
        "差评",
        "0.9",
        "好评、差评" if chinese else "好评, 差评",
        "",
        "",
        "",
        digest,
    ]


def test_answers_change_confirm_and_remove(file: RecipeFile, tmp_path: Path) -> None:
    rows = [
        row_of(file, 2, "好评"),
        row_of(file, 4, "删除", note="twice"),
        row_of(file, 6, "好评", reviewer="王"),
        row_of(file, 3, ""),
    ]
    found = read_answers(file, filled(tmp_path / "a.csv", rows), Reading())
    assert (found.confirmed, found.blank) == (1, 1)
    assert found.corrections == (
        Correction("rows.csv", 4, "差评", None, "", "twice"),
        Correction("rows.csv", 6, "差评", "好评", "王", ""),
    )


def test_rows_of_the_same_text_are_corrected_together(file: RecipeFile, tmp_path: Path) -> None:
    found = read_answers(file, filled(tmp_path / "a.csv", [row_of(file, 3, "差评")]), Reading())
    assert [(each.row, each.new, each.same_as) for each in found.corrections] == [(3, "差评", None), (5, "差评", 3)]
    apart = [row_of(file, 3, "差评"), row_of(file, 5, "好评")]
    found = read_answers(file, filled(tmp_path / "b.csv", apart), Reading())
    assert [each.row for each in found.corrections] == [3], "a row with an answer of its own has that"


def test_words_that_the_recipe_reads_as_a_label_are_answers(file: RecipeFile, tmp_path: Path) -> None:
    found = read_answers(file, filled(tmp_path / "a.csv", [row_of(file, 2, " 不好 ")]), Reading())
    assert [each.new for each in found.corrections] == ["差评"]


def test_a_new_label_must_be_asked_for(file: RecipeFile, tmp_path: Path) -> None:
    path = filled(tmp_path / "a.csv", [row_of(file, 2, "中评")])
    with pytest.raises(DataError, match=r"row 2: unknown label `中评` \(--new-labels takes it\)"):
        read_answers(file, path, Reading())
    assert [each.new for each in read_answers(file, path, Reading(), new_labels=True).corrections] == ["中评"]


def test_a_label_named_remove_is_a_label(tmp_path: Path) -> None:
    rows = [["a", "remove"], ["b", "keep"], ["c", "keep"]]
    filled(tmp_path / "rows.csv", rows, ["text", "label"])
    (tmp_path / "recipe.yaml").write_text("name: t\ndata: {files: rows.csv}\nsteps: [{tune.linear: {}}]\n", "utf-8")
    file = load_recipe(tmp_path / "recipe.yaml")
    answer = [["3", "remove", question_digest("b", "keep")], ["4", "删除", question_digest("c", "keep")]]
    path = filled(tmp_path / "a.csv", answer, ["row", "answer", "digest"])
    assert [each.new for each in read_answers(file, path, Reading()).corrections] == ["remove", None]


def test_all_faults_are_named_with_their_rows_and_nothing_is_taken(file: RecipeFile, tmp_path: Path) -> None:
    rows = [
        row_of(file, 2, "差评"),
        row_of(file, 2, "好评"),
        row_of(file, 3, "差评", row="900"),
        row_of(file, 3, "差评", row="x"),
        row_of(file, 3, "差评", row="9" * 5000),
        row_of(file, 3, "差评", file="other.csv"),
        row_of(file, 3, "差评", digest=question_digest("太快了", "好评")),
        row_of(file, 4, "［差评]"),
        row_of(file, 6, "好\0评"),
    ]
    path = filled(tmp_path / "a.csv", rows)
    with pytest.raises(DataError) as caught:
        read_answers(file, path, Reading())
    said = caught.value.what.splitlines()
    assert caught.value.where == str(path) and said[0] == "answers that cannot be taken; nothing was changed"
    for line, words in zip(
        said[1:],
        [
            "row 3: a second answer for row 2; the first is in row 2",
            "row 4: `rows.csv` has no labelled row `900`",
            "row 5: `rows.csv` has no labelled row `x`",
            "row 6: `rows.csv` has no labelled row `99999999999999999999`",
            "row 7: the data has no file `other.csv`; it has rows.csv",
            "row 8: what was asked about `rows.csv`, row 3, does not hold now: its text or label has changed",
            "row 9: unknown label `［差评]` (did you mean `差评`?)",
            "row 10: the label has a NUL character at character 2",
        ],
        strict=True,
    ):
        assert words in line
    assert chinese(said[6]).strip().startswith("第 8 行：`rows.csv` 第 3 行已不是提问时的内容")


def test_what_changed_since_is_refused(file: RecipeFile, tmp_path: Path) -> None:
    path = filled(tmp_path / "a.csv", [row_of(file, 2, "差评")])
    for changed in (["物流很慢", "好评"], ["物流很快", "差评"]):
        filled(tmp_path / "rows.csv", [changed, *ROWS[1:]], ["text", "label"])
        with pytest.raises(DataError, match=r"row 2: what was asked about `rows\.csv`, row 2, does not hold now"):
            read_answers(file, path, Reading())


@pytest.mark.parametrize("column", ["row", "answer", "digest"])
def test_a_missing_column_is_named(file: RecipeFile, tmp_path: Path, column: str) -> None:
    place = COLUMNS.index(column)
    cells = row_of(file, 2, "差评")
    header, cells = [[*each[:place], *each[place + 1 :]] for each in (list(COLUMNS), cells)]
    with pytest.raises(DataError, match=f"the column `{column}` is missing; the columns are `file`") as caught:
        read_answers(file, filled(tmp_path / "a.csv", [cells], header), Reading())
    assert "penjing label fix RECIPE --out FILE" in str(caught.value.fix)
