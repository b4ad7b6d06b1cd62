"""Rows and their numbers, from files and from standard input, hostile ones included."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from penjing.core.errors import DataError
from penjing.data.read import Fault, Reading, open_table, read_rows


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_row_numbers_are_lines_also_after_a_cell_of_two_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'text,label\r\n"one\ntwo",1\n\nthree,0\n')
    assert list(read_rows(path)) == [(2, {"text": "one\ntwo", "label": "1"}), (5, {"text": "three", "label": "0"})]


def test_columns_name_a_file_without_header(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", 'ham\t"Hi\nspam\tWin\n')
    assert [row for _, row in read_rows(path, columns=["label", "text"])] == [
        {"label": "ham", "text": '"Hi'},
        {"label": "spam", "text": "Win"},
    ]
    headed = write(tmp_path, "b.tsv", "label\ttext\nham\tHi\n")
    assert [row for row, _ in read_rows(headed, columns=["label", "text"])] == [2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "a.csv", "文本,标签\n这个酒店很好,好\n", encoding)
    assert list(read_rows(path)) == [(2, {"文本": "这个酒店很好", "标签": "好"})]


def test_plain_lines_have_one_column(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "a, b\n\n\u2028c\n")
    assert list(read_rows(path)) == [(1, {"text": "a, b"}), (3, {"text": "\u2028c"})]


def test_jsonl_values_become_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"text": "好", "label": 1, "more": {"a": [true]}, "none": null}\n')
    assert list(read_rows(path)) == [(1, {"text": "好", "label": "1", "more": '{"a": [true]}', "none": ""})]


def test_a_text_of_one_megabyte(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", f'text,label\n"{"长" * 400_000}",1\n')
    assert len(next(read_rows(path))[1]["text"]) == 400_000


def test_wrong_numbers_of_cells_are_errors_or_listed(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "text,label\na,1\na,b,1\nb\nc,0\n")
    with pytest.raises(DataError, match=r"row 3: 3 cells, but the header has 2") as caught:
        list(read_rows(path))
    assert "quotes around a cell that contains a comma" in str(caught.value)
    faults: list[Fault] = []
    assert [row for row, _ in read_rows(path, faults=faults)] == [2, 5]
    assert [fault.row for fault in faults] == [3, 4]


def test_an_unclosed_quote_is_found_at_the_row_that_opens_it(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'text,label\n"a, b",1\n"c, d,0\n')
    with pytest.raises(DataError, match="row 3: a quote is opened and never closed"):
        list(read_rows(path))


def test_json_that_is_broken_nested_or_no_object(tmp_path: Path) -> None:
    deep = '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}"
    lines = ['{"text": "a"}', '{"text": ', "3", deep, "9" * 5000, '{"text": "b"}']
    path = write(tmp_path, "a.jsonl", "\n".join(lines))
    faults: list[Fault] = []
    assert [row for row, _ in read_rows(path, faults=faults)] == [1, 6]
    said = {fault.row: fault.what for fault in faults}
    assert "not valid JSON" in said[2]
    assert said[3] == "a JSON number, not an object"
    assert said[4] == "JSON nested too deeply"
    assert set(said) == {2, 3, 4, 5}
    with pytest.raises(DataError, match="row 2: not valid JSON"):
        list(read_rows(path))


def test_a_header_with_a_name_twice(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names `text` twice"):
        list(read_rows(write(tmp_path, "a.csv", "text,text\na,b\n")))


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ("好 的\nb\n".encode(), [{"text": "好 的"}, {"text": "b"}]),
        ('{"text": "好"}\n'.encode(), [{"text": "好"}]),
        (b'text,channel\n"a, b",web\n', [{"text": "a, b", "channel": "web"}]),
        (b"channel\ttext\nweb\ta\n", [{"channel": "web", "text": "a"}]),
        ("一行文字\n".encode("gbk"), [{"text": "一行文字"}]),
        ("text;label\r\n好;1\r\n".encode("utf-16"), [{"text": "好", "label": "1"}]),
        (b"text\tlabel\ra\t1\r", [{"text": "a", "label": "1"}]),
        (b'[{"text": "a"}, {"text": "b"}]', [{"text": "a"}, {"text": "b"}]),
        (b"id,message\n1,a\n2,b\n", [{"id": "1", "message": "a"}, {"id": "2", "message": "b"}]),
        (b"", []),
    ],
)
def test_standard_input(monkeypatch: pytest.MonkeyPatch, given: bytes, rows: list[dict[str, str]]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    assert [row for _, row in open_table("-", wanted=("text",)).rows()] == rows


def test_a_workbook_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active.append(["好"])
    book.save(tmp_path / "a.xlsx")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "a.xlsx").read_bytes())))
    assert list(read_rows("-")) == [(2, {"text": "好"})]


def test_titles_above_and_headers_among_the_rows_are_passed_over_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "10月明细,\n\n内容,类别\n很慢,物流\n内容,类别\n坏了,质量\n,\n")
    opened = open_table(path)
    assert [(row, cells["类别"]) for row, cells in opened.rows()] == [(4, "物流"), (6, "质量")]
    assert opened.notes == [
        "row 1 above the header (`10月明细`): skipped; the header is row 3",
        "the header is repeated in row 5: skipped",
    ]
    second = open_table(write(tmp_path, "b.csv", "内容,类别\ntext,label\n很慢,物流\n"))
    assert [row for row, _ in second.rows()] == [3]
    assert second.notes == ["row 2 names the columns a second time: skipped"]


def test_the_header_may_be_named_or_absent(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "x,y\ntext,label\na,1\n")
    assert open_table(path, Reading(header=2)).names == ["text", "label"]
    assert next(open_table(path, Reading(header=0)).rows())[1] == {"column_1": "x", "column_2": "y"}
    assert open_table(path, Reading(lines=True)).names == ["text"]


def test_a_header_that_was_not_found_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "".join(f"note {n}\n" for n in range(20)) + "text,label\na,1\nb,2\n")
    assert open_table(path).names == ["note 0"]
    assert next(open_table(path, Reading(header=21)).rows()) == (22, {"text": "a", "label": "1"})
    wide = write(tmp_path, "b.csv", 'one, two\n"three"\n' + "text,label,more\n" * 2 + "a,b,c\n" * 9)
    assert open_table(wide).names == ["text", "label", "more"]


def test_cells_and_rows_that_are_only_there_because_the_table_is_wider(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "text,label,,\na,1,,\nb,2\nc,3,,\n,,,\n")
    assert [cells for _, cells in read_rows(path)] == [
        {"text": "a", "label": "1"}, {"text": "b", "label": "2"}, {"text": "c", "label": "3"},
    ]  # fmt: skip
    longer = write(tmp_path, "b.csv", "text,label\na,1,,\nb,2,,\n")
    assert [cells["label"] for _, cells in read_rows(longer)] == ["1", "2"]


def test_a_line_in_another_encoding_is_a_fault_of_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "".join(f"这次的服务很好{number},好评\n" for number in range(6))
    path.write_bytes(("内容,类别\n" + good).encode("gbk") + b"\xff" + "坏了,差评\n很慢,差评\n".encode("gbk"))
    faults: list[Fault] = []
    assert [row for row, _ in read_rows(path, faults=faults)] == [2, 3, 4, 5, 6, 7, 9]
    assert [fault.row for fault in faults] == [8]
    assert "is not GB18030" in faults[0].what
    with pytest.raises(DataError, match="row 8: line 8 is not GB18030"):
        list(read_rows(path))


def test_quotes_escaped_by_a_backslash(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'text,label\n"a \\"very\\", bad","1"\n"b, c","0"\n')
    assert [cells["text"] for _, cells in read_rows(path)] == ['a "very", bad', "b, c"]


def test_a_file_with_nothing_in_it(tmp_path: Path) -> None:
    assert list(read_rows(write(tmp_path, "a.csv", ""))) == []
    assert list(read_rows(write(tmp_path, "b.csv", "text,label\n"))) == []
