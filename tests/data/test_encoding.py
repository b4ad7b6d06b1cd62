"""Encodings: BOM, strict UTF-8, strict GB18030, or an error that shows the line."""

from __future__ import annotations

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.encoding import WesternError, check_encoding, decode_stream, find_encoding

CHINESE = "一个很好的产品，快递也快\n这次的服务态度很差\n"


def find(raw: bytes, requested: str = "auto") -> str:
    return find_encoding(raw.splitlines(keepends=True), "a.csv", requested)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"plain\n", "utf-8"),
        (b"", "utf-8"),
        (CHINESE.encode(), "utf-8"),
        (CHINESE.encode("utf-8-sig"), "utf-8-sig"),
        (CHINESE.encode("gbk"), "gb18030"),
        ("繁體中文與罕見字𠀀混在一起的一行文字\n".encode("gb18030"), "gb18030"),
        (CHINESE.encode("utf-16"), "utf-16"),
        ("這間酒店環境還可以\n".encode("gbk"), "gb18030"),
        ("ok 好 fine\n".encode("gbk"), "gb18030"),
    ],
)
def test_finds_the_encoding(raw: bytes, found: str) -> None:
    assert find(raw) == found


def test_western_text_is_refused_with_its_line_even_where_it_decodes_as_gb18030() -> None:
    raw = "plain\nMäkinen and Björn said no\n".encode("cp1252")
    raw.decode("gb18030")
    with pytest.raises(WesternError) as caught:
        find(raw)
    assert "line 2 is neither UTF-8 nor GB18030" in str(caught.value)
    assert "Mäkinen" in str(caught.value)
    assert "encoding: cp1252" in str(caught.value)
    assert caught.value.where == "a.csv:2"
    assert find(raw, "cp1252") == "cp1252"


def test_one_broken_line_in_utf8_is_named() -> None:
    raw = (CHINESE * 3).encode() + "坏掉".encode()[:-1] + b"\n"
    with pytest.raises(DataError, match="line 7 is not UTF-8, though 6 other lines are") as caught:
        find(raw)
    assert not isinstance(caught.value, WesternError)


def test_a_wrong_explicit_encoding_is_named_with_the_line() -> None:
    with pytest.raises(DataError, match="line 2 is not ascii"):
        find("a\né\n".encode(), "ascii")


def test_unknown_encodings_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="did you mean `cp1252`"):
        check_encoding("cp1252x")
    with pytest.raises(UsageError, match="not an encoding of text"):
        check_encoding("hex")


def test_a_stream_settles_on_the_first_line_that_is_not_ascii() -> None:
    gbk = [b"id\n", *(line.encode("gbk") for line in CHINESE.splitlines(keepends=True))]
    assert "".join(decode_stream(gbk, "in")) == "id\n" + CHINESE
    with pytest.raises(DataError, match="line 3"):
        list(decode_stream([b"a\n", "好\n".encode(), b"\xff\xff\n"], "in"))


def test_a_stream_loses_its_bom() -> None:
    assert list(decode_stream(["a\n".encode("utf-8-sig")], "in")) == ["a\n"]
