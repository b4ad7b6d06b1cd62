"""There and back: placeholders must survive, parts stay apart, and gold with places has no copy."""

from __future__ import annotations

from collections.abc import Sequence

from penjing.core.pair import join_texts
from penjing.data.augment.altered import free_words, moved_gold
from penjing.data.augment.translate import ThereAndBack, back_translated
from penjing.tasks.tag import TagReader
from penjing.text.words import word_spans


def backwards(text: str) -> str:
    return " ".join(reversed(text.split()))


def test_each_text_of_a_case_goes_there_and_back_by_itself() -> None:
    known = ThereAndBack([], lambda texts: [backwards(text) for text in texts], 16)
    found = back_translated(free_words(join_texts("a b ⟦email⟧", "c d"), word_spans), known)
    assert found is not None and found.text == join_texts("⟦email⟧ b a", "d c") and found.counts["email"] == 1


def test_no_copy_without_its_placeholders_or_of_a_text_with_places() -> None:
    free = free_words("call ⟦mobile⟧ now", word_spans)
    assert back_translated(free, lambda text: text.replace("⟦mobile⟧", "us")) is None
    assert back_translated(free, str) is None
    assert back_translated(free, lambda _: " ") is None
    assert back_translated(free_words("call Lin now", word_spans, [(5, 8)]), backwards) is None
    gold = '[{"start":5,"end":8,"label":"PER"}]'
    found = back_translated(free_words("call Lin now", word_spans), backwards)
    assert found is not None and moved_gold(TagReader(), gold, "call Lin now", found) != gold


def test_texts_are_translated_once_in_batches_in_their_order() -> None:
    asked: list[list[str]] = []

    def translate(texts: Sequence[str]) -> list[str]:
        asked.append(list(texts))
        return [text.upper() for text in texts]

    known = ThereAndBack([*"abcde", join_texts("a", "f")], translate, 3)
    assert [known(text) for text in ("b", "a", "c", "x", join_texts("f", "e"))] == [
        "B",
        "A",
        "C",
        "X",
        join_texts("F", "E"),
    ]
    assert asked == [["b", "c", "d"], ["a", "e", "f"], ["x"]]
