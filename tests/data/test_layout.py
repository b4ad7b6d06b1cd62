"""Layouts: kind, delimiter and quotes are found before a row is read."""

from __future__ import annotations

import pytest

from penjing.data.cells import Fault
from penjing.data.layout import Layout, cut, find_layout, misfits, records

TEXTS = ["I want, really, a refund", "the box, damaged, was late", "no answer; no call, nothing"]


def head(text: str) -> list[str]:
    return text.splitlines(keepends=True)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_cuts_the_rows(mark: str) -> None:
    found = find_layout(head(f"text{mark}label\na{mark}1\nb{mark}2\n"), ".csv", None, ())
    assert (found.kind, found.delimiter) == ("cells", mark)


def test_a_delimiter_that_the_header_has_outranks_one_in_the_texts() -> None:
    lines = ["text;label", *(f"{text.replace(';', '')}, {place};x" for place, text in enumerate(TEXTS))]
    assert find_layout(lines, ".csv", None, ()).delimiter == ";"
    assert find_layout(["text;amount", "a;1,5", "b;2,5"], ".csv", None, ()).delimiter == ";"


def test_a_title_does_not_hide_the_delimiter() -> None:
    assert find_layout(head("Export of January\n\ntext;label\na;1\nb;2\n"), ".csv", None, ()).delimiter == ";"


def test_the_line_that_names_the_delimiter_is_passed_over() -> None:
    assert find_layout(head("sep=;\ntext;label\n"), ".csv", None, ()) == Layout("cells", ";", skip=1)
    assert [record[2] for record in records(head("sep=;\na;b\n"), Layout("cells", ";", skip=1))] == [["a", "b"]]  # type: ignore[index]


def test_one_column_may_have_commas() -> None:
    assert find_layout(["message", *TEXTS], ".csv", None, ()).kind == "lines"
    assert find_layout(["message", *(f'"{text}"' for text in TEXTS)], ".csv", None, ()).kind == "cells"


@pytest.mark.parametrize(
    ("suffix", "lines", "wanted", "kind"),
    [
        (".jsonl", ["{}"], (), "json"),
        (".json", ["["], (), "json"),
        (".txt", ['{"text": "a"}'], (), "json"),
        (".csv", ['{"text": "a"}'], (), "json"),
        (".txt", ["a,b"], (), "lines"),
        ("", ["hello\tworld"], (), "lines"),
        (".txt", ["留言内容\t处理类别", "太慢了\t物流", "坏了\t质量"], (), "cells"),
        (".txt", ["留言内容\t处理类别", '"太慢了', '张三"\t物流', '"坏了', "", '李四"\t质量', '"好'], (), "cells"),
        (".txt", ['"太慢了', "坏了\t质量", "好", "不好", "还行", "太贵"], (), "lines"),
        ("", ["id,message", "1,hello", "2,bye"], ("text",), "cells"),
        ("", ["id,text", "1,hello"], ("text",), "cells"),
        ("", ["投诉内容\tid", "太慢了\t1"], ("投诉内容",), "cells"),
        ("", ["Hello, I want a refund", "Thanks, bye", "No, never"], ("text",), "lines"),
        ("", ["今天收到了，谢谢", "不错，还会再来"], ("text",), "lines"),
        (".xls", ["text\tlabel", "a\t1"], (), "cells"),
    ],
)
def test_a_table_is_told_from_lines_by_what_is_in_it(
    suffix: str, lines: list[str], wanted: tuple[str, ...], kind: str
) -> None:
    assert find_layout(lines, suffix, None, wanted).kind == kind


def test_columns_that_are_named_make_a_table() -> None:
    assert find_layout(["a\tb"], ".txt", ["x", "y"], ()).delimiter == "\t"


def test_cut_frees_cells_that_a_program_quoted() -> None:
    assert cut('"a ""b"""\t"c" d\t"\n', "\t") == ['a "b"', '"c" d', '"']


def test_quotes_that_are_escaped_with_a_backslash() -> None:
    lines = head('"a \\"very\\", bad","x"\n"C:\\\\temp\\\\","y"\n')
    assert [record[2] for record in records(lines, Layout("cells", quoting="escaped"))] == [  # type: ignore[index]
        ['a "very", bad', "x"],
        ["C:\\\\temp\\\\", "y"],
    ]
    assert misfits(lines, Layout("cells", quoting="escaped"), 2, 9) == 0
    assert misfits(lines, Layout("cells"), 2, 9) == 1


def test_the_rows_after_a_broken_one_are_read() -> None:
    found = list(records(head('text,label\n"a ""b" c",1\nd,2\n"never closed,3\ne,4\nf,5\n'), Layout("cells")))
    assert [record.row for record in found if isinstance(record, Fault)] == [2, 4]
    assert [record for record in found if not isinstance(record, Fault)] == [
        (1, 1, ["text", "label"]),
        (3, 3, ["d", "2"]),
        (5, 5, ["e", "4"]),
        (6, 6, ["f", "5"]),
    ]


def test_a_row_of_several_lines_has_its_first_and_last() -> None:
    assert list(records(head('a\n"one\ntwo"\nb\n'), Layout("cells"))) == [
        (1, 1, ["a"]),
        (2, 3, ["one\ntwo"]),
        (4, 4, ["b"]),
    ]


def test_a_space_before_a_quoted_cell() -> None:
    text = 'text, label\n"it broke, again", "quality"\n"late", "delivery"\n'
    layout = find_layout(head(text), ".csv", None, ())
    assert [record[2] for record in records(head(text), layout)] == [  # type: ignore[index]
        ["text", "label"],
        ["it broke, again", "quality"],
        ["late", "delivery"],
    ]
    assert not find_layout(head('text,label\n"a, ""b""",c\nd,e\n'), ".csv", None, ()).spaced


def test_a_table_under_the_name_of_json() -> None:
    assert find_layout(head("text,label\na,b\n"), ".json", None, ("text",)).kind == "cells"
    assert find_layout(head('{\n "text": "a, b",\n "label": "c"\n}\n'), ".json", None, ("text",)).kind == "json"
