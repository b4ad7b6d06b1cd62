"""Texts from a file: which column they stand in, with the row numbers and all cells of the user's file."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from penjing.cli.texts import batches, in_order, read_texts
from penjing.core.errors import UsageError
from penjing.core.nouns import ReleaseInfo
from penjing.data.cells import Fault
from penjing.data.read import Reading


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_column_text_is_taken_and_all_cells_come_along(tmp_path: Path) -> None:
    file = write(tmp_path / "in.csv", 'id,text,channel\n1,"two\nlines",web\n2,退款,app\n')
    assert list(read_texts(file, None)) == [
        (2, "two\nlines", {"id": "1", "text": "two\nlines", "channel": "web"}),
        (4, "退款", {"id": "2", "text": "退款", "channel": "app"}),
    ]


def test_another_column_is_taken_where_it_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "in.csv", "text,body\nsubject,the words\n")
    assert [text for _, text, _ in read_texts(file, "body")] == ["the words"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("in.jsonl", '{"message": "早"}\n{"message": "晚"}\n'), ("in.txt", "早\n晚\n"), ("in.csv", "message\n早\n晚\n")],
)
def test_an_only_column_needs_no_name(tmp_path: Path, name: str, content: str) -> None:
    assert [text for _, text, _ in read_texts(write(tmp_path / name, content), None)] == ["早", "晚"]


@pytest.mark.parametrize(
    ("name", "content", "column", "told"),
    [
        ("in.csv", "id,Text\n1,a\n2,b\n", None, ["Text"]),
        ("in.csv", "id,text,note\n1,a,x\n", "body", ["text"]),
        ("in.csv", "id,text,body\n1,a,x\n", "body", ["body"]),
        ("in.csv", "message\na\nb\n", None, ["message"]),
        ("in.csv", "id,text\n", None, []),
        (
            "in.jsonl",
            '{"message": "a"}\n{"message": "b", "id": 1}\n{"text": "c", "id": 2}\n',
            None,
            ["message", "text"],
        ),
    ],
)
def test_the_column_of_the_texts_is_named_when_it_is_found_and_when_it_changes(
    tmp_path: Path, name: str, content: str, column: str | None, told: list[str]
) -> None:
    info = made_with(column) if column else None
    found: list[str] = []
    before = [len(found) for _ in read_texts(write(tmp_path / name, content), None, info=info, on_column=found.append)]
    assert found == told and before[:1] == [1][: len(told)], "it is named before its first row"


@pytest.mark.parametrize(
    ("content", "column", "said"),
    [
        ("id,message\n1,a\n2,b\n", None, "there is no column `text`; there are `id`, `message`"),
        ("text,message\n1,a\n", "body", "there is no column `body`; there are `text`, `message`"),
        ("message\na\n", "text", "there is no column `text`; there are `message`"),
    ],
)
def test_a_column_that_is_not_there_is_told(tmp_path: Path, content: str, column: str | None, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        next(read_texts(write(tmp_path / "in.csv", content), column))
    assert raised.value.what == said
    assert raised.value.where == f"{tmp_path / 'in.csv'}:1"
    assert raised.value.fix is not None and "with --text " in raised.value.fix


def test_a_row_of_json_without_the_column_is_told_by_its_number(tmp_path: Path) -> None:
    rows = read_texts(write(tmp_path / "in.jsonl", '{"text": "a", "id": 1}\n{}\n'), None)
    assert next(rows)[1] == "a"
    with pytest.raises(UsageError, match="there is no column `text`; there are none") as raised:
        next(rows)
    assert str(raised.value.where).endswith("in.jsonl:2")


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("免费领奖\n\nthanks\n".encode())))
    assert [(number, text) for number, text, _ in read_texts("-", None)] == [(1, "免费领奖"), (3, "thanks")]


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (2, [2]), (3, [3]), (7, [3, 3, 1])])
def test_batches_keep_the_order_and_lose_none(count: int, sizes: list[int]) -> None:
    found = list(batches(iter(range(count)), 3))
    assert [len(batch) for batch in found] == sizes
    assert [each for batch in found for each in batch] == list(range(count))


def test_batches_read_no_further_than_they_must() -> None:
    rows = iter(range(10))
    assert next(batches(rows, 4)) == [0, 1, 2, 3]
    assert next(rows) == 4


Read = tuple[list[tuple[int, str]], list[Fault], list[str]]


def read(file: Path | str, column: str | None = None, **more: Any) -> Read:
    faults: list[Fault] = []
    said: list[str] = []
    rows = [
        (number, text) for number, text, _ in read_texts(str(file), column, faults=faults, notify=said.append, **more)
    ]
    return rows, faults, said


def made_with(column: str, **fields: str) -> ReleaseInfo:
    return ReleaseInfo(
        name="n", language="zh", labels=("a", "b"), masking="m", artifact="x", tolerance=0, fingerprint={},
        columns={"text": column, "label": "类别"}, fields=fields,
    )  # fmt: skip


def test_the_column_that_the_release_was_made_with_is_taken(tmp_path: Path) -> None:
    file = write(tmp_path / "in.csv", "编号,投诉内容,text\n1,太慢了,x\n2,坏了,y\n")
    assert read(file, info=made_with("投诉内容"))[0] == [(2, "太慢了"), (3, "坏了")]
    assert read(file, "text", info=made_with("投诉内容"))[0] == [(2, "x"), (3, "y")]
    assert read(file, info=made_with("留言"))[0] == [(2, "x"), (3, "y")]
    wide = write(tmp_path / "wide.csv", "编号,ＴＥＸＴ\n1,太慢了\n2,坏了\n")
    assert read(wide)[0] == [(2, "太慢了"), (3, "坏了")]


def test_the_time_of_a_row_is_in_the_column_that_the_release_names(tmp_path: Path) -> None:
    info = made_with("text").model_copy(update={"columns": {"text": "text", "label": "label", "time": "收件时间"}})
    named = write(tmp_path / "a.csv", "text,收件时间,time\nhi,2026/1/5,2026-02-03\n")
    other = write(tmp_path / "b.csv", "text,time\nhi,2026-02-03\n")
    assert [cells["time"] for *_, cells in read_texts(str(named), None, info=info)] == ["2026/1/5"]
    assert [cells["time"] for *_, cells in read_texts(str(other), None, info=info)] == ["2026-02-03"]


def test_a_file_without_a_header_keeps_its_first_line(tmp_path: Path) -> None:
    texts = [f"快递太慢了，等了{day}天，请处理" for day in (3, 4, 5)]
    rows, _, said = read(write(tmp_path / "one.csv", "\n".join(texts)))
    assert [text for _, text in rows] == texts
    assert "the first line is read as a text too" in said[0]
    with pytest.raises(UsageError) as caught:
        read(write(tmp_path / "two.csv", "".join(f"物流,{text}\n" for text in texts)))
    assert caught.value.what.startswith("the table has no header: its first line holds `物流`")
    assert caught.value.fix is not None and caught.value.fix.endswith("--header 0 --text column_2")
    assert len(read(tmp_path / "two.csv", "column_2", reading=Reading(header=0))[0]) == 3


def test_a_first_line_that_may_be_a_name_or_a_text_is_a_question(tmp_path: Path) -> None:
    file = write(tmp_path / "in.csv", "早\n晚\n中午\n")
    with pytest.raises(UsageError, match="`早`, may be the name of the column or a text") as caught:
        read(file)
    assert caught.value.fix is not None and "--header 1" in caught.value.fix and "--header 0" in caught.value.fix
    assert read(file, reading=Reading(header=1))[0] == [(2, "晚"), (3, "中午")]
    assert len(read(file, reading=Reading(header=0))[0]) == 3


def test_a_table_on_standard_input_is_not_answered_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    given("id,message\n1,hello\n2,bye\n")
    with pytest.raises(UsageError) as caught:
        read("-")
    assert caught.value.what == "there is no column `text`; there are `id`, `message`"
    assert caught.value.fix is not None and "--text message" in caught.value.fix
    given("id,message\n1,hello\n2,bye\n")
    assert read("-", "message")[0] == [(2, "hello"), (3, "bye")]
    given("Hello, I want a refund\nThanks, bye\n")
    assert [text for _, text in read("-")[0]] == ["Hello, I want a refund", "Thanks, bye"]
    given("a,b\nc,d\ne,f\n")
    assert [text for _, text in read("-", reading=Reading(lines=True))[0]] == ["a,b", "c,d", "e,f"]


def test_rows_that_cannot_be_read_are_put_aside(tmp_path: Path) -> None:
    lines = ['{"text": "a"}', '{"text": ["b", "c"]}', "not json", '{"id": 1}', '{"text": "d", "n": [1, 2]}']
    lines.append('{"text": "e"}')
    file = write(tmp_path / "in.jsonl", "\n".join(lines))
    rows, faults, _ = read(file, info=made_with("text", n="str"))
    assert rows == [(1, "a"), (6, "e")]
    assert [fault.row for fault in faults] == [2, 3, 4, 5]
    assert "a list of 2 values (b, c)" in faults[0].what
    assert "there is no column `text`" in faults[2].what
    assert faults[3].what.startswith("`n` is a list")


def test_a_row_of_json_without_the_second_text_is_put_aside(tmp_path: Path) -> None:
    info = made_with("text").model_copy(update={"columns": {"text": "text", "question": "asked", "label": "label"}})
    lines = ['{"text": "a", "asked": "b"}', '{"text": "c"}', '{"asked": "d"}', '{"text": "e", "asked": "f"}']
    rows, faults, _ = read(write(tmp_path / "in.jsonl", "\n".join(lines)), info=info)
    assert rows == [(1, "a\x1fb"), (4, "e\x1ff")]
    assert [fault.row for fault in faults] == [2, 3] and "there is no column `asked`" in faults[0].what
    with pytest.raises(UsageError, match="there is no column `asked`"):
        read(write(tmp_path / "none.jsonl", '{"text": "a"}\n'), info=info)


def test_error_lines_come_in_the_order_of_the_rows() -> None:
    faults = [Fault(1, "x", "y"), Fault(3, "x", "y"), Fault(9, "x", "y")]
    assert [line["row"] for line in in_order([{"row": 2}, {"row": 4}], faults)] == [1, 2, 3, 4, 9]
    assert faults == []


def test_what_was_passed_over_is_said(tmp_path: Path) -> None:
    file = write(tmp_path / "in.csv", "sep=;\ntext;label\na;1\ntext;label\nb;2\n")
    rows, _, said = read(file)
    assert [text for _, text in rows] == ["a", "b"]
    assert [line.split(": ", 1)[1] for line in said] == [
        "line 1 (`sep=;`) names the delimiter: skipped",
        "the header is repeated in row 4: skipped",
    ]
    assert "no row of text" in read(write(tmp_path / "none.csv", "text\n"))[2][0]
