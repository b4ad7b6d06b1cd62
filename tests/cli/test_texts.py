"""Texts from a file: which column they stand in, with the row numbers and all cells of the user's file."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from penjing.cli.texts import batches, read_texts
from penjing.core.errors import UsageError


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
    ("content", "column", "said"),
    [
        ("id,message\n1,a\n", None, "there is no column `text`; there are `id`, `message`"),
        ("text,message\n1,a\n", "body", "there is no column `body`; there are `text`, `message`"),
        ("message\na\n", "text", "there is no column `text`; there are `message`"),
    ],
)
def test_a_column_that_is_not_there_is_told(tmp_path: Path, content: str, column: str | None, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        next(read_texts(write(tmp_path / "in.csv", content), column))
    assert raised.value.what == said
    assert raised.value.where == f"{tmp_path / 'in.csv'}:2"
    assert raised.value.fix is not None and "--text COLUMN" in raised.value.fix


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
