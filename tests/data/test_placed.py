"""The part of each row: where bounds are computed, one row of each group stays."""

from __future__ import annotations

from penjing.core.nouns import Table
from penjing.data.placed import one_a_group


def test_the_row_of_a_group_does_not_depend_on_the_order_of_rows() -> None:
    table = Table(["a", "b", "c", "d"], groups=["x", "x", "", "x"])
    kept, out = one_a_group(table, {"train": [], "calibration": [0, 1, 2, 3], "test": []})
    assert len(kept["calibration"]) == 2 and 2 in kept["calibration"]
    assert sorted([*kept["calibration"], *out]) == [0, 1, 2, 3]
    other = table.take([3, 2, 1, 0])
    again, _ = one_a_group(other, {"calibration": [0, 1, 2, 3], "test": []})
    assert {table.texts[i] for i in kept["calibration"]} == {other.texts[i] for i in again["calibration"]}
