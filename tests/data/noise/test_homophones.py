"""A character sounds like the one that it replaces, as that one is read in its word."""

from __future__ import annotations

from random import Random

from pypinyin import Style, lazy_pinyin

from penjing.data.augment.altered import free_words
from penjing.data.noise.homophones import common_characters, homophones
from penjing.text.words import word_spans


def sound(text: str) -> list[str]:
    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)


def test_replacements_sound_alike_and_are_common() -> None:
    text = "服务态度很好房间也干净"
    common = set(common_characters())
    assert len(common) == 3755
    exact = 0
    for seed in range(10):
        for start, _, new in homophones(free_words(text, word_spans), 1.0, Random(seed)):
            assert new != text[start] and new in common
            assert sound(new)[0][:-1] == sound(text)[start][:-1]
            exact += sound(new)[0] == sound(text)[start]
    assert exact >= 90, "the tone differs only where no character has the same"


def test_a_character_with_two_readings_is_read_in_its_word() -> None:
    seen = {"长大": set[str](), "长度": set[str]()}
    for word, found in seen.items():
        for seed in range(30):
            found |= {new for start, _, new in homophones(free_words(word, word_spans), 1.0, Random(seed)) if not start}
    assert {sound(one)[0] for one in seen["长大"]} == {"zhang3"}
    assert {sound(one)[0] for one in seen["长度"]} == {"chang2"}
