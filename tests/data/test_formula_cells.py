"""Cells that a spreadsheet would read as a formula."""

from __future__ import annotations

import pytest

from penjing.data.formula_cells import defuse, fused


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\ta", "＝1", "'quoted", "plain", ""])
def test_a_cell_of_csv_is_no_formula_and_comes_back(cell: str) -> None:
    assert not defuse(cell).startswith(("=", "+", "-", "@", "\t", "＝"))
    assert fused(defuse(cell)) == cell
