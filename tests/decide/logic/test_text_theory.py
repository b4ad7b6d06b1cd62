"""A solution about a text is a text that has just that, or clauses that it breaks and that hold of every text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import texts
from tests.decide.logic.truths import holds, of_text
from tests.decide.test_check import LISTS, table

from penjing.decide.condition import Contains, Matches, Starts, Then
from penjing.decide.logic.clauses import TextProperty, TextVariables
from penjing.decide.logic.rows import TableRows
from penjing.decide.logic.text_theory import Clauses, TextTheory
from penjing.decide.logic.texts import MadeText
from penjing.decide.logic.words import WordIndex

EMPTY = 99
PATTERNS = ("退.{0,2}款", "^退", "款$", "[退急]款?")
ATOMS: list[tuple[str, str]] = [
    *(("has", word) for word in ("退", "退款", "急", "京", "北京")),
    *(("list", name) for name in LISTS),
    *(("start", word) for word in ("退", "退款", "急", "北")),
    *(("value", word) for word in ("退款", "北京", "上海")),
    *(("listed", name) for name in LISTS),
]
WORDS = ("退", "退款", "急", "退款金额", "快", "北京", "京")
TEXTS = ("", "南京市", "上海", "款", "退换货款", *WORDS, *texts(WORDS[:5]), *texts(("北京", "京", "南京市", "退")))
SEPARATOR = WordIndex(WORDS, LISTS).separator
Keys = list[tuple[str, str]]  # kinds of properties, and what each is about


def theory(properties: Keys, true: Keys) -> tuple[TextTheory, dict[TextProperty, int]]:
    """The theory of these properties, numbered from 2 in their order, of which `true` are true."""
    known = {each: place for place, each in enumerate(properties, 2)}
    patterns = tuple(what for kind, what in properties if kind == "pattern")
    tests = [
        Contains(tuple(what for kind, what in properties if kind in ("has", "value"))),
        Starts(tuple(what for kind, what in properties if kind == "start")),
        *map(Matches, patterns),
    ]
    rows = TableRows(table([([("city", test) for test in tests], Then("review"))]))
    return TextTheory(rows, TextVariables(known, list(patterns)), set(true)), known


def solve(properties: Keys, *true: tuple[str, str]) -> MadeText | Clauses:
    return theory(properties, list(true))[0].solve(None)


def check(properties: Keys, true: Keys, empty: bool) -> None:
    """The answer to a solution is right, by what is true of the texts themselves."""
    solver, known = theory(properties, true)
    model = {known[each] for each in true} | ({EMPTY} if empty else set())
    found = solver.solve(EMPTY if empty else None)
    if isinstance(found, MadeText):
        text = found.text(SEPARATOR)
        assert (text == "") == empty
        for atom, literal in known.items():
            if atom[0] != "pattern" or atom[1] not in found.supposed:
                assert of_text(atom, text) == (literal in model), (text, atom)
        supposed = {atom[1]: literal in model for atom, literal in known.items() if atom[0] == "pattern"}
        assert found.supposed in (supposed, {})
        return
    assert found
    for clause in found:
        assert not holds(clause, model), "the solution breaks it"
        for text in TEXTS:
            real = {literal for atom, literal in known.items() if of_text(atom, text)}
            assert holds(clause, real if text else real | {EMPTY}), (clause, text)


CHOSEN = st.lists(st.sampled_from(ATOMS), unique=True, max_size=7)


@settings(max_examples=300, deadline=None)
@given(properties=CHOSEN, data=st.data(), empty=st.booleans())
def test_a_solution_is_a_text_or_breaks_what_holds_of_all(properties: Keys, data: st.DataObject, empty: bool) -> None:
    check(properties, [each for each in properties if data.draw(st.booleans())], empty)


@settings(max_examples=200, deadline=None)
@given(properties=CHOSEN, patterns=st.lists(st.sampled_from(PATTERNS), unique=True, min_size=1), data=st.data())
def test_the_same_with_patterns(properties: Keys, patterns: list[str], data: st.DataObject) -> None:
    both = [*properties, *(("pattern", each) for each in patterns)]
    check(both, [each for each in both if data.draw(st.booleans())], data.draw(st.booleans()))


def test_the_words_of_a_text_stand_behind_the_longest_start() -> None:
    properties = [("start", "退"), ("start", "退款"), ("has", "退"), ("has", "退款"), ("has", "急")]
    assert solve(properties, *properties[:4]) == MadeText("退款", ("退", "退款"))
    assert solve(properties, properties[4]) == MadeText("", ("急",))
    assert solve(properties) == MadeText()


@pytest.mark.parametrize(
    ("true", "clauses"),
    [
        ([("has", "退款")], [[-3, 2]]),
        ([("start", "退款"), ("has", "退款"), ("has", "退")], [[-5, 4]]),
        ([("start", "退"), ("has", "退"), ("start", "急")], [[-6, -4]]),
        ([("value", "退款"), ("value", "北京")], [[-7, -8]]),
        ([("value", "北京"), ("has", "退")], [[-8, -2]]),
    ],
)
def test_what_no_text_can_be(true: Keys, clauses: Clauses) -> None:
    properties = [("has", "退"), ("has", "退款"), ("start", "退"), ("start", "退款"), ("start", "急")]
    properties += [("value", "退款"), ("value", "北京")]
    found = solve(properties, *true)
    assert isinstance(found, list) and {frozenset(each) for each in clauses} <= {frozenset(each) for each in found}


def test_a_list_is_met_by_a_word_that_brings_nothing_else() -> None:
    properties = [("list", "M"), ("has", "退"), ("has", "快")]
    assert solve(properties, properties[0]) == [[-2, 3, 4]], "each word of the list brings one"
    assert solve(properties, properties[0], properties[2]) == MadeText("", ("快",))
    assert solve(properties[:2], properties[0]) == MadeText("", ("快",))
    assert solve([("list", "M"), ("list", "L")], ("list", "M")) == MadeText("", ("快",)), "退款金额 is in L too"


def test_a_listed_value_is_a_word_of_the_smallest_list() -> None:
    properties = [("listed", "C"), ("has", "京"), ("value", "北京")]
    assert solve(properties, properties[0], properties[1]) == MadeText("南京市", exact=True)
    assert solve([("listed", "L"), ("listed", "M")], ("listed", "L"), ("listed", "M")) == [[-2, -3]]


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("退.{0,2}款", MadeText("", ("退款",), supposed={"退.{0,2}款": True})),
        ("^退", MadeText("退", (), supposed={"^退": True})),
        ("款$", MadeText("款", exact=True, supposed={"款$": True})),
    ],
)
def test_a_piece_is_added_in_which_a_pattern_is_found(pattern: str, written: MadeText) -> None:
    assert solve([("pattern", pattern)], ("pattern", pattern)) == written
    assert solve([("pattern", pattern)]) == MadeText(supposed={pattern: False})


def test_no_piece_is_added_that_brings_what_the_solution_leaves_out() -> None:
    both = [("pattern", "[退急]款?"), ("has", "退"), ("pattern", "退.{0,2}款")]
    found = solve(both, both[0])
    assert found == MadeText("", ("急",), supposed={"[退急]款?": True, "退.{0,2}款": False})
    assert solve(both, both[2], both[0]) == [[-4, 3]], "the pattern needs the word"
    at_start = [("pattern", "^退"), ("start", "退")]
    assert solve(at_start, at_start[0]) == MadeText(supposed={"^退": True}), "nothing was found for it"
