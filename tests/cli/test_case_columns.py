"""Columns of the caller: found as all names are, refused where they hold the texts, stored as the file writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penjing.cli.case_columns import CaseColumns
from penjing.cli.texts import Row
from penjing.core.errors import RequestError, UsageError
from penjing.data.cells import UnreadableCell
from penjing.store.case_data import MOST_KEPT, MOST_REF, CaseData

CELLS = {"案件号": " A-1 ", "支行": " 城东 ", "柜员": "", "text": "你好"}


def rows(*cells: dict[str, str]) -> list[Row]:
    return [(number, "a text", each) for number, each in enumerate(cells, start=2)]


@pytest.mark.parametrize("columns", [CaseColumns("Text"), CaseColumns(None, ("id", "ＴＥＸＴ")), CaseColumns("te xt")])
def test_the_column_of_the_texts_is_refused_however_it_is_written(columns: CaseColumns) -> None:
    with pytest.raises(UsageError) as raised:
        columns.refuse_text("text")
    name = columns.ref or columns.keep[-1]
    assert f"the column `{name}` has the texts" in raised.value.what and "export decisions" in (raised.value.fix or "")


@pytest.mark.parametrize("columns", [CaseColumns(), CaseColumns("text id", ("texts", "body"))])
def test_other_columns_than_that_of_the_texts_are_not_refused(columns: CaseColumns) -> None:
    columns.refuse_text("text")


def test_the_case_number_loses_spaces_and_the_other_columns_keep_theirs() -> None:
    columns = CaseColumns("案件号", ("支行", "柜员"))
    assert columns.of(CELLS) == CaseData("A-1", {"支行": " 城东 ", "柜员": ""})
    assert CaseColumns("案件号").of({"案件号": " \u3000"}) == CaseData(None, {})
    assert CaseColumns().of(CELLS) == CaseData(None, {})


def test_a_column_is_kept_under_the_name_of_the_command_line() -> None:
    columns = CaseColumns("case no", ("Branch", "case no"))
    found = columns.of({"ＣＡＳＥ ＮＯ": "7 ", "branch": "east"})
    assert found.ref == "7" and list(found.keep.items()) == [("Branch", "east"), ("case no", "7 ")]


def test_what_a_row_lacks_is_left_out() -> None:
    """Objects of JSON may lack a name that the first of them has."""
    assert CaseColumns("no", ("a", "b")).of({"b": "x"}) == CaseData(None, {"b": "x"})


def test_a_cell_without_a_plain_value_is_refused_only_where_it_is_stored() -> None:
    cells = {"no": "1", "Tags": UnreadableCell("[1, 2]", "a list of 2 values", "write one value")}
    with pytest.raises(RequestError) as raised:
        CaseColumns("no", ("tags",)).of(cells)
    assert (raised.value.what, raised.value.fix) == ("`Tags` is a list of 2 values", "write one value")
    with pytest.raises(RequestError, match="`Tags` is a list"):
        CaseColumns("tags").of(cells)
    assert CaseColumns("no").of(cells) == CaseData("1")


def test_bounds_of_what_is_kept_are_those_of_a_request() -> None:
    assert CaseColumns("no").of({"no": " " + "7" * MOST_REF}).ref == "7" * MOST_REF
    with pytest.raises(RequestError, match="the case number `ref` has 201 characters"):
        CaseColumns("no").of({"no": "7" * (MOST_REF + 1)})
    names = tuple(f"c{number}" for number in range(MOST_KEPT + 1))
    assert CaseColumns(None, names[1:]).of(dict.fromkeys(names, "x")).keep == dict.fromkeys(names[1:], "x")
    with pytest.raises(RequestError, match="21 columns to pass through"):
        CaseColumns(None, names).of(dict.fromkeys(names, "x"))


@pytest.mark.parametrize(
    ("columns", "header", "said", "fix"),
    [
        (CaseColumns("no", ("a",)), ("a", "text"), "there is no column `no`; there are `a`, `text`", "correct --ref"),
        (CaseColumns("a", ("b", "c")), ("a", "c"), "there is no column `b`; there are `a`, `c`", "correct --keep"),
        (CaseColumns("no"), (), "there is no column `no`; there are none", "correct --ref"),
        (CaseColumns("No"), ("no", "NO"), "unclear columns: `No` could be `no` and `NO`", "name one of them"),
        (CaseColumns("a", ("No",)), ("a", "ＮＯ", "n o"), "unclear columns: `No` could be `ＮＯ` and `n o`", "name "),
    ],
)  # fmt: skip
def test_a_header_without_the_column_or_with_several_is_refused(
    columns: CaseColumns, header: tuple[str, ...], said: str, fix: str
) -> None:
    checked = columns.checked(rows(dict.fromkeys(header, "x")))
    with pytest.raises(UsageError) as raised:
        next(checked)
    assert raised.value.what == said and (raised.value.fix or "").startswith(fix)


def test_long_headers_are_shown_in_part() -> None:
    header = ["x" * 70, *(f"c{number}" for number in range(30))]
    with pytest.raises(UsageError) as raised:
        list(CaseColumns("y" * 70).checked(rows(dict.fromkeys(header, ""))))
    shown = ", ".join(f"`{name}`" for name in ["x" * 60, *header[1:20]])
    assert raised.value.what == f"there is no column `{'y' * 60}`; there are {shown}"


def test_rows_go_through_one_by_one_unchanged_and_only_the_first_is_checked() -> None:
    given = rows({"no": "1"}, {"other": "2"}, {"no": "3", "NO": "4"})
    asked: list[int] = []
    checked = CaseColumns("no").checked((asked.append(row[0]), row)[1] for row in given)
    assert asked == [] and next(checked) is given[0] and asked == [2]
    assert list(checked) == given[1:]
    assert list(CaseColumns("no").checked([])) == []


NAMES = st.sampled_from(("no", "No", "ＮＯ", "branch", "Branch", "a b", "AB", "text"))


def plain(name: str) -> str:
    return name.replace(" ", "").replace("ＮＯ", "NO").lower()


@given(st.none() | NAMES, st.lists(NAMES, max_size=3, unique=True), st.dictionaries(NAMES, st.text("x1 ", max_size=3)))
def test_each_name_is_its_exact_column_or_the_only_one_like_it(
    ref: str | None, keep: list[str], cells: dict[str, str]
) -> None:
    wanted = {*keep, *([ref] if ref else [])}

    def cell(name: str) -> str | None:
        if name in cells:
            return cells[name]
        near = [each for each in cells if plain(each) == plain(name) and each not in wanted]
        rivals = [each for each in wanted if plain(each) == plain(name) and each not in cells]
        return cells[near[0]] if len(near) == len(rivals) == 1 else None

    found = CaseColumns(ref, tuple(keep)).of(cells)
    assert found.ref == (((cell(ref) or "").strip() or None) if ref else None)
    assert found.keep == {name: value for name in keep if (value := cell(name)) is not None}
