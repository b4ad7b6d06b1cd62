"""The rules of form: each drops what it is for, and none drops ordinary texts of either language."""

from __future__ import annotations

import pytest

from penjing.data.corpus.characters import characters, shingles, tokens
from penjing.data.corpus.quality import fault_of, without_boilerplate

ZH = "银行在收到您的投诉之后，会在三个工作日内与您联系，并把处理的结果告诉您。如果您对结果不满意，可以再次提出申请。"
WORDS = ("cards", "loans", "rates", "fees", "accounts", "letters", "branches")
EN = "The bank will call you within three days and tell you what has been done about your complaint. "


def fault(text: str) -> str | None:
    read = characters(text)
    found = tokens(read)
    return fault_of(text, read, found, (len(shingles(found)), 8))


@pytest.mark.parametrize(
    "text",
    [
        ZH,
        EN,
        "手机号忘了怎么办，能改吗",
        "I would like to cancel my card please",
        "截至2024年12月31日，公司营业收入为1,234.5亿元，同比增长12.3%，净利润为88.8亿元。",
        "User: I want a table for 2.\nAgent: For which day?\nUser: Today.\nAgent: It is booked for 7 pm.",
    ],
)
def test_ordinary_texts_break_no_rule(text: str) -> None:
    assert fault(text) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("too_short", "谢谢！"),
        ("symbols", "=== ### *** ||| 价格清单 === ### *** ||| +++ === 数量单位 ### *** 合计金额 $$$ %%%"),
        ("digits", "20240101 3849 2938 48 2 1 09 10 11 12 13 日期 金额 余额 4500 3000 12 55 87"),
        ("filler", "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod."),
        ("repetition", "很好很好" * 40),
        ("repetition", "好" + "啊" * 30 + "，这个产品我觉得还可以吧"),
        ("repetition", "点击这里查看更多\n" * 5 + "其他内容在这里"),
        (
            "word_length",
            " ".join(f"{'xyz' * 9}{chr(97 + n % 26)}{chr(97 + n // 3)}" for n in range(60)),
        ),
        ("no_prose", " ".join(f"{a}{b}" for a in ("red", "blue", "green", "black") for b in range(20))),
        (
            "ellipses",
            "\n".join(
                f"You asked about {word} and the {word} of it is on page {n} ..." for n, word in enumerate(WORDS)
            ),
        ),
    ],
)
def test_each_rule(name: str, text: str) -> None:
    assert fault(text) == name


def test_lines_of_menus_are_removed_and_sentences_that_name_them_stay() -> None:
    text = f"返回首页\n{ZH}\n版权所有 © 2024 某某公司\nRead more\nCopyright © 2020 ACME"
    assert without_boilerplate(text) == (ZH, 4)
    kept = "请在下一页填写您的姓名，然后返回首页查看结果。" * 4
    assert without_boilerplate(kept) == (kept, 0)
