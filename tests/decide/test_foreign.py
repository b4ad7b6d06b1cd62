"""Cells in the syntax of SQL, Excel, Python or plain words: refused with a legal form that means the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import RuleError
from penjing.decide.cells import parse_cell
from penjing.decide.condition import Test
from penjing.decide.foreign import refuse_foreign
from penjing.decide.keywords import split_form
from penjing.decide.quantities import split_days
from penjing.decide.schema import FactSchema
from penjing.decide.wordlists import Lists

SCHEMA = FactSchema(
    labels=("ham", "spam", "in stock", "a|b", "A, B", "*x*"),
    fields={
        "amount": "float",
        "age": "int",
        "channel": ("app", "web", "phone"),
        "city": "str",
        "vip": "bool",
        "day": "date",
    },
)
LISTS = Lists(Path("r.csv"), SCHEMA)
TEXTS = [
    ("contains 律师、法院", ["contains 律师|法院", "contains all 律师|法院"]),
    ("包含 律师、法院", ["包含 律师|法院", "包含全部 律师|法院"]),
    ("contains 律师，法院", ["contains 律师|法院", "contains all 律师|法院"]),
    ("contains refund, return", ["contains refund|return", "contains all refund|return"]),
    ("contains 退.*款", ["matches 退.*款"]),
    (r"contains \d+元", [r"matches \d+元"]),
    ("contains ^退款", ["matches ^退款"]),
    ("contains 律师$", ["matches 律师$"]),
    ("not contains 退.*款", ["not matches 退.*款"]),
    ('contains "工商局"', ["contains 工商局"]),
    ("contains “工商局”|'市长热线'", ["contains 工商局|市长热线"]),
    ("contains *退款*", ["contains 退款"]),
    ("contains %退款%", ["contains 退款"]),
    ("contains 退款*", ["starts 退款"]),
    ("contains 律师 AND 法院", ["contains all 律师|法院"]),
    ("contains 律师 且 法院", ["contains all 律师|法院"]),
    ("contains 律师 & 法院", ["contains all 律师|法院"]),
    ("contains 律师 OR 法院", ["contains 律师|法院"]),
    ("退保 或 投诉", None),
    ("contains 退保 或 投诉", ["contains 退保|投诉"]),
    ("包含 退保 或 投诉", ["包含 退保|投诉"]),
    ("contains 律师或法院", ["contains 律师|法院"]),
    ("contains 律师 or 法院", ["contains 律师|法院"]),
    ("contains 律师/法院", ["contains 律师|法院"]),
    ("contains (律师|法院)", ["contains 律师|法院"]),
    ("/律师/i", ["matches 律师"]),
    ("matches /律师.法院/", ["matches 律师.法院"]),
    ('matches "律师"', ["matches 律师"]),
    ("in 律师|法院", ["contains 律师|法院"]),
    ("含有退款、退货", ["包含 退款|退货", "包含全部 退款|退货"]),
    ("LIKE '%退款%'", ["contains 退款"]),
    ("LIKE '退款%'", ["starts 退款"]),
    ("LIKE '%退款'", ["matches 退款$"]),
    ("*退款*", ["contains 退款"]),
    ("=~ 退.款", ["matches 退.款"]),
    ("regex 退.款", ["matches 退.款"]),
    ("== 退款", ["contains 退款"]),
    ("=退款", ["contains 退款"]),
    ('contains("退款")', ["contains 退款"]),
    ("includes 退款", ["contains 退款"]),
    ("begins with 您好", ["starts 您好"]),
    ("以您好开头", ["开头是 您好"]),
    ("ends with 谢谢", ["matches 谢谢$"]),
    ("以谢谢结尾", ["匹配 谢谢$"]),
]
DENIALS = [
    ("不含 谢谢", ["不包含 谢谢"]),
    ("没有提到退款", ["不包含 退款"]),
    ("未包含退款、退货", ["不包含 退款|退货", "不全包含 退款|退货"]),
    ("does not contain 退款", ["not contains 退款"]),
    ("excludes 退款", ["not contains 退款"]),
    ("NOT LIKE '%退款%'", ["not contains 退款"]),
    ("not like '退款%'", ["not starts 退款"]),
    ("!contains 退款", ["not contains 退款"]),
    ("!=退款", ["not contains 退款"]),
    ("<> 退款", ["not contains 退款"]),
    ("!~ 退.款", ["not matches 退.款"]),
    ("does not start with 您好", ["not starts 您好"]),
    ("不以您好开头", ["开头不是 您好"]),
    ("contains !退款", ["not contains 退款"]),
    ("contains -退款", ["not contains 退款"]),
    ("contains (?!退款)", ["not contains 退款"]),
    ("/^((?!退款).)*$/", ["not contains 退款"]),
    ("not contains 退款, 退货", ["not contains 退款|退货", "not contains all 退款|退货"]),
    ("not contains 退款 AND 退货", ["not contains 退款|退货", "not contains all 退款|退货"]),
    ("不包含 退款或退货", ["不包含 退款|退货"]),
]
VALUES = [
    ("city", "广州,深圳", ["in 广州|深圳"]),
    ("city", "广州、深圳", ["in 广州|深圳"]),
    ("city", "in 广州,深圳", ["in 广州|深圳"]),
    ("city", "in (广州, 深圳)", ["in 广州|深圳"]),
    ("city", "属于（广州，深圳）", ["属于 广州|深圳"]),
    ("city", "['广州', '深圳']", ["in 广州|深圳"]),
    ("city", "广州 OR 深圳", ["in 广州|深圳"]),
    ("city", "广州或深圳", ["in 广州|深圳"]),
    ("city", "a AND b", ["in a|b"]),
    ("city", "北京/上海", ["in 北京|上海"]),
    ("city", "==北京", ["北京"]),
    ("city", "is 北京", ["北京"]),
    ("city", '"北京"', ["北京"]),
    ("city", "北京*", ["starts 北京"]),
    ("city", "%北京%", ["contains 北京"]),
    ("city", "^北.*", ["matches ^北.*"]),
    ("city", "包含北京", ["包含 北京"]),
    ("city", "like '北京%'", ["starts 北京"]),
    ("city", "is null", ["empty"]),
    ("channel", "app,web", ["in app|web"]),
    ("label", "ham、spam", ["in ham|spam"]),
]
NOT_VALUES = [
    ("city", "<>北京", ["!=北京"]),
    ("city", "not 北京", ["!=北京"]),
    ("city", "NOT IN (北京, 上海)", ["not in 北京|上海"]),
    ("city", "not in (a,b)", ["not in a|b"]),
    ("city", "!=北京,上海", ["not in 北京|上海"]),
    ("city", "!=北京|上海", ["not in 北京|上海"]),
    ("city", "除北京以外", ["不等于 北京"]),
    ("city", "不是北京", ["不等于 北京"]),
    ("city", "is not null", ["not empty"]),
    ("city", "NOT NULL", ["not empty"]),
    ("channel", "≠ app", ["!=app"]),
    ("channel", "非app", ["不等于 app"]),
    ("channel", "except app", ["!=app"]),
    ("label", "not in ham,spam", ["not in ham|spam"]),
    ("label", "not spam", ["!=spam"]),
]
NUMBERS = [
    ("amount", "==5", ["=5"]),
    ("amount", ">5000元", [">5000"]),
    ("amount", ">=￥5,000元", [">=5000"]),
    ("amount", "5万", ["50000"]),
    ("amount", "大于5000元", [">5000"]),
    ("amount", "不少于 3 次", [">=3"]),
    ("amount", "at most 10", ["<=10"]),
    ("amount", "100-200", ["100..200"]),
    ("amount", "100至200", ["100..200"]),
    ("amount", "between 100 and 200", ["100..200"]),
    ("amount", "[100, 200)", ["100..<200"]),
    ("amount", ">100 AND <200", ["100<..<200"]),
    ("amount", ">=100且<=200", ["100..200"]),
    ("amount", "1、2、3", ["in 1|2|3"]),
    ("age", "in (1,2,3)", ["in 1|2|3"]),
    ("amount", "5000元以上", [">=5000"]),
    ("amount", "5千以下", ["<=5000"]),
    ("amount", "不足5万", ["<50000"]),
    ("p", "<80%", ["<0.8"]),
    ("p", "<0,65", ["<0.65"]),
    ("amount", "<>5", ["!=5"]),
    ("amount", "not 5", ["!=5"]),
    ("amount", "非5", ["!=5"]),
    ("amount", "not between 1 and 5", ["not in 1..5"]),
    ("amount", "<1 or >5", ["not in 1..5"]),
    ("amount", "not in (1, 2)", ["not in 1|2"]),
    ("amount", "is null", ["empty"]),
    ("amount", "is not null", ["not empty"]),
    ("day", "before 2026-01-05", ["<2026-01-05"]),
    ("day", "不早于2026-01-05", [">=2026-01-05"]),
    ("day", "2026-01-05以后", [">2026-01-05"]),
    ("day", "2026-01-01~2026-01-31", ["2026-01-01..2026-01-31"]),
    ("day", "between 2026-01-01 and 2026-01-31", ["2026-01-01..2026-01-31"]),
    ("day", "2026年2月", ["2026-02-01..2026-02-28"]),
    ("day", "last 2 weeks", ["within last 14 days"]),
    ("day", "过去30天", ["最近30天"]),
    ("day", "not in the last 7 days", ["not within last 7 days"]),
    ("vip", "!==true", ["false"]),
    ("vip", "not 否", ["true"]),
    ("vip", "==是", ["是"]),
    ("vip", '"true"', ["true"]),
]
ALL = [*(("text", *each) for each in (*TEXTS, *DENIALS)), *VALUES, *NOT_VALUES, *NUMBERS]


def refused(fact: str, written: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        refuse_foreign(written, fact, SCHEMA.kinds()[fact], SCHEMA, "r.csv:2:3")
        parse_cell(written, fact, SCHEMA.kinds()[fact], SCHEMA, LISTS, "r.csv:2:3")
    return caught.value


def read(fact: str, written: str) -> Test | None:
    refuse_foreign(written, fact, SCHEMA.kinds()[fact], SCHEMA, "r.csv:2:3")
    return parse_cell(written, fact, SCHEMA.kinds()[fact], SCHEMA, LISTS, "r.csv:2:3")


def offered(error: RuleError) -> list[str]:
    """The forms that an error offers, without the one that means the cell exactly."""
    fix = (error.fix or "").partition("; `=")[0]
    return [form for form in re.findall(r"`([^`]+)`", fix) if form != "text"]


def negated(test: Test | None) -> bool:
    return bool(getattr(test, "negated", False))


@pytest.mark.parametrize(("fact", "written", "forms"), ALL)
def test_refuses_with_a_form_that_is_read(fact: str, written: str, forms: list[str] | None) -> None:
    error = refused(fact, written)
    assert (error.where or "").startswith(f"r.csv:2:3 (column `{fact}`)")
    if forms is None:
        assert "contains" in (error.fix or "")
        return
    assert offered(error) == forms, error
    for form in forms:
        if "@" not in form:
            assert read(fact, form) is not None


@pytest.mark.parametrize(("written", "forms"), [*TEXTS, *DENIALS])
def test_no_form_of_a_text_means_the_opposite(written: str, forms: list[str] | None) -> None:
    for form in forms or ():
        if "@" not in form:
            assert negated(read("text", form)) == ((written, forms) in DENIALS or written.startswith("not ")), form


@pytest.mark.parametrize(("fact", "written", "forms"), [*VALUES, *NOT_VALUES])
def test_no_form_of_a_value_means_the_opposite(fact: str, written: str, forms: list[str]) -> None:
    for form in forms:
        assert negated(read(fact, form)) == ((fact, written, forms) in NOT_VALUES), form


@pytest.mark.parametrize(("fact", "written", "forms"), ALL)
def test_the_same_is_said_in_chinese(fact: str, written: str, forms: list[str] | None) -> None:
    said = chinese(str(refused(fact, written))).split("（", 1)[1]
    plain = re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", "", said)
    assert not re.search(r"[a-z]{3,} [a-z]{2,}", plain), said
    shown = re.findall("`([^`]*)`", said)
    for form in forms or ():
        if days := split_days(form):
            assert days in map(split_days, shown), said
            continue
        key, rest = vars(split_form(form, joined=True)).values()
        read = (split_form(each, joined=True) for each in shown)
        assert any(each.key == key and each.rest.startswith(rest) for each in read), said
    assert not re.search(r"`(?:not )?(?:contains|starts|matches|in|empty)\b", said), said


def test_words_of_both_kinds_are_split_into_columns_or_rows() -> None:
    assert offered(refused("text", "contains 律师 且 不含 退款")) == ["contains 律师", "not contains 退款"]
    assert offered(refused("text", "contains 律师|!退款")) == ["contains 律师", "not contains 退款"]
    assert "two rows" in (refused("text", "contains 律师|!退款").fix or "")
    assert "say it once" in (refused("text", "not contains !退款").fix or "")


@pytest.mark.parametrize(
    ("fact", "written"),
    [
        *(("text", f"contains {words}") for words in (
            "退款", "退款|Refund｜投诉", "a=b", "C++", "您好，我想咨询一下", "terms and conditions",
            "f*ck", "it's", "《民法典》", "3.5", "e.g.", "what?", "R&D", "a/b", "[图片]", "我要投诉,请尽快处理",
            "credit or debit", "not working", "不行",
        )),
        *(("text", words) for words in (
            "不包含 谢谢", "不包含谢谢", "not contains 谢谢", "contains all a|b", "包含全部 退款|投诉", "开头是 您好",
            "matches 退.{0,3}款", "匹配 (退|换)货", "not matches a+b", "starts 您好|Hi",
        )),
        *(("city", words) for words in (
            "上海", "=广州,深圳", "=!=北京", "=null", "in 广州|深圳", "in stock", "St. John's", "New York", "A/B",
            "not urgent", "2026-01-01", "credit or debit", "none", "包", "a-b", "3.5", "100%", "US$", "!=北京",
            "不等于 北京", "不属于 北京|上海", "为空", "非空", "empty", "contains 京", "不包含 京", "matches ^北",
        )),
        *(("label", words) for words in ("ham", "=a|b", "!=a|b", "A, B", "*x*", "in ham|spam", "not in ham|spam")),
        *(("channel", words) for words in ("app", "in app|web", "=web", "!=web", "不等于 web", "not empty")),
        *(("amount", words) for words in (
            "5", "=5", "<5", ">= 5", "＜5", "1..2", "-5..5", "in 1|2", "1e3", "⩽5", "!=5", "不等于 5", "not in 1..2|5",
            "1..<2", "为空", "属于 1|2",
        )),
        *(("day", words) for words in (
            "2026-01-05", "2026/1/5", "<2026年1月5日", "最近30天", "within 30 days", "不在30天内", "!=2026-01-05",
            "非空",
        )),
        *(("vip", words) for words in ("true", "是", "= FALSE", "y", "0", "!=true", "不等于 是", "empty")),
    ],
)  # fmt: skip
def test_leaves_alone_what_is_ours(fact: str, written: str) -> None:
    assert read(fact, written) is not None


def test_there_are_enough_hostile_cells() -> None:
    assert len({(fact, written) for fact, written, _ in ALL}) == len(ALL) >= 60
