"""Duplicates: exact after folding, near by MinHash, conflicts, and who stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penjing.data.dedupe import SIMILARITY, find_duplicates, jaccard, shingles
from penjing.data.fold import fold

LONG = "这家酒店的位置很好，早餐也丰富，服务员态度热情，房间干净整洁，下次还会再来入住，推荐给大家。"
ENGLISH = "the quick brown fox jumps over the lazy dog while the farmer sleeps under the old tree near the river bank"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ｇｏｏｄ！", "good"), ("好，很好。", "好很 好"), ("It's OK", "its ok!!"), ("①", "1")],
)
def test_what_folds_together(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_punctuation_alone_is_kept_apart() -> None:
    assert fold("?!") != fold("...")
    assert shingles("?!") != shingles("...")


@given(some.text())
def test_folding_twice_changes_nothing_that_matters(text: str) -> None:
    assert fold(fold(text)) == fold(fold(fold(text)))


def test_exact_duplicates_leave_the_first() -> None:
    found = find_duplicates(["a b", "c", "A, B!", "a-b"], ["x", "y", "x", "x"], [0] * 4)
    assert found.exact == ((2, 0), (3, 0))
    assert found.conflicts == ()


def test_conflicts_are_removed_as_a_whole_and_listed() -> None:
    found = find_duplicates(["好", "好！", "坏", " 好"], ["1", "0", "0", "1"], [0] * 4)
    assert found.conflicts == ((0, 1, 3),)
    assert found.exact == ()


def test_a_given_test_part_is_not_touched_by_conflicts_with_train() -> None:
    texts, labels = ["好", "好", "好", "差", "差"], ["1", "1", "0", "0", "1"]
    found = find_duplicates(texts, labels, rank=[3, 0, 0, 0, 3], protected=0)
    assert set(found.conflicts) == {(1, 2, 0), (3, 4)}
    assert found.exact == ()


@pytest.mark.parametrize(
    ("one", "other"), [(LONG, LONG.replace("推荐给大家", "推荐大家")), (ENGLISH, ENGLISH + " far north")]
)
def test_near_duplicates_are_verified_by_true_similarity(one: str, other: str) -> None:
    assert SIMILARITY <= jaccard(shingles(one), shingles(other)) < 1
    found = find_duplicates([one, "别的", other], ["1", "1", "1"], [0, 0, 0])
    assert found.near == ((2, 0),)
    assert found.cluster == (0, 1, 0)


def test_near_duplicates_under_two_labels_stay_within_a_part_and_go_across() -> None:
    other = LONG.replace("推荐给大家", "推荐大家")
    inside = find_duplicates([LONG, other], ["1", "0"], [0, 0])
    assert (inside.near, inside.near_conflicts, inside.cluster) == ((), ((1, 0),), (0, 0))
    across = find_duplicates([LONG, other], ["1", "0"], [3, 0])
    assert across.near == ((0, 1),)


def test_across_parts_the_lower_rank_stays() -> None:
    assert find_duplicates(["a", "a", "a"], ["1"] * 3, rank=[3, 0, 2]).exact == ((2, 1), (0, 1))


def test_texts_that_only_resemble_each_other_stay() -> None:
    texts = [
        f"您好，您的订单号{i * 7919}已发货，请留意{['查收', '签收', '电话', '短信'][i % 4]}信息" for i in range(40)
    ]
    found = find_duplicates(texts, ["1"] * 40, [0] * 40)
    for gone, kept in found.near:
        assert jaccard(shingles(texts[gone]), shingles(texts[kept])) >= SIMILARITY


def test_thousands_of_like_texts_take_no_square() -> None:
    words = ["red", "green", "blue", "black", "white", "brown", "grey", "pink", "gold", "teal"]
    texts = [
        " ".join([words[int(digit)] for digit in f"{i:04d}"] + ENGLISH.split() * 2 + [f"number {i * 31}"])
        for i in range(4000)
    ]
    found = find_duplicates(texts, [str(i % 2) for i in range(4000)], [0] * 4000)
    assert found.near


def test_rows_that_differ_in_what_is_read_beside_the_text_are_cases_of_their_own() -> None:
    texts = ["房间很干净，服务员态度也很好，下次还来"] * 4 + ["房间很干净，服务员态度也很好，下次还来呀"]
    found = find_duplicates(texts, ["a", "b", "a", "b", "a"], [0] * 5, beside=["1", "2", "1", "1", "2"])
    assert found.conflicts == ((0, 2, 3),)
    assert (found.exact, found.near, found.near_conflicts) == ((), (), ((4, 1),))
    alone = find_duplicates(texts[:1] + texts[4:], ["a", "a"], [0, 0], beside=["1", "2"])
    assert alone.near == ()
    assert len(set(alone.cluster)) == 1  # they still stay on one side of a split
