"""Headers: below titles, above rows, or not there."""

from __future__ import annotations

import pytest

from penjing.core.errors import DataError
from penjing.data.header import (
    column_names,
    find_header,
    has_header,
    has_names,
    is_name,
    is_second_header,
    join_headers,
)

ROWS = [["1", "水管坏了，没有人来修", "水务"], ["2", "路灯不亮已经三天了", "电力"], ["3", "水表读数不对", "水务"]]


def test_headers() -> None:
    assert has_header([["label", "text"], ["1", "a"]])
    assert has_header([["投诉", "归口"], ["水管坏了", "水务"], ["路灯不亮", "电力"]])
    assert not has_header([["ham", "Ok lar"], ["spam", "Win"], ["ham", "Yes"]])
    assert not has_header([["1", "some text"], ["0", "other"]])
    assert not has_header([["Y", "Win cash"], ["N", "Ok"], ["Y", "Call now"]])
    assert has_header([["y", "x"], ["1", "Ok"], ["0", "Call now"], ["y", "x"]])


NIGHTS = [
    ["17", "The bath was dirty.", "housekeeping", "N", "12.5"],
    ["18", "I was charged twice, please help!", "billing", "Y", "3"],
    ["19", "Too loud.", "noise", "N", "31"],
    ["20", "The lift stood still.", "noise", "N", "7"],
    ["21", "No towels.", "housekeeping", "Y", "0"],
    ["22", "It was cold, and dark.", "housekeeping", "N", "0"],
]


@pytest.mark.parametrize(
    "names",
    [
        ["Ref #", "Guest Comment", "Dept.", "VIP?", "Spend (GBP)"],
        ["No.", "Guest Comment", "Cat.", "Resp. Mgr.", "Est. Cost"],
        ["序号", "1、您遇到了什么问题？请尽量写得详细一些，方便我们核实。", "2、问题大类", "3、是否着急？", "费用"],
        ["No.", "What went wrong? Please tell us in your own words.", "Dept. in charge", "VIP.", "Spend, GBP"],
    ],
)
def test_abbreviations_and_questions_of_a_form_name_columns(names: list[str]) -> None:
    assert has_header([names, *NIGHTS])
    assert find_header([["Guests, 2026", "", "", "", ""], names, *NIGHTS]) == 1


@pytest.mark.parametrize("first", [["16", "Too bad.", "noise", "N", "3"], ["Ref.", "Too bad.", "noise", "No.", "GBP"]])
def test_a_sentence_above_values_that_come_again_is_a_row(first: list[str]) -> None:
    assert not has_header([first, *NIGHTS])
    assert not has_header([row[1:3] for row in (first, *NIGHTS)])


@pytest.mark.parametrize(
    ("above", "place"),
    [
        ([], 0),
        ([["2026年10月客诉明细"]], 1),
        ([["2026年10月客诉明细", "", ""], ["", "", ""]], 2),
        ([["导出时间", "2026-01-01"], ["导出人", "张三"]], 2),
        ([["客户信息", "", "投诉信息"]], 1),
        ([["# exported by a tool", "", ""], ["# do not edit"]], 2),
    ],
)
def test_the_header_is_below_the_titles(above: list[list[str]], place: int) -> None:
    assert find_header([*above, ["序号", "留言", "处理类别"], *ROWS]) == place


def test_a_header_with_an_unnamed_column_is_no_title() -> None:
    assert find_header([["", "text", "label"], *ROWS]) == 0
    assert find_header([["", "留言", "处理类别"], *ROWS]) == 0


def test_wanted_names_settle_it() -> None:
    rows = [["a", "b"], ["ＴＥＸＴ", "Label"], ["c", "d"]]
    assert find_header(rows, ("text", "label")) == 1
    assert has_names(rows[1], ("text",))
    assert not has_names(rows[0], ("text",))


def test_a_second_header_in_other_words() -> None:
    assert is_second_header(["text", "label"], ["内容", "类别"])
    assert not is_second_header(["很好", "好评"], ["内容", "类别"])


def test_names() -> None:
    assert column_names(["\ufefftext ", "", "label"], "a.csv") == ["text", "column_2", "label"]
    with pytest.raises(DataError, match="names `text` twice"):
        column_names(["text", "text"], "a.csv", 3)
    assert is_name("投诉内容")
    assert not is_name("快递太慢了，再也不来了。")
    assert not is_name("2026-01-01")


def test_a_header_may_ask() -> None:
    assert has_header([["Comments", "Resolved?"], ["It broke", "yes"], ["It is late", "no"]])
    assert is_name("是否立案？")
    assert not is_name("Why is my parcel so late again?")


def test_the_header_of_each_block_of_a_sheet_is_a_header() -> None:
    header = ["投诉内容", "问题类型"]
    assert has_header([header, ["水管坏了", "水务"], header, ["路灯不亮", "电力"]])


def test_columns_that_pandas_numbered() -> None:
    assert has_header([["0", "1"], ["水管坏了", "水务"]])
    assert has_header([["", "0", "1"], ["0", "水管坏了", "水务"]])
    assert not has_header([["0", "1"], ["1", "0"], ["0", "1"]])
    assert not has_header([["0", "a text"], ["1", "another"]])


def test_a_title_with_commas_has_more_cells_than_the_table() -> None:
    title, header = ["Report: complaints", " January", " 2026"], ["comment", "category"]
    rows = [["it broke", "quality"], ["it is late", "delivery"]]
    assert find_header([title, header, *rows]) == 1
    assert find_header([["a", "b", "c"], *rows, header, *rows]) == 0


BELOW = [["1", "太慢了", "物流", "已回访"], ["2", "坏了", "质量", "未回访"], ["3", "假的", "质量", "已回访"]]


@pytest.mark.parametrize(
    ("header", "names", "last"),
    [
        ([["编号", "内容", "处理", ""], ["", "", "类型", "结果"]], ["编号", "内容", "类型", "结果"], 1),
        (
            [["编号", "客户", "", ""], ["", "内容", "处理", ""], ["", "", "类型", "结果"]],
            ["编号", "内容", "类型", "结果"],
            2,
        ),
        ([["编号", "甲", "", "乙"], ["", "名", "类", ""]], ["编号", "名", "类", "乙"], 1),
        ([["编号", "内容", "类型", "结果"]], ["编号", "内容", "类型", "结果"], 0),
        # Data below a column without a name is data: it comes again.
        ([["编号", "内容", "类型", ""], ["", "", "", "已回访"]], ["编号", "内容", "类型", ""], 0),
        ([["编号", "内容", "类型", ""], ["4", "还行", "物流", "好"]], ["编号", "内容", "类型", ""], 0),
    ],
)
def test_a_header_of_several_rows_is_joined(header: list[list[str]], names: list[str], last: int) -> None:
    assert join_headers([*header, *BELOW], 0) == (names, 0, last)


def test_two_groups_that_name_their_columns_alike() -> None:
    rows = [["编号", "人工", "", "模型", ""], ["", "标签", "时间", "标签", "时间"], ["1", "好", "早", "坏", "晚"]]
    assert join_headers(rows, 0)[0] == ["编号", "人工 标签", "人工 时间", "模型 标签", "模型 时间"]


def test_the_lower_row_that_has_the_wanted_names_is_joined_with_the_upper() -> None:
    rows = [["编号", "内容", "处理", ""], ["", "", "类型", "结果"], *BELOW]
    assert join_headers(rows, 1) == (["编号", "内容", "类型", "结果"], 0, 1)
