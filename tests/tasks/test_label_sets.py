"""Sets of labels in a cell: each form is read as one, and what is no set is refused with words that say why."""

from __future__ import annotations

import pytest

from penjing.core.errors import DataError
from penjing.tasks.label_sets import split_cell


@pytest.mark.parametrize(
    ("cell", "separator", "labels"),
    [
        ("a", ";", ("a",)),
        (" b ; a ", ";", ("b", "a")),
        ("费用；银行卡;贷款", ";", ("费用", "银行卡", "贷款")),
        ("a,b，c", ",", ("a", "b", "c")),
        ("a;b;", ";", ("a", "b")),
        ('["b", "a"]', ";", ("b", "a")),
        ("[]", ";", ()),
        ("加、减|乘", "|", ("加、减", "乘")),
        ("red blue", " ", ("red", "blue")),
    ],
)
def test_a_cell_is_cut_at_its_separator(cell: str, separator: str, labels: tuple[str, ...]) -> None:
    assert split_cell(cell, separator) == labels


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("a|b", "the cell has `|`, and the separator is `;`"),
        ("a;b;a", "the label `a` is twice in one cell"),
        ("a；a", "the label `a` is twice in one cell"),
        ("a;;b", "an empty label between two separators"),
        (";a", "an empty label between two separators"),
        ('["a;b", "c"]', "the label `a;b` has the separator `;` in it"),
        ('["a", "b"', "begins like a list of JSON and is none"),
        ('［"a"，"b"］', 'is none: `［"a"，"b"］`; at character 1 it has `［` where JSON has `[`'),
        ("［］", "at character 1 it has `［` where JSON has `[`"),
        ('["a", 1]', "has values that are no labels"),
        ('["a", ["b"]]', "has values that are no labels"),
        ("a;" + "x" * 5000, "a label of 5000 characters"),
        (";".join(map(str, range(1001))), "1,001 labels in one cell"),
        ("a;b\x00", "a NUL character"),
        ("a;[b", "the label `[b` begins with `[`"),
        ("[" * 100_000, "begins like a list of JSON and is none"),
    ],
)
def test_what_is_no_set_is_refused(cell: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        split_cell(cell, ";")
    assert words in caught.value.what and caught.value.fix
    assert len(caught.value.what) < 300, "a long cell is shown short"
