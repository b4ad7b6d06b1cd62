"""What is in another encoding is refused with what was seen; named, it is read."""

from __future__ import annotations

import contextlib
import io
import random
from pathlib import Path

import pytest

from penjing.core.errors import DataError
from penjing.data.encoding import find_encoding
from penjing.data.read import Reading, open_table

JAPANESE = "商品が届きませんでした,配送\n対応がとても親切でした,接客\nアプリが起動しないので返金してください,返金\n"
KOREAN = "배송이 너무 늦어요,배송\n상담원이 친절했습니다,상담\n환불을 요청합니다,환불\n앱이 실행되지 않아요,기술\n"
RUSSIAN = "Посылка пришла очень поздно,доставка\nСпасибо за быстрый ответ,сервис\nПрошу вернуть деньги,возврат\n"
GREEK = "Το δέμα δεν έφτασε ποτέ,αποστολή\nΕυχαριστώ για την απάντηση,υπηρεσία\n"
CHINESE = "快递太慢了，等了三天,物流\n客服态度很好，谢谢😀,服务\n要求退款,退款\n"


def find(raw: bytes) -> str:
    return find_encoding(lambda: contextlib.nullcontext(io.BytesIO(raw)), "a.csv").name


@pytest.mark.parametrize(
    ("text", "saved", "named"),
    [
        (JAPANESE, "euc_jp", "EUC-JP"),
        (JAPANESE, "shift_jis", "Shift-JIS"),
        (JAPANESE, "iso2022_jp", "ISO-2022-JP"),
        (KOREAN, "euc_kr", "EUC-KR"),
        (RUSSIAN, "koi8_r", "KOI8-R"),
        (RUSSIAN, "cp1251", "Windows-1251"),
        (RUSSIAN, "cp866", "CP866"),
        (RUSSIAN, "iso8859_5", "ISO 8859-5"),
        (GREEK, "cp1253", "Windows-1253"),
        (CHINESE, "utf-7", "UTF-7"),
        (CHINESE.replace("😀", ""), "hz", "HZ"),
    ],
)
def test_it_is_named_and_read_where_it_is_named(tmp_path: Path, text: str, saved: str, named: str) -> None:
    whole = "text,label\n" + text * 3
    path = tmp_path / "a.csv"
    path.write_bytes(whole.encode(saved))
    with pytest.raises(DataError, match=named) as caught:
        open_table(path)
    assert "--encoding" in str(caught.value.fix)
    given = str(caught.value.fix).split("--encoding ")[1].split()[0]
    rows = [cells for _, cells in open_table(path, Reading(encoding=given)).rows()]
    assert [f"{cells['text']},{cells['label']}" for cells in rows] == (text * 3).splitlines()


@pytest.mark.parametrize("saved", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32", "gb18030"])
def test_what_is_read_by_itself(saved: str) -> None:
    for text in ("text,label\n" + CHINESE, "text,label\nall well,good\nvery bad,bad\n", CHINESE * 20):
        raw = text.encode(saved)
        assert raw.decode(find(raw)) == text


def test_plain_text_with_pluses_braces_and_tildes_is_not_refused() -> None:
    for text in ("C++ and 1+1=2, a+b-c\n+8613812345678-1\n", "~{a}~ {b} ~{}~\n", "user+tag-x@example.com\n" * 9):
        assert find(text.encode()) == "utf-8"


def test_chinese_in_its_encodings_is_never_taken_for_another() -> None:
    drawn = random.Random(5)
    words = [
        "的",
        "是",
        "我们",
        "快递",
        "太慢",
        "退款",
        "客服",
        "态度",
        "质量",
        "问题",
        "投诉",
        "银行卡",
        "贷款",
        "医院",
    ]
    words += ["挂号", "の", "酒店", "房间", "很好", "不行", "请", "尽快", "处理", "ヨ"]
    for _ in range(300):
        text = "，".join(drawn.choices(words, k=drawn.randrange(3, 30))) + "\n"
        assert find(text.encode("gb18030")) == "gb18030"


def test_korean_in_seven_bits_is_no_text_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(("text,label\n" + KOREAN * 3).encode("iso2022_kr"))
    with pytest.raises(DataError):
        open_table(path)
