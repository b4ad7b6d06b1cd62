"""Raw documents of every kind of file; lines of any length, encodings and columns."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.data.corpus.process import read_text
from penjing.data.corpus.reader import (
    MOST,
    HowToRead,
    Notes,
    RawDocument,
    guess_documents,
    read_documents,
    read_parquet_documents,
)
from penjing.data.corpus.repair import Changes

ZH = "请帮我查一下这张银行卡的余额和最近三个月的账单"


def read(raw: bytes, name: str = "a.txt", how: HowToRead | None = None) -> tuple[list[RawDocument], Notes]:
    notes = Notes()
    return list(read_documents(io.BytesIO(raw), name, how or HowToRead(), notes)), notes


def texts(raw: bytes, name: str = "a.txt", how: HowToRead | None = None) -> list[str | None]:
    return [read_text(each, Changes()) for each in read(raw, name, how)[0]]


def test_what_a_document_is() -> None:
    blank = "\n\n".join([f"{ZH}\n{ZH}"] * 5).encode()
    lines = "\n".join([ZH * 6] * 5).encode()
    short = "\n".join([ZH] * 5).encode()
    assert guess_documents(blank, True) == "file"
    assert [guess_documents(each, False) for each in (blank, lines, short)] == ["blank", "line", "file"]
    assert texts(blank, how=HowToRead(among=False)) == [f"{ZH}\n{ZH}"] * 5
    assert texts(short, how=HowToRead(documents="line")) == [ZH] * 5
    assert texts("　\n".join([f"{ZH}\n"] * 4).encode(), how=HowToRead(documents="blank")) == [ZH] * 4
    assert [each.place for each in read(blank, how=HowToRead(among=False))[0]][:2] == ["a.txt:1", "a.txt:4"]


def test_blank_lines_are_no_documents() -> None:
    found, notes = read(f"\n{ZH}\r\n \t\n　\n{ZH}\n\n".encode(), how=HowToRead(documents="line"))
    assert [(each.place, each.data.decode().strip()) for each in found] == [("a.txt:2", ZH), ("a.txt:5", ZH)]
    assert notes.read_as == {"line": 1} and not notes.dropped


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "big5hkscs"]
)
def test_encodings(encoding: str) -> None:
    text = "請幫我查一下這張銀行卡的餘額和最近三個月的帳單" if "big5" in encoding else ZH
    raw = "".join(f"{text}{n}\r\n" for n in range(30)).encode(encoding)
    assert texts(raw, how=HowToRead(documents="line"))[:2] == [f"{text}0", f"{text}1"]


def test_a_long_line_is_cut_out_and_memory_stays() -> None:
    class Endless(io.RawIOBase):
        """One line of 300 MB between two others, made as it is read."""

        def __init__(self) -> None:
            self.left = 300 << 20
            self.parts = [f"{ZH}\n".encode(), b"", f"\n{ZH}".encode()]

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            if self.parts[0] or not self.left:
                piece = self.parts[0] if self.parts[0] else self.parts[2]
                self.parts[0 if self.parts[0] else 2] = b""
            else:
                piece = b"x" * min(self.left, len(buffer))
                self.left -= len(piece)
            buffer[: len(piece)] = piece
            return len(piece)

    notes = Notes()
    tracemalloc.start()
    found = list(read_documents(io.BufferedReader(Endless()), "a.txt", HowToRead(documents="line"), notes))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [each.data.strip().decode() for each in found] == [ZH, ZH]
    assert notes.dropped == {"too_large": (1, (300 << 20) + 1)} and peak < 6 * MOST


def test_json_lines_lists_and_columns() -> None:
    rows = [{"id": 1, "content": ZH}, {"id": 2, "content": ZH + "吗"}]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    assert texts(lines, "a.jsonl") == texts(json.dumps(rows).encode(), "a.json") == [ZH, ZH + "吗"]
    assert texts(json.dumps({"data": rows}, indent=1).encode(), "a.json") == [ZH, ZH + "吗"]
    assert texts(lines, "stdin", HowToRead(("content",))) == [ZH, ZH + "吗"]
    with pytest.raises(UsageError, match="no column `contents`"):
        read(lines, "a.jsonl", HowToRead(("contents",)))
    found, notes = read(b'{"a": "x", "b": "y"}\n{"a": "x", "b": "y"}', "a.jsonl")
    assert not found and notes.skipped == {"no_column": 1} and "--text" in notes.said[0]


def test_csv_with_quotes_and_faults() -> None:
    raw = f'id,内容,渠道\n1,"{ZH}\n第二行",app\n2,{ZH},web\n3,多,了,一,格\n4,"没有关上,app\n5,{ZH}吗,app\n'.encode(
        "gb18030"
    )
    found, notes = read(raw, "a.csv")
    assert [each.data.decode() for each in found][:2] == [f"{ZH}\n第二行", ZH]
    assert f"{ZH}吗" in [each.data.decode() for each in found] and notes.dropped["unreadable"][0] >= 1
    assert texts(f"t\tx\n{ZH}\t1\n".encode(), "a.tsv", HowToRead(("t", "x"))) == [f"{ZH}\n1"]


def test_parquet(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    polars.DataFrame({"n": [1, 2], "text": [ZH, None]}).write_parquet(tmp_path / "a.parquet")
    notes = Notes()
    found = list(read_parquet_documents(tmp_path / "a.parquet", "a", HowToRead(), notes))
    assert [each.data.decode() for each in found] == [ZH, ""] and notes.read_as == {"table": 1}
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing")
    assert not list(read_parquet_documents(tmp_path / "a.parquet", "a", HowToRead(), notes))
    assert notes.skipped == {"damaged": 1}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 text", "not_text"),
        (b"\x00\x00\x02\x03" * 99 + b"abc", "not_text"),
        ("このたびはお問い合わせいただき、誠にありがとうございます。\n".encode("euc_jp") * 20, "encoding"),
    ],
)
def test_what_is_no_text_is_counted(raw: bytes, reason: str) -> None:
    found, notes = read(raw)
    assert not found and notes.skipped == {reason: 1} and notes.said[0].startswith("a.txt: ")


def test_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert texts(f"# 标题\n\n{ZH}".encode(), "a!b.md") == [f"标题\n{ZH}"]
    assert read(b"<!DOCTYPE html><html></html>", "a.txt")[0][0].kind == "html"
    monkeypatch.setattr("penjing.data.corpus.reader.MOST", 10)
    assert read(b"<html>" + b"x" * 50, "a.html")[1].dropped == {"too_large": (1, 56)}


def test_json_lines_are_read_though_the_first_is_broken_or_lacks_the_column() -> None:
    notes = Notes()
    rows = b'{"text": "cut\n{"id": 1}\n{"text": "one"}\n'
    found = list(read_documents(io.BytesIO(rows), "a.jsonl", HowToRead(), notes))
    assert [(each.kind, each.columns, each.place) for each in found] == [
        ("json", ("text",), f"a.jsonl:{number}") for number in (1, 2, 3)
    ]
    assert not notes.skipped
