"""Rows and their numbers, from files and from standard input, hostile ones included."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from penjing.core.errors import DataError
from penjing.data.read import Fault, read_rows


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
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


def test_a_json_list_says_how_to_become_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="jq -c"):
        list(read_rows(write(tmp_path, "a.json", json.dumps([{"text": "a"}]))))


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
        (b"", []),
    ],
)
def test_standard_input(monkeypatch: pytest.MonkeyPatch, given: bytes, rows: list[dict[str, str]]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    assert [row for _, row in read_rows("-")] == rows
