"""Exact and near duplicates: the first is kept, what is different stays, bands meet as often as the formula says."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from penjing.core.nouns import Silent
from penjing.data.corpus.blocks import BANDS
from penjing.data.corpus.characters import characters, digest8, shingles, tokens
from penjing.data.corpus.duplicates import (
    EXACT,
    KEPT,
    NEAR,
    SIMILARITY,
    Hashed,
    band_keys,
    find_exact,
    find_near,
    jaccard,
    least_hashes,
)
from penjing.data.corpus.sketches import Sketches, sketch_of


def verdict(texts: list[str], folder: Path) -> tuple[list[int], list[int], list[int]]:
    """The state of each text, the one that it repeats, and the texts that were read again to compare them."""
    found = [tokens(characters(text)) for text in texts]
    verdicts = find_exact(np.array([digest8(each.hashes) for each in found], dtype=np.uint64))
    keys = band_keys([least_hashes(shingles(each)) for each in found]).astype("<u8")
    for band in range(BANDS):
        (folder / f"{band:02d}").write_bytes(np.ascontiguousarray(keys[:, band]).tobytes())
    made = [sketch_of(shingles(each)) for each in found]
    (folder / "sketches").write_bytes(b"".join(each.astype("<u4").tobytes() for each in made))
    read: list[int] = []

    def text_of(number: int) -> str:
        read.append(number)
        return texts[number]

    with Sketches(folder / "sketches", np.array([len(each) for each in made], dtype=np.uint8)) as sketches:
        find_near(Hashed(folder, sketches), verdicts, text_of, Silent())
    return verdicts.state.tolist(), verdicts.same_as.tolist(), read


def words(drawn: random.Random, count: int) -> list[str]:
    return [f"w{drawn.randrange(5000)}" for _ in range(count)]


def test_the_first_of_equal_and_nearly_equal_texts_is_kept(tmp_path: Path) -> None:
    drawn = random.Random(1)
    base = words(drawn, 300)
    near = [*base[:150], "changed", *base[151:]]
    far = [*base[:150], *words(drawn, 150)]
    texts = [" ".join(each) for each in (base, words(drawn, 300), near, base, far)]
    state, same_as, read = verdict(texts, tmp_path)
    assert (state, same_as) == ([KEPT, KEPT, NEAR, EXACT, KEPT], [0, 1, 0, 0, 4])
    assert sorted(read) == [0, 2], "a sketch alone does not decide on long texts"


def test_many_copies_with_small_changes(tmp_path: Path) -> None:
    drawn = random.Random(2)
    base = words(drawn, 200)
    texts = [" ".join([*base[: n % 190], f"x{n}", *base[n % 190 + 1 :]]) for n in range(300)]
    state, same_as, _ = verdict(texts, tmp_path)
    assert state[0] == KEPT and state.count(NEAR) >= 298 and max(same_as[1:10]) <= 1


def test_short_messages_of_one_template_are_compared_without_their_texts(tmp_path: Path) -> None:
    """Each differs from the base in one, two or five of 60 words; some are alike, and some are not."""
    drawn = random.Random(5)
    base = words(drawn, 60)
    texts = []
    for _ in range(400):
        changed = list(base)
        for place in drawn.sample(range(60), drawn.choice((1, 2, 5))):
            changed[place] = f"n{drawn.getrandbits(40)}"
        texts.append(" ".join(changed))
    state, same_as, read = verdict(texts, tmp_path)
    assert not read and 0 < state.count(NEAR) < 399
    sets = [shingles(tokens(characters(text))) for text in texts]
    for number, repeats in enumerate(same_as):
        if state[number] == NEAR:
            assert repeats < number
            assert jaccard(sets[number], sets[repeats]) >= SIMILARITY


def test_bands_meet_as_often_as_the_formula_says() -> None:
    """P(a band is shared) = 1 - (1 - s^6)^20: 0.9999 at 0.85, 0.27 at 0.5."""
    drawn = random.Random(3)
    for similarity, low, high in ((0.85, 0.98, 1.0), (0.5, 0.17, 0.40), (0.2, 0.0, 0.02)):
        met = 0
        for _ in range(200):
            shared = int(200 * similarity)
            rest = (200 - shared) // 2
            sets = np.array([drawn.getrandbits(64) for _ in range(shared + 2 * rest)], dtype=np.uint64)
            one, other = np.sort(sets[: shared + rest]), np.sort(np.concatenate([sets[:shared], sets[shared + rest :]]))
            assert abs(jaccard(one, other) - similarity) < 0.02
            keys = band_keys([least_hashes(one), least_hashes(other)])
            met += bool((keys[0] == keys[1]).any())
        assert low <= met / 200 <= high, (similarity, met / 200)


def test_nothing() -> None:
    assert find_exact(np.zeros(0, dtype=np.uint64)).state.tolist() == []
