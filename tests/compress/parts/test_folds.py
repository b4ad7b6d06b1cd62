"""A row's fold depends on its group or its text alone; rows of a group, and equal texts, are together."""

from __future__ import annotations

from penjing.compress.parts.folds import fold_numbers, fold_teacher, without_fold
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
