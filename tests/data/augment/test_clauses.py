"""More texts for a student: new, distinct, deterministic, made of what there was."""

from __future__ import annotations

from penjing.data.augment.clauses import augment

TEXTS = [
    "房间很干净，前台也热情，下次还来。",
    "The room was clean, staff kind, I will come back.",
    "差",
    "⟦mobile⟧ 打不通，客服不理人",
]


def test_new_texts_are_distinct_and_the_same_every_time() -> None:
    made = augment(TEXTS, 8, seed=0)
    assert made == augment(TEXTS, 8, seed=0) != augment(TEXTS, 8, seed=1)
    assert len(set(made)) == len(made) > 10
    assert not set(made) & set(TEXTS)
    assert augment(TEXTS, 0, seed=0) == [] == augment([], 3, seed=0)


def test_they_are_made_of_pieces_of_the_texts() -> None:
    known = set("".join(TEXTS))
    for text in augment(TEXTS, 20, seed=3):
        assert set(text) <= known
        # A placeholder is whole or absent.
        assert text.count("⟦mobile⟧") == text.count("⟦") == text.count("⟧")
