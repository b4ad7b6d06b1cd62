"""Which values of a declared field the train rows had: what else a request gives is no input to trust a model with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from penjing.core.nouns import Scalar
from penjing.data.dates import DateForm, day_of, moment_of

# What is wrong with a value, as it is recorded.
MISSING, UNSEEN, OUTSIDE = "missing", "unseen", "outside"


class Seen(BaseModel):
    """The values of a field in the train rows.

    empty: whether a row had none. values: those of yes or no, and of listed values. low, high: the smallest and the
    largest number; of a date the first and the last day to accept, as far before and after the dates of the rows as
    these are apart. forms: how dates were written (a day, with a clock, with an offset too).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    empty: bool
    values: tuple[bool | str, ...] = ()
    low: int | float | str | None = None
    high: int | float | str | None = None
    forms: tuple[DateForm, ...] = ()

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what this kind of field does not have."""
        values: dict[str, Any] = handler(self)
        return {name: value for name, value in values.items() if value is not None and value not in ((), [])}

    def fault(self, value: Scalar) -> str:
        """`missing`, `unseen` (another value or form), `outside` (too small or too large), or "" where nothing is."""
        if value is None or value == "":
            return "" if self.empty else MISSING
        if self.low is None or self.high is None:
            return "" if value in self.values else UNSEEN
        if self.forms:
            moment = moment_of(str(value))
            # Sheets and tables write a day as its midnight, or the reverse.
            midnight = moment.form != "utc" and not moment.seconds
            if moment.form not in self.forms and not (midnight and {"day", "clock"} & {*self.forms}):
                return UNSEEN
            value = day_of(moment.days)
        return "" if self.low <= value <= self.high else OUTSIDE  # type: ignore[operator]


def learn_seen(kind: str | Sequence[str], column: Sequence[Scalar]) -> Seen:
    """What a column of train rows has, of a field of this kind."""
    given = [value for value in column if value is not None]
    empty = len(given) < len(column)
    if kind == "date":
        moments = [moment_of(str(value)) for value in given]
        if not moments:
            return Seen(empty=empty)
        first, last = min(each.days for each in moments), max(each.days for each in moments)
        forms = tuple(sorted({each.form for each in moments}))
        return Seen(empty=empty, low=day_of(2 * first - last), high=day_of(2 * last - first), forms=forms)
    if not isinstance(kind, str) or kind == "bool":
        values = (False, True) if kind == "bool" else tuple(kind)
        return Seen(empty=empty, values=tuple(value for value in values if value in given))
    return Seen(empty=empty, low=min(given), high=max(given)) if given else Seen(empty=empty)
