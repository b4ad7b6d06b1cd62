"""The search finds the word that the answer hangs on, stops once it changed, and keeps to its share."""

from __future__ import annotations

from collections.abc import Sequence

from penjing.data.augment.altered import free_words, rewritten
from penjing.data.masked import Masked
from penjing.data.noise.attack import attack
from penjing.text.words import word_spans

NEAR = {"great": ("fine", "poor"), "clean": ("tidy",), "quiet": ("calm",), "room": ("place",)}
WEIGHTS = {"great": 2.0, "fine": 1.5, "clean": 1.0, "tidy": 0.9, "quiet": 0.5, "calm": 0.4, "poor": -2.0}
TEXT = "the great room was clean and quiet ⟦email⟧"


def near(word: str) -> tuple[str, ...]:
    return NEAR.get(word, ())


def judge(texts: Sequence[Masked]) -> tuple[list[float], list[bool]]:
    supports = [sum(WEIGHTS.get(word, 0.0) for word in one.text.split()) for one in texts]
    return supports, [support > 1.0 for support in supports]


def test_the_most_important_word_is_tried_first_and_the_answer_changes() -> None:
    pieces = attack(free_words(TEXT, word_spans), 0.5, near, judge)
    assert rewritten(TEXT, pieces).text == "the poor room was clean and quiet ⟦email⟧"


def test_where_it_never_changes_the_text_with_the_least_support_is_given_within_the_share() -> None:
    def weak(word: str) -> tuple[str, ...]:
        return tuple(other for other in near(word) if other != "poor")

    found = rewritten(TEXT, attack(free_words(TEXT, word_spans), 0.3, weak, judge)).text
    assert found == "the fine room was tidy and quiet ⟦email⟧", "two of seven words: great, then clean"
    whole = rewritten(TEXT, attack(free_words(TEXT, word_spans), 1.0, weak, judge)).text
    assert whole == "the fine room was tidy and calm ⟦email⟧", "`place` takes no support away"
    assert attack(free_words(TEXT, word_spans), 0.3, lambda _: (), judge) == []
