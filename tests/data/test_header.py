"""Headers: below titles, above rows, or not there."""

from __future__ import annotations

import pytest

from penjing.core.errors import DataError
from penjing.data.header import column_names, find_header, has_header, has_names, is_name, is_second_header

ROWS = [["1", "水管坏了，没有人来修", "水务"], ["2", "路灯不亮已经三天了", "电力"], ["3", "水表读数不对", "水务"]]


def test_headers() -> None:
    assert has_header([["label", "text"], ["1", "a"]])
    assert has_header([["投诉", "归口"], ["水管坏了", "水务"], ["路灯不亮", "电力"]])
    assert not has_header([["ham", "Ok lar"], ["spam", "Win"], ["ham", "Yes"]])
    assert not has_header([["1", "some text"], ["0", "other"]])


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
