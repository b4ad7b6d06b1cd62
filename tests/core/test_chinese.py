"""Sentences with parts, parts that are sentences, and texts of users, which stay as they are."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
from tests.work_done import assert_done_within

from penjing.core.chinese import chinese, chinese_word, choices, is_english, read_tables
from penjing.decide.keywords import COLUMNS, COMPARISONS, ENDS, FACTS, OF_LABEL


@pytest.mark.parametrize(
    ("english", "form"),
    [
        ("no such file", "没有这个文件"),
        ("  fix: check the path", "  办法：检查路径"),
        ("masked: 400 mobile, 3 ip", "已脱敏：手机号 400 个、IP 地址 3 个"),
        ("r.csv:3: `x` is a list of 3 values (a), not one value", "r.csv:3: `x` 是 3 个值的列表（a），不是一个值"),
        ("`keep` is `97`; it must be a share between 0 and 1", "`keep` 为 `97`；应当是 0 到 1 之间的比例"),
        ("  r.yaml:9: unknown key `a` (did you mean `b`?)", "  r.yaml:9: 未知的键 `a`（是不是想写 `b`？）"),
        ("the field `n` is of type object, not true or false", "字段 `n` 是类型为 object，不是 true 或 false"),
        ("replaying svc 2752710ee416 ...", "重演 svc 2752710ee416……"),
        ("'!in 北京' is how another tool writes it", "'!in 北京' 是其他工具的写法"),
    ],
)
def test_a_sentence_with_its_parts(english: str, form: str) -> None:
    assert chinese(english) == form


@pytest.mark.parametrize("text", ["", "train", "hello, this is my text", "passed", "row 3", "a: b: c", "x (y)"])
def test_what_is_no_sentence_of_the_program_stays(text: str) -> None:
    assert chinese(text) == text


def test_each_line_for_itself() -> None:
    assert chinese("no such file\n  fix: check the path\nmine") == "没有这个文件\n  办法：检查路径\nmine"


def test_words_of_headings_only() -> None:
    assert (chinese_word("train"), chinese_word("nothing")) == ("训练", "nothing")


def test_choices_are_all_their_words() -> None:
    assert choices("{count} row{|s} {is|are} {value}") == [
        f"{{count}} row{end} {verb} {{value}}" for end in ("", "s") for verb in ("is", "are")
    ]


@pytest.mark.parametrize("piece", ["row: ", " (x)", ", ", "x; ", "`a` ", "the a is ", ": (did you mean `b`?)"])
def test_no_text_takes_long(piece: str) -> None:
    assert_done_within(2, lambda: [chinese(piece * (4000 // len(piece))), chinese(piece * 100_000)])


@pytest.mark.parametrize(
    ("english", "form"),
    [
        (
            "row 5 (w) leads to `review`, but rows 2, 3 and 4 above it lead elsewhere and win where both hold, "
            "e.g. row 2 (x, `review 隐私`) where label is 正常, text contains 谢谢",
            "第 5 行（w）的结果是 `转人工`，但上面的第 2、3 和 4 行结果不同，两行都成立时以上面的为准，"
            "例如第 2 行（x，`转人工 隐私`）：标签是正常、文本含有谢谢",
        ),
        (
            "rows 2 (x) and 3 (y) have the same conditions, but lead to `model` and `outcome 彩票`",
            "第 2 行（x）与第 3 行（y）条件相同，结果却分别是 `交给模型` 和 `结论 彩票`",
        ),
        (
            "c.csv:3: expected `outcome good`, got `review` by row 4 (b)",
            "c.csv:3：预期 `结论 good`，第 4 行（b）得出 `转人工`",
        ),
        ("r.csv:2:3 (column `text`): nothing follows", "r.csv:2:3（`文本` 列）"),
        ("r.csv:2:3 (column `then`): nothing follows", "r.csv:2:3（`则` 列）"),
        (
            "no rule covers text contains all of 退款|谢谢: the model decides",
            "没有规则覆盖文本含有全部退款|谢谢：由模型决定",
        ),
        (
            "info: r.csv: no rule covers label is not 正常: the model decides",
            "提示：r.csv: 没有规则覆盖标签不是正常：由模型决定",
        ),
    ],
)
def test_facts_ends_and_lists_are_written_as_a_chinese_rules_file_has_them(english: str, form: str) -> None:
    assert chinese(english).startswith(form)


@pytest.mark.parametrize(
    ("english", "form"),
    [
        (
            "row 4 (x) can never hold: `p <0.2` and `p.退款 >0.9` and `text contains 你好` never come together",
            "第 4 行（x）永远不成立：`概率 <0.2` 且 `概率.退款 >0.9` 且 `文本 contains 你好` 不会同时成立",
        ),
        (
            "info: r.csv: no rule covers p >= 0.8 and p < 0.9, amount = 3; margin <= 0.1: the model decides",
            "提示：r.csv: 没有规则覆盖概率 >= 0.8 且概率 < 0.9、amount = 3；概率差 <= 0.1：由模型决定",
        ),
        (
            "info: r.csv: no rule covers p >= 0.3, clock < 2026-11-01 or clock > 2026-11-30: the model decides",
            "提示：r.csv: 没有规则覆盖概率 >= 0.3、请求时间 < 2026-11-01 或请求时间 > 2026-11-30：由模型决定",
        ),
        ("the rules need `label`, `p`, which the case does not have", "规则需要 `标签`、`概率`，案例没有给出"),
        (
            "it is always low <= value <= high: loosen one of the conditions, or delete the row",
            "总有下限 <= 数值 <= 上限",
        ),
        ("`too_long true` is false; it is false", "`文本超长 true` 不成立；它的值为“否”"),
        (
            "'1@a.cn' holds a personal number (email), which is masked before any rule sees it",
            "'1@a.cn' 含有个人号码（邮箱）",
        ),
        ("use the column `pii.email`, e.g. `>=1`", "请用 `脱敏.邮箱` 列，例如 `>=1`"),
        ("'不为空 a' has words behind `not empty`", "'不为空 a' 在 `不为空` 后面还有内容"),
        ("write `not contains all a|b`", "写成 `不全包含 a|b`"),
        ("write `insurance`", "写成 `insurance`"),
        ("use two columns `text`: `contains a` and `not contains b`", "请用两列 `文本`：`包含 a` 和 `不包含 b`"),
    ],
)
def test_a_chinese_sentence_has_the_chinese_names_of_facts_and_keywords(english: str, form: str) -> None:
    assert chinese(english).startswith(form)


def test_the_words_of_a_rules_file_are_those_that_it_is_read_by() -> None:
    tables: dict[str, dict[str, str]] = {"facts": {}, "keywords": {}}
    for section, english, form in read_tables():
        tables.get(section, {})[english] = form
    facts = {**FACTS, **COLUMNS, "p.": OF_LABEL}
    # No column is headed `clock`, but findings about rules with dates say it.
    assert tables["facts"] == {"clock": "请求时间", **{name: words.zh[0] for name, words in facts.items()}}
    assert tables["keywords"] == {key: words.zh[0] for key, words in COMPARISONS.items()}


def test_no_chinese_sentence_about_rules_has_only_an_english_keyword() -> None:
    """A keyword at the beginning of backticks is the Chinese one, or the Chinese one is in the sentence too."""
    words = {key: each.zh for key, each in (COMPARISONS | FACTS | ENDS).items() if key.isidentifier() or " " in key}
    keys = "|".join(sorted((key for key in words if key.isalpha() or " " in key), key=len, reverse=True))
    begins = re.compile(rf"`({keys})(?=[ `])")
    shown = []
    for path in sorted(files("penjing.core").joinpath("zh").iterdir(), key=lambda each: each.name):
        rows = json.loads(path.read_text(encoding="utf-8")).get("lines", {}) if path.name.startswith("rules") else {}
        shown += [
            (key, form)
            for form in rows.values()
            for key in begins.findall(form)
            if not any(f"`{word}" in form for word in words[key])
        ]
    assert shown == []


@pytest.mark.parametrize(
    "metric", ["macro-F1", "micro-F1", "exact match", "mean absolute error", "F1 of entities", "recall at 1"]
)
def test_every_reason_for_the_linear_model_has_its_chinese_form(metric: str) -> None:
    """The lines that `make` prints are made of the phrases of the report, which have their Chinese form apart."""
    phrases = json.loads(files("penjing.report").joinpath("templates/en.json").read_text(encoding="utf-8"))
    keys = ("why_tie", "why_worse", "why_form_tie", "why_form_worse")
    for key in (*keys, *(key for key in phrases if key.startswith("why_folds_") and key != "why_folds_better")):
        values = {"metric": metric, "rows": "61", "value": "-0.6939", "upper": "-0.6093", "lower": "-0.6"}
        values |= {"folds": "5", "form": "compress.int8"}
        said = chinese(f"the plain word model is chosen. {phrases[key].format(**values)}")
        assert said.startswith("选用了词频模型。"), key
        assert not is_english(said) and metric not in said, key


@pytest.mark.parametrize(
    ("english", "form"),
    [
        ("the labels are: `a`, `b`", "标签有：`a`、`b`"),
        ("the services are /services/a, /services/b", "各服务位于 /services/a、/services/b"),
        ("error: other rows that cannot be read: rows 22, 23 and 270 more", "第 22、23 行，另有 270 行"),
        (
            "learning rate 0.0005 is chosen, macro f1 0.912, loss 0.2",
            "选用学习率 0.0005 继续训练：宏平均 F1 0.912、损失 0.2",
        ),
        ("augmentation: 20 copies of 30 rows (swap 3, deletion 4)", "（swap 3、deletion 4）"),
    ],
)
def test_lists_have_the_comma_of_a_chinese_list(english: str, form: str) -> None:
    assert form in chinese(english)


def test_the_time_left_after_a_loss_is_chinese() -> None:
    assert chinese("loss 1.434, macro f1 0.510; all in about 2 min") == "损失 1.434，宏平均 F1 0.510；全部约剩 2 分钟"
