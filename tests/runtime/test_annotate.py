"""Answers on the masked text as annotations of the user's own."""

from __future__ import annotations

import pytest

from penjing.core.answers import Choice, Flags, Link, Links, Number, Span, Spans
from penjing.core.errors import UsageError
from penjing.data.mask import VERSION, open_masking
from penjing.runtime.annotate import annotated

RAW = " 👍 电话13812345678找张三"
MASKED = open_masking(VERSION).prepare(RAW)


def test_spans_are_moved_to_the_users_text() -> None:
    start, phone = MASKED.text.index("张三"), MASKED.text.index("⟦")
    spans = Spans((Span(phone, phone + 8, "PHONE", 0.9), Span(start, start + 2, "NAME", 0.8)), 0.7)
    found, p = annotated(4, RAW, MASKED, spans)
    assert (found.row, found.text, p) == (4, RAW, 0.7)
    assert [(RAW[one.start : one.end], one.label) for one in found.spans] == [
        ("13812345678", "PHONE"),
        ("张三", "NAME"),
    ]


def test_relations_keep_their_entities_and_direction() -> None:
    start, phone = MASKED.text.index("张三"), MASKED.text.index("⟦")
    one, other = Span(phone, phone + 8, "PHONE", 0.9), Span(start, start + 2, "NAME", 0.8)
    found, p = annotated(4, RAW, MASKED, Links((Link(other, "owns", one, 0.6),), 0.5, (one, other)))
    assert p == 0.5 and [RAW[span.start : span.end] for span in found.spans] == ["13812345678", "张三"]
    assert [(each.head, each.label, each.tail) for each in found.relations] == [(1, "owns", 0)]


def test_labels_are_those_that_were_given() -> None:
    found, p = annotated(1, RAW, MASKED, Choice(("a", "b"), (0.25, 0.75)))
    assert (found.labels, p) == (("b",), 0.75)
    found, p = annotated(1, RAW, MASKED, Flags(("a", "b", "c"), (0.9, 0.4, 0.8), (True, False, True), 0.4, 0.3))
    assert (found.labels, p) == (("a", "c"), 0.4)


def test_numbers_are_no_labels() -> None:
    with pytest.raises(UsageError, match=r"the answers of this release \(`number`\) are no labels"):
        annotated(1, RAW, MASKED, Number(1.0, 0.0, 2.0, 0.9))
