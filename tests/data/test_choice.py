"""The question that a person must answer."""

from __future__ import annotations

from penjing.core.errors import UsageError
from penjing.data.choice import ChoiceError


def test_it_lists_the_choices_and_the_option_to_pass() -> None:
    error = ChoiceError("label", {"大类": "3 different values", "小类": "9 different values"}, "a.csv", "--label 大类")
    assert isinstance(error, UsageError)
    assert (error.role, list(error.choices)) == ("label", ["大类", "小类"])
    assert str(error) == (
        "a.csv: several columns may hold the labels:\n    大类: 3 different values\n    小类: 9 different values\n"
        "  fix: --label 大类"
    )
