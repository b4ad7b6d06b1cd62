"""Pairs that share a text are one cluster, and near duplicates are near in both texts."""

from __future__ import annotations

from penjing.core.nouns import Table
from penjing.core.pair import join_texts
from penjing.data.dedupe import find_duplicates
from penjing.data.pair_text import compared
from penjing.data.shared_texts import both_near, linked, shared_problems

LONG = (
    "昨天下午我在你们店里买的那件蓝色羽绒服拉链坏了请问可以退换吗谢谢"
    "另外上周寄出的包裹到现在还没有收到麻烦帮忙查一下物流信息"
)


def found(pairs: list[tuple[str, str]]) -> tuple[list[str], tuple[int, ...]]:
    texts = [compared(join_texts(*pair), symmetric=True) for pair in pairs]
    near = find_duplicates(texts, ["1"] * len(texts), [0] * len(texts), close=both_near)
    return texts, linked(near, texts).cluster


def test_pairs_in_a_chain_of_shared_texts_are_one_cluster() -> None:
    others = [(f"第{i}个问题", f"另外{i}句话") for i in range(40)]
    _, cluster = found([("甲句", "乙句"), ("丙句", "乙句"), ("丙句", "丁句"), *others])
    assert len(set(cluster[:3])) == 1 and len(set(cluster)) == 41


def test_a_text_of_very_many_pairs_keeps_no_part_from_being_cut() -> None:
    _, cluster = found([("甲句", f"第{i}个问题") for i in range(50)])
    assert len(set(cluster)) == 50


def test_near_duplicates_are_near_in_both_texts() -> None:
    texts = [compared(join_texts(LONG, second), symmetric=True) for second in ("是", "否", "是")]
    texts[2] = compared(join_texts("是", LONG + "了"), symmetric=True)
    assert not both_near(texts[0], texts[1]) and both_near(texts[0], texts[2])
    near = find_duplicates(texts, ["1"] * 3, [0] * 3, close=both_near).near
    assert near == ((2, 0),)
    assert len(find_duplicates(texts, ["1"] * 3, [0] * 3).near) == 2, "the long text alone would remove another case"


def test_pairs_that_share_a_text_with_train_are_counted() -> None:
    tables = {
        "train": Table([join_texts("a", "b")], ["1"], [1], None, {}),
        "calibration": Table([join_texts("c", "d")], ["1"], [2], None, {}),
        "test": Table([join_texts("B", "e"), join_texts("f", "g")], ["1", "1"], [3, 4], None, {}),
    }
    (problem,) = shared_problems(tables)
    assert problem.message.startswith("1 of 3 pairs")
    assert shared_problems(tables | {"test": tables["calibration"]}) == []
    single = Table(["a"], ["1"], [1], None, {})
    assert shared_problems(dict.fromkeys(tables, single)) == [], "one text a row"
