"""Answers of pieces are compared where they are in the whole text: what a deletion moves or cuts is no other answer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from penjing.core.answers import Answer, Choice, Joint, Link, Links, Span, Spans
from penjing.core.artifact import open_release
from penjing.core.pair import SEPARATOR
from penjing.data.masked import counted
from penjing.decide.decider import Decider, Request
from penjing.explain.counterfactual import counterfactual
from penjing.explain.same_answer import Said, left_of, same_answer

GOLDEN = Path(__file__).parents[1] / "golden" / "sixth" / "by-item"


def spans(*places: tuple[int, int, str]) -> Spans:
    return Spans(tuple(Span(*place, 0.9) for place in places), 0.8)


def same(
    text: str, gone: tuple[int, int], before: Answer, after: Answer, outcomes: tuple[str, str] = ("a", "b")
) -> bool:
    left = left_of(text, [gone])
    one, other = Said(outcomes[0], before, counted(text)), Said(outcomes[1], after, counted(left.text))
    return same_answer(one, other, left)


def test_what_is_left_is_the_text_with_single_blanks_and_knows_its_places() -> None:
    draw = random.Random(5)
    for _ in range(500):
        text = "".join(draw.choice(f"ab 国\n\t{SEPARATOR}") for _ in range(draw.randint(1, 14)))
        cuts = sorted(draw.sample(range(len(text) + 1), min(4, len(text) + 1) // 2 * 2))
        gone = list(zip(cuts[::2], cuts[1::2], strict=True))
        plain = text
        for start, end in reversed(gone):
            plain = plain[:start] + (SEPARATOR if SEPARATOR in text[start:end] else " ") + plain[end:]
        left = left_of(text, gone)
        assert left.text == SEPARATOR.join(" ".join(part.split()) for part in plain.split(SEPARATOR))
        assert len(left.origin) == len(left.text) and list(left.origin) == sorted(left.origin)
        kept = [(sign, text[place]) for sign, place in zip(left.text, left.origin, strict=True) if not sign.isspace()]
        assert all(sign == own for sign, own in kept)


def test_a_piece_that_only_moved_is_the_same_and_one_that_is_gone_is_not() -> None:
    text, gone, before = "now Acme pays Bolt", (0, 3), spans((4, 8, "ORG"), (14, 18, "ORG"))
    assert left_of(text, [gone]).text == "Acme pays Bolt"
    assert same(text, gone, before, spans((0, 4, "ORG"), (10, 14, "ORG")))
    assert not same(text, gone, before, spans((0, 4, "ORG")))
    assert not same(text, gone, before, spans((0, 4, "ORG"), (10, 14, "PERSON")))
    assert not same(text, gone, before, spans((0, 4, "ORG"), (5, 9, "ORG"), (10, 14, "ORG")))


@pytest.mark.parametrize("rest", [[], [(0, 4, "ORG")], [(0, 4, "PERSON")]])
def test_a_piece_that_the_deletion_cuts_is_on_neither_side(rest: list[tuple[int, int, str]]) -> None:
    before = spans((0, 13, "ORG"), (19, 23, "ORG"))
    assert same("Acme Holdings pays Bolt", (5, 13), before, spans(*rest, (10, 14, "ORG")))
    assert not same("Acme Holdings pays Bolt", (5, 13), before, spans(*rest))


def test_relations_follow_their_pieces_and_parts_are_compared_each() -> None:
    text, gone = "now Acme buys Bolt", (0, 3)
    a, b, c, d = (Span(*place, "ORG", 0.9) for place in ((4, 8), (14, 18), (0, 4), (10, 14)))
    before = Links((Link(a, "buys", b, 0.9),), 0.8, (a, b))
    assert same(text, gone, before, Links((Link(c, "buys", d, 0.9),), 0.8, (c, d)))
    assert not same(text, gone, before, Links((Link(d, "buys", c, 0.9),), 0.8, (c, d)))
    topic = Choice(("x", "y"), (0.4, 0.6))
    one, other = (Joint({"topic": topic, "names": spans(place)}) for place in ((4, 8, "ORG"), (0, 4, "ORG")))
    assert same(text, gone, one, other, ('{"topic": "y", "names": "[1]"}', '{"topic": "y", "names": "[2]"}'))
    assert not same(text, gone, one, other, ('{"topic": "y", "names": "[1]"}', '{"topic": "x", "names": "[2]"}'))


def test_a_label_is_compared_as_it_is() -> None:
    topic = Choice(("x", "y"), (0.4, 0.6))
    assert same("a b", (0, 1), topic, topic, ("y", "y")) and not same("a b", (0, 1), topic, topic, ("y", "x"))


@pytest.mark.parametrize(
    ("text", "removed", "route"),
    [
        ("paid $ 40 paid in Leeds send the today goods no 0 44", (), ""),
        ("please us $ 1,250 today send we we no 3 44 Avalon", ("1",), "automatic"),
        ("Oslo for in please to the please no 6 44", ("Oslo",), "review"),
    ],
)
def test_a_deletion_that_only_moves_entities_changes_no_decision(
    text: str, removed: tuple[str, ...], route: str
) -> None:
    decider = Decider(open_release(GOLDEN), threads=1)
    (made,) = decider.decide([Request(text, {})])
    found = counterfactual(decider, made.decision.to_json(), made.masked.text)
    assert (found.removed, found.route) == (removed, route)
    assert route != made.decision.route
    assert bool(found.none) == (not removed)
