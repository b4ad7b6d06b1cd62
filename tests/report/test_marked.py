"""Marks: each side names its own pieces, a long text is shown around its first difference, and the page escapes all."""

from __future__ import annotations

from collections.abc import Callable

from penjing.report.contract import Mistake, Report
from penjing.report.marked import Piece, both_sides, cut, marked_line, marked_text, marks_of
from penjing.report.page import render
from penjing.report.phrases import words
from penjing.report.ways_out import terminal_lines

TEXT = "send it to Oslo or Lima"
MARKS = marks_of([(11, 15, "place"), (19, 23, "place")], [(11, 15, "place"), (16, 23, "name")])


def test_a_piece_is_right_only_where_both_sides_have_it() -> None:
    assert [(one.side, one.start, one.right) for one in MARKS] == [
        ("gold", 11, True), ("gold", 19, False), ("answer", 11, True), ("answer", 16, False),
    ]  # fmt: skip
    assert not any(one.right for one in marks_of([(0, 2, "a")], [(0, 2, "b")]))


def test_each_side_shows_its_own_pieces() -> None:
    assert marked_text(TEXT, MARKS, "gold") == [
        Piece("send it to "), Piece("Oslo", "place"), Piece(" or "), Piece("Lima", "place", False),
    ]  # fmt: skip
    assert marked_line(TEXT, MARKS, "answer") == "send it to [Oslo place] [or Lima name!]"
    assert "".join(piece.text for piece in marked_text(TEXT, MARKS, "answer")) == TEXT


def test_a_long_text_is_shown_around_the_first_difference_on_both_sides() -> None:
    text = "a" * 1000 + "Oslo" + "b" * 1000
    marks = marks_of([(0, 5, "x"), (1000, 1004, "place")], [(0, 5, "x")])
    gold, answer = (both_sides(text, marks)[side] for side in ("gold", "answer"))
    assert Piece("Oslo", "place", False) in gold
    assert gold[0] == gold[-1] == answer[0] == answer[-1] == Piece("…")
    assert "".join(one.text for one in gold) == "".join(one.text for one in answer)
    assert len("".join(one.text for one in gold)) == 282


def test_no_text_and_no_marks_show_nothing() -> None:
    assert both_sides(None, MARKS) == both_sides(TEXT, ()) == {}
    assert cut(None) == "" and cut("ab" * 200).endswith("…") and cut("ab") == "ab"


def test_the_page_and_the_terminal_mark_the_pieces(sample: Callable[..., Report]) -> None:
    one = Mistake(truth="[1]", guess="[2]", p=0.9, row=7, text="<b>Oslo", marks=marks_of([(3, 7, "<i>")], []))
    report = sample(errors=(one,))
    page = render(report)
    assert '<mark class="gold">Oslo<small>&lt;i&gt;</small></mark>' in page and "&lt;b&gt;" in page
    assert '<td class="label">[1]</td>' not in page
    without = render(report, texts=False)
    assert "Oslo" not in without and "[1]" in without, "the places stay where the texts are left out"
    lines = list(terminal_lines(report, "en"))
    assert "    Data: <b>[Oslo <i>!]" in lines and "    Model: <b>Oslo" in lines
    assert words("zh")["errors_line"] in list(terminal_lines(report, "zh"))
    assert not any("Data:" in line for line in terminal_lines(report.without_texts(), "en"))
