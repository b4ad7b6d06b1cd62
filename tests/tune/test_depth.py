"""How many layers `layers: auto` trains."""

from __future__ import annotations

import pytest

from penjing.tune.depth import FEW_ROWS, auto_layers


@pytest.mark.parametrize(("total", "rows", "top"), [(12, FEW_ROWS, 9), (12, FEW_ROWS + 1, 12), (4, 1, 3), (1, 1, 1)])
def test_three_quarters_where_rows_are_few(total: int, rows: int, top: int) -> None:
    assert auto_layers(total, rows) == top
