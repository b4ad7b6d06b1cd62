"""Encodings: what most lines say decides, the others are named."""

from __future__ import annotations

import contextlib
import io

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.encoding import Encoding, check_encoding, find_encoding

CHINESE = "一个很好的产品，快递也快\n这次的服务态度很差\n"
TAIWAN = "這間酒店環境還可以，服務也很好\n這個商品質量很差，我要退貨\n"
WESTERN = "Mäkinen and Björn said no\nle café est fermé\n"


def find(raw: bytes, requested: str = "auto") -> Encoding:
    return find_encoding(lambda: contextlib.nullcontext(io.BytesIO(raw)), "a.csv", requested)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"plain\n", "utf-8"),
        (b"", "utf-8"),
        (CHINESE.encode(), "utf-8"),
        (CHINESE.encode("utf-8-sig"), "utf-8-sig"),
        (CHINESE.encode("gbk"), "gb18030"),
        (CHINESE.encode("gbk").replace(b"\n", b"\r"), "gb18030"),
        ("繁體中文與罕見字𠀀混在一起的一行文字\n".encode("gb18030"), "gb18030"),
        ("這間酒店環境還可以\n".encode("gbk"), "gb18030"),
        ("ok 好 fine\n".encode("gbk"), "gb18030"),
        (TAIWAN.encode("big5"), "big5hkscs"),
        ("我想退貨".encode("big5"), "big5hkscs"),
        (WESTERN.encode("cp1252"), "cp1252"),
        ("It’s £5 off".encode("cp1252"), "cp1252"),
        ("niño".encode(), "utf-8"),
        ("£5 off".encode(), "utf-8"),
        ("привет, мир\n".encode(), "utf-8"),
        ("text,label\na selective β blocker was given,drug\nreceptor α was found,part\n".encode(), "utf-8"),
        ("text,label\nit is λ and no more than that\n".encode(), "utf-8"),
        ("text,label\né was the only letter of that kind\n".encode(), "utf-8"),
        ("id,unit\nthe value is 5 µg at 37 °C\n".encode(), "utf-8"),
        ("Ελλάδα".encode(), "utf-8"),
        ("size,label\nsmall,小\n".encode("gbk"), "gb18030"),
        ("没\n".encode("gbk"), "gb18030"),
        ("text,label\ngood quality and fast delivery,没\nall of it was late,没\n".encode("gbk"), "gb18030"),
        ("么么\n".encode("gbk"), "gb18030"),
        (CHINESE.encode("utf-16"), "utf-16"),
        (CHINESE.encode("utf-16-le"), "utf-16-le"),
        (CHINESE.encode("utf-16-be"), "utf-16-be"),
        (WESTERN.encode("utf-16-le"), "utf-16-le"),
        ("我要退款，谢谢".encode("utf-16-le"), "utf-16-le"),
        ("我要退款，谢谢".encode("utf-16-be"), "utf-16-be"),
        (CHINESE.encode("utf-32"), "utf-32"),
        (b"a\x00b\nc\x00\n", "utf-8"),
    ],
)
def test_finds_the_encoding(raw: bytes, found: str) -> None:
    assert find(raw).name == found


@pytest.mark.parametrize("text", ["好", "谢谢", "不错", "退款", "联通", "我要退货", "物流太慢", "一个好酒店"])
def test_a_single_short_line_of_gbk(text: str) -> None:
    assert find(text.encode("gbk")).name == "gb18030"


def test_western_letters_are_read_with_a_note_even_where_they_decode_as_gb18030() -> None:
    raw = "plain\nMäkinen and Björn said no\n".encode("cp1252")
    raw.decode("gb18030")
    found = find(raw)
    assert (found.name, found.odd) == ("cp1252", {})
    assert found.note is not None and "read as cp1252" in found.note
    assert find(raw, "cp1252").note is None


def test_one_wrong_byte_does_not_change_the_encoding() -> None:
    lines = (CHINESE * 20).encode("gbk").split(b"\n")
    for wrong in (b"\xff", b"\x81", b"\x80"):
        for line in (0, 7, 39):
            broken = [*lines]
            broken[line] = broken[line][:4] + wrong + broken[line][5:]
            found = find(b"\n".join(broken))
            assert found.name == "gb18030"
            assert set(found.odd) <= {line + 1}
    odd = find(b"\n".join([*lines[:7], b"\xff" + lines[7], *lines[8:]])).odd
    assert list(odd) == [8]
    assert odd[8].startswith("line 8 is not GB18030, as the others are")


def test_lines_from_another_file_are_named_with_their_encoding() -> None:
    found = find((CHINESE * 3).encode() + "坏掉的一行\n".encode("gbk"))
    assert (found.name, list(found.odd)) == ("utf-8", [7])
    assert "坏掉的一行" in found.odd[7] and "it is GB18030" in found.odd[7]
    found = find((CHINESE * 3).encode("gbk") + "乱入的一行\n".encode() + TAIWAN.encode("big5"))
    assert (found.name, list(found.odd)) == ("gb18030", [7, 8, 9])
    assert "it is UTF-8" in found.odd[7]
    assert "it is Big5" in found.odd[8]


def test_what_makes_no_sense_is_refused_with_its_line() -> None:
    with pytest.raises(DataError, match="line 2 is not readable in UTF-8, GB18030, Big5 or cp1252") as caught:
        find(b"id\n" + bytes(range(0x80, 0xA0)) * 8 + b"\n")
    assert caught.value.where == "a.csv:2"
    assert caught.value.fix is not None and "--encoding" in caught.value.fix


def test_a_wrong_explicit_encoding_is_named_with_the_line() -> None:
    with pytest.raises(DataError, match="line 2 is not ascii"):
        find("a\né\né\n".encode(), "ascii")
    with pytest.raises(DataError, match="line 1 is not UTF-8"):
        find(CHINESE.encode("gbk"), "utf-8")
    with pytest.raises(DataError, match="utf-16"):
        find(CHINESE.encode("utf-16")[:-1])


def test_unknown_encodings_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="did you mean `cp1252`"):
        check_encoding("cp1252x")
    with pytest.raises(UsageError, match="not an encoding of text"):
        check_encoding("hex")


def test_korean_is_not_read_as_chinese_without_sense() -> None:
    korean = "이 제품은 고장났습니다 환불해 주세요\n배송이 너무 늦어서 주문을 취소하고 싶어요\n색상이 사진과 달라요\n"
    with pytest.raises(DataError, match="EUC-KR") as caught:
        find(korean.encode("euc_kr"))
    assert "--encoding euc_kr" in str(caught.value.fix)
    assert find(korean.encode("euc_kr"), "euc_kr").name == "euc_kr"
    # Few characters again and again are Chinese, even if all are in that range.
    assert find(("还好\n很好\n好\n" * 20).encode("gb18030")).name == "gb18030"


def test_a_text_that_was_encoded_twice_is_named() -> None:
    twice = "第0次投诉，商家态度很差\n".encode().decode("latin-1").encode()
    assert "encoded twice" in str(find(twice).note)
    assert find("café, señor, Ç’est\n第一\n".encode()).note is None
