"""Faithfulness: on a model whose evidence is known, the words that decide beat words at random."""

from __future__ import annotations

import numpy as np

from penjing.explain.faithfulness import _take, faithfulness, mask_of, replace
from penjing.runtime.session import Session


def texts(count: int) -> list[str]:
    random = np.random.default_rng(0)
    fill, bad = ["昨天到了", "快递", "the room"], ["退货", "失望", "broken"]
    return [f"{fill[i]}，{bad[j]}，{fill[k]}，早餐" for i, j, k in random.integers(0, 3, (count, 3))]


def test_evidence_and_weights_beat_words_at_random(session: Session) -> None:
    found = faithfulness(session, session, texts(30), seed=0)
    assert found["rows"] == 30
    fall, kept = found["comprehensiveness"], found["sufficiency"]
    assert fall["evidence"] > fall["random"] + 0.1
    assert fall["tfidf"] > fall["random"] + 0.1
    assert kept["evidence"] < kept["random"] - 0.1
    assert faithfulness(session, session, texts(30), seed=0) == found


def test_nothing_to_explain_is_said_so(session: Session) -> None:
    empty = faithfulness(session, session, ["", "！", "好"], seed=0)
    assert empty["rows"] == 0
    assert empty["sufficiency"] == {"evidence": 0.0, "random": 0.0, "tfidf": 0.0}


def test_words_are_taken_up_to_the_same_length() -> None:
    order = [(0, 2), (2, 6), (6, 7), (7, 8)]
    assert _take(order, 4) == {(0, 2), (6, 7), (7, 8)}
    assert _take(order[1:2], 1) == {(2, 6)}
    assert _take([], 4) == frozenset()


def test_spans_are_replaced_and_a_model_without_a_mask_gets_a_space(session: Session) -> None:
    assert replace("房间很干净", frozenset({(2, 3), (0, 2)}), "_") == "__干净"
    assert mask_of(session) == " "
