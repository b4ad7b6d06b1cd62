"""The tests of a text of pieces, decided at once: against each test on the text itself."""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import Brute
from tests.decide.test_check import CITY_TESTS, LISTS, TEXT_TESTS

from penjing.decide.condition import Among, Between, Contains, Empty, Matches, Starts, Test
from penjing.decide.logic.texts import MadeText, TextTests
from penjing.decide.logic.words import WordIndex

PATTERNS = ("退.?款", "^退", "急$", "退|快")
TESTS: list[Test] = [
    *TEXT_TESTS,
    *(test for test in CITY_TESTS if not isinstance(test, Empty)),
    *(Matches(pattern, negated) for pattern in PATTERNS for negated in (False, True)),
    Among(("退款",), negated=True),
    Among(lists=("L", "M")),
    Starts(()),
    Starts((), negated=True),
]
PIECES = ("退", "退款", "急", "退款金额", "快", "北京", "南京", "南京市", "京", "无")
WORDS = WordIndex({word for test in TESTS for name in ("words", "values") for word in getattr(test, name, ())}, LISTS)
START = st.sampled_from(("", *PIECES, "退急款"))
HOLDS = Brute((), (), LISTS)._holds


def find(text: str) -> list[str]:
    return [pattern for pattern in PATTERNS if re.search(pattern, text)]


def held(written: MadeText, *tests: Test) -> list[bool]:
    found: list[bool] = TextTests(tests, WORDS, find).held(written).tolist()
    return found


@settings(max_examples=300, deadline=None)
@given(start=START, pieces=st.lists(st.sampled_from(PIECES), max_size=4), exact=st.booleans())
def test_a_text_of_pieces_meets_the_tests_that_its_characters_meet(start: str, pieces: list[str], exact: bool) -> None:
    written = MadeText(start, () if exact else tuple(pieces), exact)
    text = written.text(WORDS.separator)
    expected = [
        (re.search(test.pattern, text) is not None) != test.negated if isinstance(test, Matches) else HOLDS(text, test)
        for test in TESTS
    ]
    assert held(written, *TESTS) == expected


def test_a_text_has_a_separator_behind_every_piece_unless_it_is_exact() -> None:
    assert MadeText("退", ("款", "急")).text("|") == "退|款|急|"
    assert MadeText("", ("款",)).text("|") == "|款|"
    assert MadeText().text("|") == "|"
    assert MadeText("退", exact=True).text("|") == "退"
    assert MadeText(exact=True).text("|") == ""


def test_a_word_is_in_one_piece_and_not_across_two() -> None:
    assert held(MadeText("退", ("款",)), Contains(("退款",)), Contains(("退款",), negated=True)) == [False, True]
    assert held(MadeText("", ("退款",)), Starts(("退款",)), Contains(("退",))) == [False, True]


def test_only_an_exact_text_is_a_value() -> None:
    tests = Among(("北京",)), Among(lists=("C",)), Among(("北京",), ("C",), negated=True)
    assert held(MadeText("北京", exact=True), *tests) == [True, True, False]
    assert held(MadeText("南京市", exact=True), *tests) == [False, True, False]
    assert held(MadeText("北京"), *tests) == held(MadeText("", ("北京",)), *tests) == [False, False, True]


def test_the_same_test_twice_has_two_places() -> None:
    assert held(MadeText("退"), Starts(("退",)), Contains(("急",)), Starts(("退",))) == [True, False, True]
    assert TextTests((), WORDS, None).held(MadeText("退")).shape == (0,)


def test_what_is_supposed_of_a_pattern_is_not_looked_up() -> None:
    tests = [Matches(pattern) for pattern in PATTERNS]
    assert held(MadeText("退款"), *tests) == [True, True, False, True]
    written = MadeText("退款", supposed={"退.?款": False, "急$": True})
    assert held(written, *tests) == [False, True, True, True]


def test_nothing_is_looked_up_where_all_is_supposed_or_no_pattern_is_tested() -> None:
    looked: list[str] = []

    def finder(text: str) -> Collection[str]:
        looked.append(text)
        return find(text)

    one = TextTests([Matches("^退"), Contains(("退",))], WORDS, finder)
    assert one.held(MadeText("退", supposed={"^退": False, "急$": True})).tolist() == [False, True]
    assert TextTests([Contains(("退",))], WORDS, finder).held(MadeText("退")).tolist() == [True]
    assert looked == []
    assert one.held(MadeText("退", supposed={"急$": True})).tolist() == [True, True]
    assert looked == ["退" + WORDS.separator]


@pytest.mark.parametrize("test", [Between(((0, 1),)), Empty()])
def test_a_test_of_something_else_is_refused(test: Test) -> None:
    with pytest.raises(TypeError, match=f"no test of a text: {type(test).__name__}"):
        TextTests([test], WORDS, None)
