"""A choice that a file leaves open: several columns or sheets fit, and a person says which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from penjing.core.errors import UsageError

Role = Literal["text", "label", "sheet"]
_ASKED = {
    "text": "several columns may hold the texts",
    "label": "several columns may hold the labels",
    "sheet": "the workbook has several sheets with cells",
}


class ChoiceError(UsageError):
    """Several columns or sheets fit the `role`, and a person must choose; choices: names with some of the content."""

    def __init__(self, role: Role, choices: Mapping[str, str], where: str, fix: str) -> None:
        self.role, self.choices = role, dict(choices)
        listed = "".join(f"\n    {name}: {shown}" for name, shown in choices.items())
        super().__init__(f"{_ASKED[role]}:{listed}", where=where, fix=fix)
