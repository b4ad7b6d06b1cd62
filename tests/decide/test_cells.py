"""Cells of the second edition: every comparison in both languages and widths, and the words of every refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import RuleError
from penjing.decide.cells import parse_cell
from penjing.decide.condition import Among, Between, Contains, Empty, Is, Matches, Starts, Test, Within
from penjing.decide.schema import FactSchema
from penjing.decide.wordlists import Lists

SCHEMA = FactSchema(
    labels=("ham", "spam", "in stock", "a|b"),
    fields={"amount": "float", "age": "int", "channel": ("app", "Web"), "city": "str", "vip": "bool", "day": "date"},
    read_as={"junk": "spam"},
)
DAY = 86_400


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Lists:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "words").mkdir()
    (folder / "words" / "敏感词.txt").write_text("律师\nＶＩＰ\n", encoding="utf-8")
    (folder / "words" / "online.txt").write_text("APP\nweb\nmail\n", encoding="utf-8")
    return Lists(folder / "r.csv", SCHEMA)


def cell(written: str, fact: str, lists: Lists) -> Test | None:
    return parse_cell(written, fact, SCHEMA.kinds()[fact], SCHEMA, lists, "rules.csv:2:3")


TEXTS: list[tuple[str, str, Test | None]] = [
    ("text", "", None),
    ("text", "contains 退款|Refund｜投诉", Contains(("退款", "refund", "投诉"))),
    ("text", "包含 退款|退货", Contains(("退款", "退货"))),
    ("text", "包含退款", Contains(("退款",))),
    ("text", "ｃｏｎｔａｉｎｓ　ＶＩＰ　 客户", Contains(("vip 客户",))),
    ("text", "not contains 谢谢", Contains(("谢谢",), negated=True)),
    ("text", "Not  Contains 谢谢", Contains(("谢谢",), negated=True)),
    ("text", "不包含 谢谢", Contains(("谢谢",), negated=True)),
    ("text", "不包含谢谢|感谢", Contains(("谢谢", "感谢"), negated=True)),
    ("text", "contains all 退款|投诉", Contains(("退款", "投诉"), every=True)),
    ("text", "包含全部 退款|投诉", Contains(("退款", "投诉"), every=True)),
    ("text", "not contains all a|b", Contains(("a", "b"), every=True, negated=True)),
    ("text", "不全包含 a|b", Contains(("a", "b"), every=True, negated=True)),
    ("text", "contains all all refunds", Contains(("all refunds",))),
    ("text", "contains 退款|@敏感词", Contains(("退款",), ("敏感词",))),
    ("text", "不包含 @敏感词|@online", Contains((), ("敏感词", "online"), negated=True)),
    ("text", "starts 您好|Hi", Starts(("您好", "hi"))),
    ("text", "开头是 您好", Starts(("您好",))),
    ("text", "not starts 您好", Starts(("您好",), negated=True)),
    ("text", "开头不是您好", Starts(("您好",), negated=True)),
    ("text", r"matches 退.{0,3}款|\d+元", Matches(r"退.{0,3}款|\d+元")),
    ("text", r"匹配 ^退[款货]$", Matches(r"^退[款货]$")),
    ("text", "not matches a+b", Matches("a+b", negated=True)),
    ("text", "matches ＶＩＰ①", Matches("vip1")),
    ("text", "matches 好…", Matches(r"好(?:\.\.\.)")),
    ("city", "contains 海", Contains(("海",))),
    ("city", "不包含 海", Contains(("海",), negated=True)),
    ("city", "matches ^上", Matches("^上")),
]
VALUES: list[tuple[str, str, Test | None]] = [
    ("label", "spam", Among(("spam",))),
    ("label", "=spam", Among(("spam",))),
    ("label", "等于 spam", Among(("spam",))),
    ("label", "junk", Among(("spam",))),
    ("label", "!=spam", Among(("spam",), negated=True)),
    ("label", "！＝ spam", Among(("spam",), negated=True)),
    ("label", "不等于 spam", Among(("spam",), negated=True)),
    ("label", "in ham|spam", Among(("ham", "spam"))),
    ("label", "属于 ham｜spam", Among(("ham", "spam"))),
    ("label", "not in ham|spam", Among(("ham", "spam"), negated=True)),
    ("label", "不属于 ham|spam", Among(("ham", "spam"), negated=True)),
    ("label", "in stock", Among(("in stock",))),
    ("label", "=a|b", Among(("a|b",))),
    ("channel", "WEB", Among(("Web",))),
    ("channel", "in @online", Among(("app", "Web"))),
    ("channel", "为空", Empty()),
    ("city", "上海", Among(("上海",))),
    ("city", "New  York", Among(("new york",))),
    ("city", "!=北京", Among(("北京",), negated=True)),
    ("city", "in @敏感词|北京", Among(("北京",), ("敏感词",))),
    ("city", "not in @敏感词", Among((), ("敏感词",), negated=True)),
    ("city", "=@敏感词", Among(("@敏感词",))),
    ("city", "=empty", Among(("empty",))),
    ("city", "empty", Empty()),
    ("city", "Not Empty", Empty(negated=True)),
    ("city", "不为空", Empty(negated=True)),
    ("city", "非空", Empty(negated=True)),
    ("vip", "是", Is(True)),
    ("vip", "= FALSE", Is(False)),
    ("vip", "!=true", Is(False)),
    ("vip", "不等于 否", Is(True)),
    ("vip", "empty", Empty()),
    ("too_long", "否", Is(False)),
]
NUMBERS: list[tuple[str, str, Test | None]] = [
    ("p", "<0.5", Between(((None, 499_999),))),
    ("p", "≥ 0.5", Between(((500_000, None),))),
    ("p.spam", "＞0.5", Between(((500_001, None),))),
    ("p", "0.3..0.7", Between(((300_000, 700_000),))),
    ("p", "0.3..<0.7", Between(((300_000, 699_999),))),
    ("p", "0.3<..0.7", Between(((300_001, 700_000),))),
    ("p", "0.3 <..< 0.7", Between(((300_001, 699_999),))),
    ("amount", "!=5", Between(((None, 4_999_999), (5_000_001, None)))),
    ("amount", "不等于5", Between(((None, 4_999_999), (5_000_001, None)))),
    ("age", "in 1|3..5", Between(((1, 1), (3, 5)))),
    ("age", "not in 3..5|1|4..7", Between(((None, 0), (2, 2), (8, None)))),
    ("age", "属于 1|2", Between(((1, 1), (2, 2)))),
    ("age", "-5..<5", Between(((-5, 4),))),
    ("age", "empty", Empty()),
    ("pii.mobile", ">=1", Between(((1, None),))),
    ("pii.mobile", "!=0", Between(((None, -1), (1, None)))),
    ("day", "1970/1/2", Between(((DAY, 2 * DAY - 1),))),
    ("day", ">1970-01-02", Between(((2 * DAY, None),))),
    ("day", "1970-01-01..<1970-01-03", Between(((0, 2 * DAY - 1),))),
    ("day", "!=1970-01-02", Between(((None, DAY - 1), (2 * DAY, None)))),
    ("day", "not in 1970-01-01..1970-01-02", Between(((None, -1), (2 * DAY, None)))),
    ("day", "within 30 days", Within(30, 30)),
    ("day", "30天内", Within(30, 30)),
    ("day", "within last 30 days", Within(30, None)),
    ("day", "最近30天", Within(30, None)),
    ("day", "within next 7 days", Within(None, 7)),
    ("day", "未来７天", Within(None, 7)),
    ("day", "not within 30 days", Within(30, 30, negated=True)),
    ("day", "不在最近 30 天", Within(30, None, negated=True)),
    ("day", "不在未来30天", Within(None, 30, negated=True)),
    ("day", "非空", Empty(negated=True)),
]


@pytest.mark.parametrize(("fact", "written", "test"), [*TEXTS, *VALUES, *NUMBERS])
def test_reads(fact: str, written: str, test: Test | None, lists: Lists) -> None:
    assert cell(written, fact, lists) == test


@pytest.mark.parametrize(
    ("fact", "written", "words"),
    [
        ("label", "spma", ["unknown label 'spma'", "did you mean `spam`?", "rules.csv:2:3", "column `label`"]),
        ("label", "!=spma", ["unknown label 'spma'"]),
        ("label", "ham|spam", ["holds a bar", "write `in ham|spam`"]),
        ("label", "<3", ["needs a number, and `label` is not one"]),
        ("label", "empty", ["`label` always has a value", "only a declared field"]),
        ("label", "contains ha", ["has listed values, which are compared whole", "`in a|b`"]),
        ("label", "=", ["nothing follows `=`"]),
        ("label", "in ham||spam", ["between two bars is empty"]),
        ("channel", "phone", ["unknown value 'phone'", "`app`, `Web`"]),
        ("channel", "in @敏感词", ["no value of `channel` is on the word list `敏感词`", "`app`, `Web`"]),
        ("city", "13812345678", ["personal number (mobile)", "`pii.mobile`"]),
        ("city", "@敏感词", ["begins like a word list", "write `in @敏感词`", "`=@敏感词` for exactly that"]),
        ("city", "in @敏感", ["there is no word list `敏感`", "words/敏感.txt", "did you mean `敏感词`?"]),
        ("city", "in @../x", ["'../x' cannot be the name of a word list"]),
        ("city", "empty 北京", ["has words behind `empty`", "`=empty 北京` for exactly that value"]),
        ("city", "<5", ["needs a number, and `city` is not one"]),
        ("day", ">monday", ["'monday' is not a date", "`within 30 days`"]),
        ("day", "2026-02-01..2026-01-31", ["wrong order", "write `2026-01-31..2026-02-01`"]),
        ("day", "2026-01-01<..<2026-01-02", ["no date can be"]),
        ("day", "within 99999 days", ["99999 days; at most 36,500"]),
        ("day", "contains 2026", ["compares texts, not this column"]),
        ("vip", "maybe", ["neither true nor false"]),
        ("vip", "in true|false", ["neither true nor false"]),
        ("too_long", "empty", ["`too_long` always has a value"]),
        ("p", "50%", ["is not a number", "write 0.5 for 50 %"]),
        ("p", "!= 0.1..0.5", ["!=0.1..0.5 compares twice", "`not in 1..5`"]),
        ("p", "in <0.5|0.7", ["has a comparison in a list"]),
        ("p", "0.7..<0.3", ["wrong order", "`0.3<..0.7`"]),
        ("p", "0.5<..<0.5", ["no value of `p` can be"]),
        ("p", ">1.5", ["always between 0 and 1"]),
        ("p", "!=1.5", ["always between 0 and 1"]),
        ("p", "empty", ["`p` always has a value"]),
        ("age", "=1.5", ["no value of `age` can be 1.5", "write a whole number"]),
        ("pii.mobile", "<0", ["always 0 or more"]),
        ("text", "退款", ["the text is compared by words in it", "`contains 词1|词2`"]),
        ("text", "=退款", ["the text is compared by words in it"]),
        ("text", "empty", ["`text` always has a value"]),
        ("text", "contains", ["nothing follows `contains`"]),
        (
            "text",
            "contains all refund",
            ["needs several words", "write `contains refund`", "`contains all all refund`"],
        ),
        ("text", "contains all a|@敏感词", ["`contains all` takes no word list"]),
        ("text", "starts @敏感词", ["`starts` takes no word list"]),
        ("text", "contains 拨打13812345678", ["personal number (mobile)"]),
        ("text", "contains a\ud800", ["lone surrogate"]),
        ("text", "matches (?!a)b", ["RE2 has no look-ahead"]),
        ("text", r"matches (a)\1", ["RE2 has no references back"]),
        ("text", "matches (a", ["cannot be compiled", "missing )"]),
        ("text", "matches a*", ["is found in every text", "`+` instead of `*`"]),
        ("text", "matches （退款）", ["`（` in full width", "`(` for the sign", r"`\(` for the character"]),
        ("text", "matches " + "a" * 501, ["a pattern of 501 characters; at most 500"]),
    ],
)
def test_refuses(fact: str, written: str, words: list[str], lists: Lists) -> None:
    with pytest.raises(RuleError) as raised:
        cell(written, fact, lists)
    for word in words:
        assert word in str(raised.value), raised.value


def test_refuses_more_values_than_can_be_read(lists: Lists) -> None:
    with pytest.raises(RuleError, match="201 values in one cell; at most 200"):
        cell("contains " + "|".join(f"w{i}" for i in range(201)), "text", lists)


def test_lists_are_read_once_and_those_that_are_named_are_kept(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    for name in ("a", "b"):
        (tmp_path / "words" / f"{name}.txt").write_text("x\n", encoding="utf-8")
    own = Lists(tmp_path / "r.csv", SCHEMA)
    assert cell("contains @a", "text", own) == Contains((), ("a",)) and set(own.used) == {"a"}
    assert cell("in @a|@b", "text", own) == Contains((), ("a", "b")) and cell("属于 @a", "text", own) == Contains(
        (), ("a",)
    )
    assert cell("不属于 @a", "text", own) == Contains((), ("a",), negated=True)
    assert cell("属于＠a｜＠b", "text", own) == Contains((), ("a", "b"))
    assert cell("not in ＠a", "text", own) == Contains((), ("a",), negated=True)
