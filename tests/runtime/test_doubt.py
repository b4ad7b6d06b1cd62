"""How unsure an answer is, by hand, for each kind of answer."""

from __future__ import annotations

import math

import pytest

from penjing.core.answers import Choice, Flags, Joint, Link, Links, Number, Ranked, Span, Spans, Written
from penjing.runtime.doubt import chances, entropy, margin, residual

CHOICE = Choice(("a", "b", "c"), (0.5, 0.25, 0.25))
FLAGS = Flags(("a", "b"), (0.9, 0.5), (True, False), 0.45, 0.2)
SPANS = Spans((Span(0, 2, "x", 0.9), Span(3, 4, "x", 0.7), Span(5, 6, "y", 0.6)), 0.4)


def test_the_entropy_of_each_kind() -> None:
    assert entropy(CHOICE) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(4))
    assert entropy(Choice(("a", "b"), (1.0, 0.0))) == 0.0
    assert entropy(FLAGS) == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1) + math.log(2))
    assert entropy(SPANS) == pytest.approx(0.6)
    assert entropy(Number(3.0, 2.0, 4.0, 0.7)) == pytest.approx(0.3)
    assert entropy(Joint({"one": CHOICE, "two": SPANS})) == pytest.approx(entropy(CHOICE) + 0.6)


def test_the_margin_of_each_kind() -> None:
    assert margin(CHOICE) == pytest.approx(0.75)
    assert margin(Ranked(("only",), (0.8,))) == pytest.approx(0.2)
    assert margin(FLAGS) == pytest.approx(0.8)
    assert margin(Written("x", 0.9)) == pytest.approx(0.1)
    assert margin(Joint({"one": CHOICE, "two": FLAGS})) == pytest.approx(0.8)


def test_the_residual_is_the_gradient_by_the_logits() -> None:
    assert residual(CHOICE) == pytest.approx([-0.5, 0.25, 0.25])
    assert residual(FLAGS) == pytest.approx([-0.1, 0.5])
    assert residual(Joint({"one": CHOICE, "two": FLAGS})) == pytest.approx([-0.5, 0.25, 0.25, -0.1, 0.5])
    assert residual(SPANS) is None and residual(Joint({"one": CHOICE, "two": SPANS})) is None


def test_the_chance_of_each_label() -> None:
    assert chances(CHOICE) == {"a": 0.5, "b": 0.25, "c": 0.25}
    assert chances(SPANS) == {"x": 0.9, "y": 0.6}
    head, tail = SPANS.spans[:2]
    assert chances(Links((Link(head, "of", tail, 0.3),), 0.2)) == {"of": 0.3}
    assert chances(Number(1.0, 0.0, 2.0, 0.5)) is None
