"""Splits: shares, strata, groups, and that more rows leave the others where they were."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as some

from penjing.core.recipe import PARTS, Data
from penjing.data.split import HELD_OUT, SHARED, SHARES, cut_of, labelled_rows, quotas, split

MISSING = ["validation", "calibration", "test"]


def test_shares_of_a_whole_file() -> None:
    keys = [f"k{i}" for i in range(1000)]
    parts = Counter(split(keys, ["a"] * 700 + ["b"] * 300, MISSING))
    assert parts == {"train": 600, "validation": 120, "calibration": 140, "test": 140}


def test_one_held_out_part_leaves_seven_of_ten_rows_to_training() -> None:
    keys = [f"k{i}" for i in range(1000)]
    labels = ["a"] * 700 + ["b"] * 300
    parts = split(keys, labels, ["validation", "test"], shares=SHARED)
    assert Counter(parts) == {"train": 710, "validation": 120, "test": 170}
    # More rows for it leave the ones apart in test where they are.
    apart = split(keys, labels, MISSING)
    assert all(one == "test" for one, other in zip(parts, apart, strict=True) if other == "test")


def test_rows_that_serve_two_ends_are_counted_once() -> None:
    splits = {"train": 710, "validation": 120, "calibration": 170, "test": 170}
    cut = cut_of(Data(files="a.csv", held_out="shared"))
    assert cut == ("train", "validation", HELD_OUT)
    assert labelled_rows(340, "calibration", splits, cut) == labelled_rows(340, "test", splits, cut) == 2000
    assert cut_of(Data(files="a.csv")) == PARTS
    own = Data.model_validate({"files": {"train": "a.csv", "validation": "b.csv"}, "held_out": "shared"})
    assert labelled_rows(340, "test", splits, cut_of(own)) == 1760


def test_only_missing_parts_are_cut() -> None:
    parts = Counter(split([f"k{i}" for i in range(740)], ["a"] * 740, ["calibration"]))
    assert parts == {"train": 600, "calibration": 140}
    assert set(split(["a", "b"], ["1", "2"], [])) == {"train"}


@given(some.lists(some.integers(1, 60), min_size=1, max_size=6))
def test_labels_with_five_rows_are_in_every_part(sizes: list[int]) -> None:
    labels = [f"label{place}" for place, size in enumerate(sizes) for _ in range(size)]
    keys = [f"k{i}" for i in range(len(labels))]
    parts = split(keys, labels, MISSING)
    for place, size in enumerate(sizes):
        held = {part for part, label in zip(parts, labels, strict=True) if label == f"label{place}"}
        assert "train" in held
        if size >= 5:
            assert held == set(PARTS)


@given(some.integers(0, 5000))
def test_quotas_add_up(rows: int) -> None:
    found = quotas(rows, PARTS)
    assert sum(found.values()) == rows
    assert all(count >= 0 for count in found.values())
    if rows > 200:
        assert all(abs(found[name] / rows - SHARES[name]) < 0.02 for name in PARTS)


@given(some.lists(some.integers(0, 12), min_size=20, max_size=80), some.integers(0, 3))
def test_groups_stay_together(groups: list[int], seed: int) -> None:
    labels = [str(place % 3) for place in range(len(groups))]
    parts = split([f"g{group}" for group in groups], labels, MISSING, seed)
    sides: dict[int, set[str]] = {}
    for group, part in zip(groups, parts, strict=True):
        sides.setdefault(group, set()).add(part)
    assert all(len(side) == 1 for side in sides.values())


def test_adding_rows_moves_only_rows_next_to_a_cut() -> None:
    keys = [f"k{i}" for i in range(2000)]
    labels = [str(i % 4) for i in range(2000)]
    before = dict(zip(keys, split(keys, labels, MISSING), strict=True))
    more_keys, more_labels = [f"n{i}" for i in range(100)] + keys, ["1"] * 100 + labels
    after = dict(zip(more_keys, split(more_keys, more_labels, MISSING), strict=True))
    moved = [key for key in keys if before[key] != after[key]]
    assert len(moved) < 40
    assert all(labels[keys.index(key)] == "1" for key in moved)


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does() -> None:
    keys = [f"k{i}" for i in range(300)]
    first = dict(zip(keys, split(keys, ["a"] * 300, MISSING), strict=True))
    turned = dict(zip(keys[::-1], split(keys[::-1], ["a"] * 300, MISSING), strict=True))
    assert first == turned
    assert first != dict(zip(keys, split(keys, ["a"] * 300, MISSING, seed=1), strict=True))
