"""Columns of sets of labels are told from columns of single labels and of texts."""

from __future__ import annotations

import json

import pytest

from penjing.data.sets import find_separator

SETS = (("fee", "card"), ("fee",), ("card", "loan"), ("loan", "fee"), ("card",), ("fee", "card", "loan"))


@pytest.mark.parametrize("separator", [";", "；", "|", "、", ",", "，"])
def test_a_separator_is_found_where_its_parts_recur(separator: str) -> None:
    assert find_separator([separator.join(one) for one in SETS * 5]) == separator


def test_lists_are_sets() -> None:
    assert find_separator([json.dumps(one) for one in SETS * 5]) == ";"


@pytest.mark.parametrize(
    "cells",
    [
        ["fee", "card", "loan"] * 10,
        ["Fees, and charges", "Cards", "Loans, and credit"] * 10,
        [f"Hello, I lost card {n}, please help" for n in range(40)],
        ["", " "],
        [],
        ["[broken", "card"] * 9,
    ],
)
def test_other_columns_are_no_sets(cells: list[str]) -> None:
    assert find_separator(cells) is None
