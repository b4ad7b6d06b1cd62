"""A choice says why it is not the encoder, or nothing."""

from __future__ import annotations

from penjing.report.contract import Note
from penjing.report.found import ChosenVariant


def test_a_choice_gives_its_reason() -> None:
    form: object = object()
    assert ChosenVariant(form, fell_back=False).why == ""  # type: ignore[arg-type]
    assert ChosenVariant(form, fell_back=True, note=Note(text="a tie")).why == "a tie"  # type: ignore[arg-type]
