"""A row's fold depends on its group or its text alone; rows of a group, and equal texts, are together."""

from __future__ import annotations

import numpy as np

from penjing.compress.parts.folds import answer_out_of_fold, deal, fold_numbers, fold_teacher, without_fold
from penjing.core.errors import DataError
from penjing.core.nouns import Table


def test_folds_are_of_about_one_size_and_keep_groups_together() -> None:
    texts = [f"text {number}" for number in range(300)]
    plain = Table(texts, ["a"] * 300)
    numbers = fold_numbers(plain, 3)
    assert set(numbers.tolist()) == {0, 1, 2}
    assert all(70 < (numbers == fold).sum() < 130 for fold in range(3))
    assert (fold_numbers(plain.take(range(100, 200)), 3) == numbers[100:200]).all(), "other rows do not matter"
    assert fold_numbers(Table(["same", "same"]), 3).tolist()[0] == fold_numbers(Table(["same"]), 3).tolist()[0]
    grouped = Table(texts, groups=[f"customer {number % 7}" if number % 2 else "" for number in range(300)])
    of_group: dict[str, set[int]] = {}
    for group, number in zip(grouped.groups or (), fold_numbers(grouped, 3).tolist(), strict=True):
        of_group.setdefault(group, set()).add(number)
    assert len(of_group.pop("")) == 3 and all(len(each) == 1 for each in of_group.values())


def test_the_rest_is_every_row_of_the_other_folds() -> None:
    table = Table([f"text {number}" for number in range(30)], ["a"] * 30, rows=range(1, 31))
    parts = [without_fold(table, 3, fold) for fold in range(3)]
    assert sum(map(len, parts)) == 2 * len(table)
    assert all(list(part.rows) == sorted(part.rows) for part in parts)
    assert not set(parts[0].rows) & set(parts[1].rows) & set(parts[2].rows)
    assert fold_teacher(0) == "fold-1"


def test_dealt_folds_have_equal_shares_of_labels_and_parts() -> None:
    labels = ["a"] * 40 + ["b"] * 10 + ["c"] * 3
    parts = ["validation" if place % 5 == 0 else "train" for place in range(53)]
    units = [f"text {place}" for place in range(53)]
    strata = list(zip(labels, parts, strict=True))
    numbers = deal(units, strata, 5)
    for label, most in (("a", 8), ("b", 2), ("c", 1)):
        of = [sum(labels[place] == label for place in np.flatnonzero(numbers == fold)) for fold in range(5)]
        assert max(of) == most and max(of) - min(of) <= 1
    assert max(np.bincount(numbers)) - min(np.bincount(numbers)) <= 1
    order = list(reversed(range(53)))
    again = deal([units[place] for place in order], [strata[place] for place in order], 5)
    assert again[::-1].tolist() == numbers.tolist(), "the order of the rows does not matter"
    assert deal(units, strata, 5, seed=1).tolist() != numbers.tolist()


def test_dealt_units_stay_together() -> None:
    units = [f"customer {place % 6}" for place in range(60)]
    numbers = deal(units, [("a", "train")] * 60, 3)
    assert all(len({numbers[place] for place in range(60) if units[place] == unit}) == 1 for unit in set(units))
    assert np.bincount(numbers).tolist() == [20, 20, 20]


def test_each_row_is_answered_once_by_what_did_not_see_it() -> None:
    seen: list[int] = []
    numbers = np.array([0, 1, 2, 0, -1, 3])

    def answer(rest: list[int], held: list[int]) -> list[str]:
        assert not {*rest} & {*held} and 4 in rest
        if held == [2]:
            raise DataError("one label only")
        return [f"without {held}"] * len(held)

    positions, answers = answer_out_of_fold(numbers, 4, answer, seen.append)
    assert positions == [0, 3, 1, 5] and answers == ["without [0, 3]", "without [0, 3]", "without [1]", "without [5]"]
    assert seen == [1, 2, 3, 4]
