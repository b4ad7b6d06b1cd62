"""What a file of labelled texts seems to hold, as `penjing init` writes it into a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Guess:
    """A file as `penjing init` will write it into the recipe; `notes` say in words what was not certain.

    form: that of annotated texts; None for a table. spans: the labels are pieces of the text. other: the column of the
    second texts, where a case is two.
    time: a column that seems to hold the time of each row. ends: the columns of the head and the tail of a relation.
    question: the column of the questions that the labels answer.
    """

    text: str
    label: str
    encoding: str
    columns: tuple[str, ...] | None
    notes: tuple[str, ...]
    sheet: str | None = None
    header: int | None = None
    numbers: Literal["none", "few", "many"] = "none"
    separator: str | None = None
    form: str | None = None
    spans: bool = False
    other: str | None = None
    time: str | None = None
    ends: tuple[str, str] | None = None
    question: str | None = None
