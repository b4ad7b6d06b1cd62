"""One slip of a keyboard a word: its first letter stays, and a key stands beside the one that was meant."""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import free_words, rewritten
from penjing.data.noise.typos import NEIGHBOURS, typos
from penjing.text.words import word_spans


def test_neighbours_are_beside_each_other_on_the_keyboard() -> None:
    assert set(NEIGHBOURS) == set("abcdefghijklmnopqrstuvwxyz")
    assert (
        set(NEIGHBOURS["g"]) == set("fhtyvb") and set(NEIGHBOURS["q"]) == set("wa") and set(NEIGHBOURS["m"]) == {*"njk"}
    )
    assert all(one in NEIGHBOURS[other] for one, others in NEIGHBOURS.items() for other in others)


def test_a_word_has_one_typo_and_keeps_its_first_letter() -> None:
    word = "Quarterly"
    kinds = set()
    for seed in range(60):
        found = rewritten(word, typos(free_words(word, word_spans), 0.01, Random(seed))).text
        assert found != word and found[0] == "Q"
        if len(found) == len(word):
            differing = [place for place in range(len(word)) if found[place] != word[place]]
            kinds.add(("key", "exchange")[len(differing) - 1])
            if len(differing) == 1:
                assert found[differing[0]] in NEIGHBOURS[word[differing[0]]]
        else:
            kinds.add("double" if len(found) > len(word) else "leave out")
    assert kinds == {"key", "exchange", "double", "leave out"}
    assert typos(free_words("the cat 12345 naïve", word_spans), 1.0, Random(0)) == []
