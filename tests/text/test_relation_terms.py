"""Terms of a sentence with a head and a tail: where each word stands, and which way."""

from __future__ import annotations

from penjing.core.pair import join_texts
from penjing.text.relation_terms import relation_terms
from penjing.text.tfidf import Terms


def terms(sentence: str, head: str, tail: str) -> set[str]:
    return set(relation_terms(str.split, sentence, head, tail))


def test_words_are_told_by_their_place_and_the_direction() -> None:
    assert terms("today Acme buys Bolt shares", "Acme", "Bolt") == {"hAcme", "oBolt", ">buys", "^today", "^shares"}
    assert terms("today Acme buys Bolt shares", "Bolt", "Acme") == {"hBolt", "oAcme", "<buys", "^today", "^shares"}


def test_an_entity_that_is_not_there_is_told() -> None:
    assert terms("Acme buys", "Acme", "Bolt") == {"hAcme", "oBolt", "!o", "^Acme", "^buys"}


def test_three_texts_have_these_terms() -> None:
    of = Terms(words=1, characters=0).of
    assert set(of(join_texts("Acme buys Bolt", "Acme", "Bolt"))) == {"hwacme", "owbolt", ">wbuys"}
