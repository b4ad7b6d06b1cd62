"""Free words touch no placeholder and nothing kept; gold moves with its text, for every task that has places."""

from __future__ import annotations

import json
from random import Random

import pytest

from penjing.core.pair import join_texts
from penjing.data.augment.altered import free_words, gold_places, moved_gold, named_places, rewritten
from penjing.data.augment.deletion import deletion
from penjing.data.augment.swap import swap
from penjing.tasks.answer import AnswerReader
from penjing.tasks.classify import ClassifyReader
from penjing.tasks.relate import RelateReader
from penjing.tasks.tag import TagReader
from penjing.text.words import word_spans

TEXT = "Mr Lin of Acme called ⟦mobile⟧ about a very late order"
GOLD = '[{"start":3,"end":6,"label":"PER"},{"start":10,"end":14,"label":"ORG"}]'


def test_placeholders_and_kept_places_are_not_free() -> None:
    free = free_words(TEXT, word_spans, [(3, 6), (10, 14)])
    words = [free.word(place) for place in range(len(free.words))]
    assert words == ["Mr", "of", "called", "about", "a", "very", "late", "order"]


def test_rewriting_leads_from_the_text_to_the_result() -> None:
    found = rewritten(TEXT, [(15, 21, "phoned up"), (0, 2, ""), (6, 6, "!")])
    assert found.text == " Lin! of Acme phoned up ⟦mobile⟧ about a very late order"
    assert found.counts["mobile"] == 1
    start, end = found.offsets.to_masked(10, 14)
    assert found.text[start:end] == "Acme"
    assert rewritten(TEXT, []).text == TEXT


@pytest.mark.parametrize("kind", [swap, deletion])
@pytest.mark.parametrize("seed", range(20))
def test_entities_keep_their_words_wherever_they_go(kind, seed: int) -> None:  # type: ignore[no-untyped-def]
    reader = TagReader()
    free = free_words(TEXT, word_spans, gold_places(reader, TEXT, GOLD))
    found = kind(free, 0.5, Random(seed))
    moved = json.loads(moved_gold(reader, GOLD, TEXT, found) or "")
    assert [found.text[one["start"] : one["end"]] for one in moved] == ["Lin", "Acme"]
    assert [one["label"] for one in moved] == ["PER", "ORG"]
    assert "⟦mobile⟧" in found.text and "  " not in found.text.strip()


def test_a_gold_without_places_stays_and_one_that_lost_its_place_is_none() -> None:
    reader = ClassifyReader()
    assert gold_places(reader, TEXT, "late") == []
    assert moved_gold(reader, "late", TEXT, rewritten(TEXT, [(0, 3, "")])) == "late"
    gone = rewritten(TEXT, [(2, 6, "")])
    assert moved_gold(TagReader(), GOLD, TEXT, gone) is None


def test_an_answer_moves_and_its_words_elsewhere_are_answers_too() -> None:
    text = join_texts("The shop opens at nine on weekdays", "When does it open ?")
    gold = AnswerReader().read('[{"start":18,"end":22}]', rewritten(text, []))
    free = free_words(text, word_spans, gold_places(AnswerReader(), text, gold))
    assert "nine" not in [free.word(place) for place in range(len(free.words))]
    for seed in range(20):
        found = deletion(free, 0.4, Random(seed))
        assert found is not None
        (moved,) = json.loads(moved_gold(AnswerReader(), gold, text, found) or "")
        assert found.text[moved["start"] : moved["end"]] == "nine"


def test_head_and_tail_stay_in_their_sentence() -> None:
    reader, text = RelateReader(), join_texts("Acme bought all of Bolt in the spring", "Acme", "Bolt")
    free = free_words(text, word_spans, named_places(reader, text))
    words = [free.word(place) for place in range(len(free.words))]
    assert words == ["bought", "all", "of", "in", "the", "spring"]
    for seed in range(20):
        found = swap(free, 0.9, Random(seed))
        assert found is not None and moved_gold(reader, "owns", text, found) == "owns"
        sentence, head, tail = found.text.split("\x1f")
        assert (head, tail) == ("Acme", "Bolt") and head in sentence and tail in sentence
    # Where a text is no case any more, it has no gold.
    assert moved_gold(reader, "owns", text, rewritten(text, [(0, 4, "Apex")])) is None
    assert named_places(ClassifyReader(), "one text") == []
