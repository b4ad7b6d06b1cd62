"""Every kind of noise: the share that it alters, placeholders and kept places untouched, the same again by seed."""

from __future__ import annotations

from random import Random

import pytest

from penjing.data.augment.altered import Free, free_words, rewritten
from penjing.data.noise import NOISES
from penjing.text.words import word_spans

ZH = "酒店位置很好，服务态度也不错，就是房间太小，请打⟦mobile⟧联系我们，头发长度不够"
EN = "The quarterly profit rose to 3.4 million euros in spring; write to ⟦email⟧ for further DETAILS"
OF = {"typos": EN, "case": EN, "homophones": ZH, "lookalikes": ZH, "traditional": ZH, "spaces": ZH, "invisible": EN}


def free(text: str) -> Free:
    return free_words(text, word_spans)


@pytest.mark.parametrize("name", NOISES)
def test_more_share_alters_more_and_the_same_seed_gives_the_same(name: str) -> None:
    text, kind = OF[name], NOISES[name]
    sizes = [len(kind(free(text), share, Random(3))) for share in (0.0, 0.01, 0.5, 1.0)]
    assert sizes[:2] == [0, 1] and sizes[1] < sizes[2] < sizes[3] and abs(2 * sizes[2] - sizes[3]) <= 1
    assert kind(free(text), 0.5, Random(3)) == kind(free(text), 0.5, Random(3))
    assert len({str(kind(free(text), 0.3, Random(seed))) for seed in range(10)}) > 3


@pytest.mark.parametrize("name", NOISES)
def test_placeholders_and_kept_places_are_never_altered(name: str) -> None:
    text = OF[name]
    kept = (text.index("位置"), text.index("位置") + 2) if text == ZH else (4, 13)
    for seed in range(10):
        found = rewritten(text, NOISES[name](free_words(text, word_spans, [kept]), 1.0, Random(seed)))
        assert found.text != text and text[slice(*kept)] in found.text
        assert [found.text.count(one) for one in ("⟦mobile⟧", "⟦email⟧")] == [text == ZH, text == EN]


@pytest.mark.parametrize("name", NOISES)
def test_every_piece_is_another_one_than_what_was_there(name: str) -> None:
    for seed in range(20):
        for start, end, new in NOISES[name](free(OF[name]), 1.0, Random(seed)):
            assert OF[name][start:end] != new


@pytest.mark.parametrize("name", ["homophones", "traditional"])
def test_chinese_kinds_leave_other_texts_alone(name: str) -> None:
    assert NOISES[name](free(EN), 1.0, Random(0)) == []
    assert NOISES["typos"](free(ZH), 1.0, Random(0)) == [] == NOISES["case"](free(ZH), 1.0, Random(0))
