"""One pass finds the same words, beginnings and expressions as a search for each of them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from penjing.decide.scan import MAX_FOUND, Scanner, TextFindings

WORDS = st.text("退款ab ", min_size=1, max_size=4)
SETS = st.sets(WORDS, max_size=6)


@given(SETS, SETS, st.dictionaries(st.sampled_from(["一", "二"]), SETS), st.text("退款ab c", max_size=20))
def test_what_is_found_is_what_is_there(
    contains: set[str], starts: set[str], lists: dict[str, set[str]], text: str
) -> None:
    found = Scanner(contains, starts, lists=lists).found(text)
    assert found.contains == {word for word in contains if word in text}
    assert found.starts == {word for word in starts if text.startswith(word)}
    held = {name: {word for word in words if word in text} for name, words in lists.items()}
    assert found.lists == {name: words for name, words in held.items() if words}


def test_words_that_overlap_and_lie_within_others_are_all_found() -> None:
    found = Scanner(["她说", "说她", "她", "说她说"]).found("她说她说")
    assert found.contains == {"她说", "说她", "她", "说她说"}


def test_a_whole_value_is_a_word_of_its_lists_only() -> None:
    scanner = Scanner(["北京市"], lists={"城市": ["北京", "上海"], "首都": ["北京"]})
    assert scanner.lists_of("北京") == ("城市", "首都")
    assert scanner.lists_of("北京市") == ()
    assert scanner.lists_of("京") == ()


def test_characters_beyond_the_basic_plane_count_as_one() -> None:
    assert Scanner(["😀退"], ["😀退"]).found("😀退款") == TextFindings(frozenset(["😀退"]), frozenset(["😀退"]))
    assert Scanner(starts=["退"]).found("😀退款").starts == frozenset()


def test_nothing_is_asked_and_nothing_found() -> None:
    assert Scanner().found("退款") == TextFindings()
    assert Scanner().lists_of("退款") == ()


def test_expressions_are_found_beside_words() -> None:
    found = Scanner(["退款"], matches=[r"退款.{0,3}不", r"^退"]).found("要退款都不行")
    assert found == TextFindings(contains=frozenset(["退款"]), matches=(r"退款.{0,3}不",))


@given(
    st.lists(st.sampled_from([r"退款?", r"^a", r"b$", r"a.*b", r"[ab]{2}", r"\d", r"(退|款)a"]), unique=True),
    st.text("退款ab1", max_size=12),
)
def test_expressions_mean_what_they_mean_elsewhere(patterns: list[str], text: str) -> None:
    assert Scanner(matches=patterns).found(text).matches == tuple(each for each in patterns if re.search(each, text))


def test_a_list_of_words_within_words_costs_each_place_of_a_text_at_most_the_words_that_are_recorded() -> None:
    nested = ["a" * length for length in range(1, 201)]
    scanner, text = Scanner(lists={"一": nested}), "a" * 3_000 + "b" + "a" * 150
    assert scanner._automaton is not None
    assert len(list(scanner._automaton.places(text))) <= MAX_FOUND * len(text)
    assert sorted(scanner.found(text).lists["一"]) == nested[:MAX_FOUND]


@given(st.sets(st.text("ab", min_size=1, max_size=40), max_size=60), st.text("abc", max_size=60))
def test_the_first_words_of_a_list_are_those_of_a_search_for_each(words: set[str], text: str) -> None:
    nested = words | {"a" * length for length in range(1, 50)}
    found = Scanner(lists={"一": nested, "二": ["a"]}).found(text + "a" * 45)
    assert (
        sorted(found.lists["一"])[:MAX_FOUND] == sorted(each for each in nested if each in text + "a" * 45)[:MAX_FOUND]
    )
    assert found.lists["二"] == {"a"}


def test_a_whole_value_is_found_in_its_lists_where_it_is_not_searched_in_texts() -> None:
    nested = ["a" * length for length in range(1, 60)]
    scanner = Scanner(["a" * 50], lists={"一": nested, "二": ["a" * 40]})
    assert [scanner.lists_of("a" * length) for length in (30, 40, 50, 60)] == [("一",), ("一", "二"), ("一",), ()]
    assert scanner.found("a" * 50).contains == {"a" * 50}


@given(
    st.sets(st.text("ab\0\1\2", min_size=1, max_size=3), min_size=1, max_size=5), st.text("ab\0\1\2\3退", max_size=20)
)
def test_a_character_that_is_in_no_word_is_no_part_of_one(words: set[str], text: str) -> None:
    assert Scanner(words).found(text).contains == {word for word in words if word in text}
