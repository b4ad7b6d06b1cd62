"""Every kind of answer survives its codec; what no kind writes is refused."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from penjing.core.answers import (
    Answer,
    Choice,
    Flags,
    Joint,
    Link,
    Links,
    Number,
    Span,
    Spans,
    Written,
    answer_from_json,
    answer_to_json,
    as_kind,
)

SPAN, OTHER = Span(0, 2, "人", 0.9), Span(5, 7, "药", 0.8)
ANSWERS: list[Answer] = [
    Choice(("a", "b"), (0.25, 0.75)),
    Flags(("a", "b"), (0.25, 0.75), (False, True), 0.5, 0.25),
    Number(2.5, 2.0, 3.0, 0.9),
    Spans((SPAN, OTHER), 0.7),
    Spans((), 1.0),
    Links((Link(SPAN, "takes", OTHER, 0.6),), 0.6, (SPAN, OTHER)),
    Written("二十天", 0.5, 3, 6),
    Written("", 0.5),
    Joint({"label": Choice(("a", "b"), (0.5, 0.5)), "spans": Spans((SPAN,), 0.9)}),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.kind)
def test_an_answer_survives_json(answer: Answer) -> None:
    assert answer_from_json(json.loads(json.dumps(answer_to_json(answer)))) == answer


def test_a_record_without_kind_is_a_choice() -> None:
    assert answer_to_json(ANSWERS[0]) == {"labels": ["a", "b"], "probabilities": [0.25, 0.75]}
    assert answer_from_json({"labels": ["a"], "probabilities": [1.0]}) == Choice(("a",), (1.0,))


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "dream"},
        {"labels": ["a"], "probabilities": []},
        {"kind": "number", "value": 1.0},
        {"kind": "spans", "p": 1.0},
        {"kind": "written", "text": "a", "p": 1.0, "more": 1},
    ],
)
def test_what_is_no_answer_is_refused(value: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        answer_from_json(value)


def test_another_kind_is_named() -> None:
    assert as_kind(ANSWERS[0], Choice) is ANSWERS[0]
    with pytest.raises(TypeError, match="of kind `number`, not `choice`"):
        as_kind(ANSWERS[2], Choice)


def test_the_probable_label_is_on_top() -> None:
    choice = Choice(("a", "b", "c"), (0.2, 0.4, 0.4))
    assert choice.top() == choice.ranked()[0] == ("b", 0.4)
    assert asdict(choice)["labels"] == ("a", "b", "c")
