"""Every error says what, where and what to do, and has the exit code that the documents name."""

from __future__ import annotations

from penjing.core import errors


def test_codes_and_words() -> None:
    expected = {"UsageError": 2, "RecipeError": 2, "DataError": 3, "GateError": 4, "DamageError": 5, "ReplayError": 6}
    for name, code in expected.items():
        assert getattr(errors, name).exit_code == code
    assert errors.RunInterruptedError.exit_code == 130
    error = errors.DataError("the text is empty", where="a.csv:7", fix="remove the row")
    assert str(error) == "a.csv:7: the text is empty\n  fix: remove the row"
