"""Cells in the syntax of SQL, Excel or plain words are refused with the form of ours; sealed rules never are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penjing.core.errors import RuleError
from penjing.decide.first.cells import parse_cell
from penjing.decide.first.foreign import refuse_foreign
from penjing.decide.first.reader import load_rules
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(
    labels=("ham", "spam", "in stock", "a|b", "A, B", "*x*"),
    fields={"amount": "float", "age": "int", "channel": ("app", "web", "phone"), "city": "str", "vip": "bool"},
)


@pytest.mark.parametrize(
    ("fact", "written", "fix"),
    [
        # text
        ("text", "contains 律师、法院", "`contains 律师|法院`"),
        ("text", "contains 律师，法院", "`contains 律师|法院`"),
        ("text", "contains refund, return", "`contains refund|return`"),
        ("text", "contains 退.*款", "`contains 退|款`"),
        ("text", r"contains \d+元", "`contains 元`"),
        ("text", "contains ^退款", "`contains 退款`"),
        ("text", 'contains "工商局"', "`contains 工商局`"),
        ("text", "contains “工商局”|'市长热线'", "`contains 工商局|市长热线`"),
        ("text", "contains *退款*", "`contains 退款`"),
        ("text", "contains %退款%", "`contains 退款`"),
        ("text", "contains 律师 AND 法院", "two columns `text`: `contains 律师` and `contains 法院`"),
        ("text", "contains 律师 OR 法院", "`contains 律师|法院`"),
        ("text", "contains 律师 或 法院", "`contains 律师|法院`"),
        ("text", "contains (律师|法院)", "`contains 律师|法院`"),
        ("text", "contains 律师/法院", "`contains 律师|法院`"),
        ("text", "contains 律师 & 法院", "`contains 律师|法院`"),
        ("text", "contains 律师或法院", "`contains 律师|法院`"),
        ("text", "contains 律师 or 法院", "`contains 律师|法院`"),
        ("text", "contains 律师$", "`contains 律师`"),
        ("text", "/律师/i", "`contains 律师`"),
        ("text", "in 律师|法院", "`contains 律师|法院`"),
        ("city", "not 北京", "`=not 北京` means exactly that"),
        ("city", "北京/上海", "`in 北京|上海`"),
        ("city", "北京或上海", "`in 北京|上海`"),
        ("city", "is 北京", "write `北京`"),
        ("city", "in", "`=in` means exactly that"),
        ("amount", "gt 100", "`>100`"),
        ("amount", "lte 100", "`<=100`"),
        ("text", "包含 退款", "`contains 退款`"),
        ("text", "含有退款、退货", "`contains 退款|退货`"),
        ("text", "LIKE '%退款%'", "`contains 退款`"),
        ("text", "*退款*", "`contains 退款`"),
        ("text", "~退款", "`contains 退款`"),
        ("text", "== 退款", "`contains 退款`"),
        ("text", 'contains("退款")', "`contains 退款`"),
        ("text", "不包含 退款", "put a row above this one with `contains 退款`"),
        ("text", "not contains 退款", "put a row above this one with `contains 退款`"),
        # values
        ("city", "!=北京", "put a row above this one with `北京`"),
        ("city", "<>北京", "put a row above this one with `北京`"),
        ("city", "NOT IN (北京, 上海)", "put a row above this one with `in 北京|上海`"),
        ("city", "==北京", "`=北京`"),
        ("city", '"北京"', 'write `北京`; `="北京"` means exactly that'),
        ("city", "广州,深圳", "`in 广州|深圳`"),
        ("city", "广州、深圳", "`in 广州|深圳`"),
        ("city", "in 广州,深圳", "`in 广州|深圳`"),
        ("city", "in (广州, 深圳)", "`in 广州|深圳`"),
        ("city", "['广州', '深圳']", "`in 广州|深圳`"),
        ("city", "广州 OR 深圳", "`in 广州|深圳`"),
        ("city", "广州 || 深圳", "`in 广州|深圳`"),
        ("city", "2026-01-01..2026-01-31", "declare `city` as `int` or `float`"),
        ("city", "2026/1/1~2026/1/31", "declare `city` as `int` or `float`"),
        ("city", "北京*", "`in a|b`"),
        ("city", "%北京%", "`in a|b`"),
        ("city", "^北.*", "`in a|b`"),
        ("city", "contains 北京", "write `北京`"),
        ("city", "包含北京", "write `北京`; `=包含北京` means exactly that"),
        ("city", "is not null", "leave the cell empty"),
        ("channel", "!=app", "list the others: `in web|phone`"),
        ("channel", "≠ app", "list the others: `in web|phone`"),
        ("channel", "app,web", "`in app|web`"),
        ("label", "not in ham,spam", "`in in stock|a|b"),
        ("label", "ham、spam", "`in ham|spam`"),
        # numbers
        ("amount", "==5", "`=5`"),
        ("amount", ">5000元", "`>5000`"),
        ("amount", ">=￥5,000", "`>=5000`"),
        ("amount", "5万", "`50000`"),
        ("amount", "大于5000", "`>5000`"),
        ("amount", "不少于 3 次", "`>=3`"),
        ("amount", "at most 10", "`<=10`"),
        ("amount", "!=5", "two rows: `<5` and `>5`"),
        ("amount", "100-200", "`100..200`"),
        ("amount", "100~200", "`100..200`"),
        ("amount", "100至200", "`100..200`"),
        ("amount", "between 100 and 200", "`100..200`"),
        ("amount", "[100, 200]", "`100..200`"),
        ("amount", ">100 AND <200", "`100..200`"),
        ("amount", ">=100且<=200", "`100..200`"),
        ("amount", "1、2、3", "`in 1|2|3`"),
        ("age", "in (1,2,3)", "`in 1|2|3`"),
        ("p", "<80%", "`<0.8`"),
        ("p", "80%", "`0.8`"),
        ("amount", "is null", "leave the cell empty"),
        # truth
        ("vip", "!=true", "`false`"),
        ("vip", "not 否", "`true`"),
        ("vip", "==是", "`是`"),
        ("vip", '"true"', "`true`"),
    ],
)
def test_refuses_with_the_form_of_ours(fact: str, written: str, fix: str) -> None:
    kind = SCHEMA.kinds()[fact]
    with pytest.raises(RuleError) as caught:
        refuse_foreign(written, fact, kind, SCHEMA, "r.csv:2:3")
    assert fix in (caught.value.fix or ""), caught.value.fix
    assert str(caught.value).startswith(f"r.csv:2:3 (column `{fact}`): ")
    # What is offered as a cell of its own is one.
    offered = re.fullmatch(r"write `([^`]+)`.*", caught.value.fix or "", re.DOTALL)
    if offered and fact != "label":
        refuse_foreign(offered[1], fact, kind, SCHEMA, "r.csv:2:3")
        assert parse_cell(offered[1], fact, kind, SCHEMA, "r.csv:2:3") is not None


@pytest.mark.parametrize(
    ("fact", "written"),
    [
        *(("text", f"contains {words}") for words in (
            "退款", "退款|Refund｜投诉", "a=b", "C++", "您好，我想咨询一下","terms and conditions",
            "f*ck", "it's", "《民法典》", "3.5", "e.g.", "what?", "R&D", "a/b", "[图片]", "我要投诉,请尽快处理",
        )),
        *(("city", words) for words in (
            "上海", "=广州,深圳", "=!=北京", "=null", "in 广州|深圳", "in stock", "St. John's", "New York", "A/B",
            "not urgent", "2026-01-01", "credit or debit", "none", "包", "a-b", "3.5", "100%", "US$",
        )),
        *(("label", words) for words in ("ham", "=a|b", "A, B", "*x*", "in ham|spam", "in stock")),
        *(("channel", words) for words in ("app", "in app|web", "=web")),
        *(("amount", words) for words in ("5", "=5", "<5", ">= 5", "＜5", "1..2", "-5..5", "in 1|2", "1e3", "⩽5")),
        *(("vip", words) for words in ("true", "是", "= FALSE", "y", "0")),
    ],
)  # fmt: skip
def test_leaves_alone_what_is_ours(fact: str, written: str) -> None:
    refuse_foreign(written, fact, SCHEMA.kinds()[fact], SCHEMA, "r.csv:2:3")
    assert parse_cell(written, fact, SCHEMA.kinds()[fact], SCHEMA, "r.csv:2:3") is not None


def test_all_rows_are_told_at_once_and_sealed_rules_are_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        'name,text,city,then\nlegal,contains 律师、法院,,review\nelse,,!=北京,review\neither,,"广州,深圳",review\n',
        encoding="utf-8",
    )
    with pytest.raises(RuleError) as caught:
        load_rules(path, SCHEMA)
    assert all(f"r.csv:{row}:" in str(caught.value) for row in (2, 3, 4))
    assert [rule.name for rule in load_rules(path, SCHEMA, sealed=True).rules] == ["legal", "else", "either"]


def test_headers_and_labels_are_read_as_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("Name,ＬＡＢＥＬ,Amount,THEN\na,問い,5,outcome 問い\n", encoding="utf-8")
    schema = FactSchema(SCHEMA.labels, SCHEMA.fields, {"問い": "ham"})
    (rule,) = load_rules(path, schema).rules
    assert rule.outcome == "ham" and [condition.fact for condition in rule.conditions] == ["label", "amount"]
    with pytest.raises(RuleError, match="unknown label '問い'"):
        load_rules(path, SCHEMA)


@pytest.mark.parametrize(
    ("fact", "written", "never"),
    [
        *(("text", words, r"contains [^…]*退款") for words in (
            "contains (?!退款)", "/^((?!退款).)*$/", "regex ^(?!.*退款)", "contains !退款",
            "contains 律师 且 不含 退款", "contains 律师|!退款", "contains -退款",
        )),
        *(("channel", words, r"did you mean|write `?=?app") for words in (
            "非app", "except app", "isn't app", "is not app", "other than app", "除app外", "除了app以外",
            "not app", "-app", "no app", "non-app", "不是app", "!==app", "excluding app",
        )),
        *(("label", words, r"did you mean|write `?=?spam") for words in (
            "非spam", "not spam", "non-spam", "除spam之外",
        )),
        *(("vip", words, "`true`") for words in (
            "!=t", "not yes", "!= 真", 'not "true"', "不是 1", "is not true", "isn't y",
        )),
        *(("vip", words, "`false`") for words in (
            "!=f", "not no", "不是 假", "!0",
        )),
        *(("amount", words, r"write `=?5`|`>5`|`>=5`") for words in (
            "5以下", "不足5", "未满5", "不到5元", "max 5",
        )),
        *(("amount", words, r"write `=?5`|`<5`|`<=5`") for words in (
            "5以上", "5元及以上", "5+", "5 or more", "min 5", "> = 5",
        )),
        *(("amount", words, r"write `=?5`") for words in (
            "非5", "!5", "除了5", "except 5", "other than 5", "约5", "about 5",
        )),
    ],
)  # fmt: skip
def test_no_hint_means_the_opposite(fact: str, written: str, never: str) -> None:
    kind = SCHEMA.kinds()[fact]
    with pytest.raises(RuleError) as caught:
        refuse_foreign(written, fact, kind, SCHEMA, "r.csv:2:3")
        parse_cell(written, fact, kind, SCHEMA, "r.csv:2:3")
    assert re.search(never, caught.value.fix or "") is None, caught.value.fix


@pytest.mark.parametrize(
    ("fact", "written", "fix"),
    [
        ("text", "does not contain 退款", "put a row above this one with `contains 退款`"),
        ("text", "没有提到退款", "put a row above this one with `contains 退款`"),
        ("text", "未包含退款、退货", "put a row above this one with `contains 退款|退货`"),
        ("text", "excludes 退款", "put a row above this one with `contains 退款`"),
        ("channel", "非app", "list the others: `in web|phone`"),
        ("channel", "except app", "list the others: `in web|phone`"),
        ("channel", "除app外", "list the others: `in web|phone`"),
        ("city", "除北京以外", "put a row above this one with `北京`"),
        ("amount", "5000元以上", "`>=5000`"),
        ("amount", "5千以下", "`<=5000`"),
        ("amount", "不足5万", "`<50000`"),
        ("amount", "no more than 5", "`<=5`"),
        ("amount", "> = 5", "`>=5`"),
        ("amount", "5+", "`>=5`"),
        ("p", "<0,65", "`<0.65`"),
        ("amount", "非5", "two rows: `<5` and `>5`"),
        ("vip", "!=yes", "`false`"),
    ],
)
def test_the_hint_means_what_was_written(fact: str, written: str, fix: str) -> None:
    with pytest.raises(RuleError) as caught:
        refuse_foreign(written, fact, SCHEMA.kinds()[fact], SCHEMA, "r.csv:2:3")
    assert fix in (caught.value.fix or ""), caught.value.fix


@pytest.mark.parametrize(
    ("fact", "wide", "plain"),
    [
        ("text", "ｃｏｎｔａｉｎｓ　退款｜退货", "contains 退款|退货"),
        ("text", "Contains\t退款", "contains 退款"),
        ("city", "ｉｎ　北京｜上海", "in 北京|上海"),
        ("amount", "＞＝５００", ">=500"),
        ("amount", "ｉｎ １|２", "in 1|2"),
        ("p", "０．３..０．７", "0.3..0.7"),
        ("vip", "ｔｒｕｅ", "true"),
    ],
)
def test_full_width_is_read_like_the_usual_width(fact: str, wide: str, plain: str) -> None:
    kind = SCHEMA.kinds()[fact]
    refuse_foreign(wide, fact, kind, SCHEMA, "r.csv:2:3")
    assert parse_cell(wide, fact, kind, SCHEMA, "") == parse_cell(plain, fact, kind, SCHEMA, "")
