"""Declared fields as numbers that a model reads beside the text: standardised, or one column a value.

number: (x - m) / s of the train rows, cut at 10 on either side, and whether it is missing
yes or no, listed values: one column a value, and whether it is missing
date: days since 1970-01-01 as a number, held within the days of the train rows; one column a month, one a weekday, and
one an hour where the train rows had a clock; and whether it is missing
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penjing.core.canon import canonical_json, digest, digest_lines
from penjing.core.nouns import Inputs, Scalar, Table
from penjing.data.dates import moment_of
from penjing.data.seen import Seen, learn_seen

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_LIMIT = 10.0
_DIGITS = 6
_MONTHS, _WEEKDAYS, _HOURS = 12, 7, 24


@dataclass(frozen=True)
class FieldFeature:
    """One declared field: a number or a date with its mean and scale on the train rows, or the values that it may have.

    days: the first and the last day of a date in the train rows; clock: whether its hours count. seen: the values that
    the train rows had; None for models of earlier versions, which did not keep them.
    """

    name: str
    mean: float = 0.0
    scale: float = 1.0
    values: tuple[Scalar, ...] = ()
    days: tuple[int, int] | None = None
    clock: bool = False
    seen: Seen | None = None

    @property
    def size(self) -> int:
        """How many numbers it gives: one, one a value, or those of a date; and one that says that it is missing."""
        if self.days is not None:
            return 1 + _MONTHS + _WEEKDAYS + _HOURS * self.clock + 1
        return (len(self.values) or 1) + 1

    def encode(self, value: Scalar) -> list[float]:
        """The numbers of a value, (size,). A listed value that is not known counts as missing."""
        known = value in self.values if self.values else value is not None
        if not known:
            return [0.0] * (self.size - 1) + [1.0]
        if self.values:
            return [float(each == value) for each in self.values] + [0.0]
        if self.days is not None:
            return self._of_date(str(value), *self.days)
        return [self._standard(float(value)), 0.0]  # type: ignore[arg-type]

    def _of_date(self, value: str, first: int, last: int) -> list[float]:
        moment = moment_of(value)
        parts = [(moment.month - 1, _MONTHS), (moment.weekday, _WEEKDAYS)]
        parts += [(moment.hour, _HOURS)] if self.clock else []  # type: ignore[list-item]
        columns = [float(place == part) for part, size in parts for place in range(size)]
        return [self._standard(min(max(moment.days, first), last)), *columns, 0.0]

    def _standard(self, number: float) -> float:
        return min(max((number - self.mean) / self.scale, -_LIMIT), _LIMIT)

    def to_json(self) -> dict[str, Any]:
        """Plain values from which `from_json` makes an equal feature."""
        found: dict[str, Any] = {"values": list(self.values)} if self.values else {}
        if not self.values:
            found = {"mean": self.mean, "scale": self.scale}
        if self.days is not None:
            found |= {"days": list(self.days), "clock": self.clock}
        return found if self.seen is None else found | {"seen": self.seen.model_dump(mode="json")}

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> FieldFeature:
        """What `to_json` wrote."""
        seen = Seen.model_validate(value["seen"]) if "seen" in value else None
        if "values" in value:
            return cls(name, values=tuple(value["values"]), seen=seen)
        days = (int(value["days"][0]), int(value["days"][1])) if "days" in value else None
        return cls(name, value["mean"], value["scale"], days=days, clock=value.get("clock", False), seen=seen)


@dataclass(frozen=True)
class FieldFeatures:
    """The declared fields that a model reads, in the order of its columns."""

    features: tuple[FieldFeature, ...]

    @property
    def size(self) -> int:
        """Columns of all features together."""
        return sum(feature.size for feature in self.features)

    @property
    def seen(self) -> dict[str, Seen]:
        """What the train rows had, by field; empty for a model of an earlier version."""
        return {each.name: each.seen for each in self.features if each.seen is not None}

    def encode(self, rows: Sequence[Mapping[str, Scalar]]) -> npt.NDArray[np.float32]:
        """The numbers of the fields of each row, (n, size) float32; a field that is not given is missing."""
        import numpy as np

        table = [
            [number for feature in self.features for number in feature.encode(row.get(feature.name))] for row in rows
        ]
        return np.array(table, dtype=np.float32).reshape(len(rows), self.size)

    def of_table(self, table: Table) -> npt.NDArray[np.float32]:
        """As `encode`, of all rows of a table."""
        return self.encode(rows_of(table))

    def to_json(self) -> dict[str, Any]:
        """Plain values from which `from_json` makes equal features."""
        return {each.name: each.to_json() for each in self.features}

    @classmethod
    def from_json(cls, value: Mapping[str, Mapping[str, Any]]) -> FieldFeatures:
        """What `to_json` wrote."""
        return cls(tuple(FieldFeature.from_json(name, each) for name, each in value.items()))


def learn_features(kinds: Mapping[str, str | Sequence[str]], train: Table) -> FieldFeatures:
    """The features of these declared fields, in the order of their names, as the card keeps them.

    Means, scales and the values that were there are those of the train rows.
    """
    return FieldFeatures(tuple(_learn(name, kinds[name], train.fields[name]) for name in sorted(kinds)))


def features_for(inputs: Inputs) -> FieldFeatures | None:
    """The features that a method learns beside the text; None where the recipe names none."""
    return learn_features(inputs.features, inputs.train) if inputs.features else None


def fields_fingerprint(names: Collection[str], tables: Sequence[Table]) -> str:
    """SHA-256 (hex) of these fields of the tables; "" for no field, so that what reads none keeps its hashes."""
    if not names:
        return ""
    return digest([{name: list(table.fields[name]) for name in sorted(names)} for table in tables])


def rows_fingerprint(inputs: Inputs) -> str:
    """SHA-256 (hex) of all labelled rows that a method learns of, with the fields that its model reads."""
    tables = (inputs.train, inputs.validation)
    found = [
        digest_lines(part for pair in zip(table.texts, table.labels or (), strict=True) for part in pair)
        for table in tables
    ]
    return digest([*found, *([fields_fingerprint(inputs.features, tables)] if inputs.features else [])])


def beside_text(names: Collection[str], fields: Mapping[str, Scalar]) -> str:
    """What a model reads of a row beside its text, as one string: rows that differ in it are different cases.

    "" where the model reads the text alone.
    """
    return canonical_json({name: fields.get(name) for name in names}).decode() if names else ""


def rows_of(table: Table) -> list[dict[str, Scalar]]:
    """The declared fields of each row of a table."""
    names = list(table.fields)
    return [dict(zip(names, values, strict=True)) for values in zip(*table.fields.values(), strict=True)] or [
        {} for _ in range(len(table))
    ]


def _learn(name: str, kind: str | Sequence[str], column: Sequence[Scalar]) -> FieldFeature:
    seen = learn_seen(kind, column)
    if not isinstance(kind, str):
        return FieldFeature(name, values=tuple(kind), seen=seen)
    if kind == "bool":
        return FieldFeature(name, values=(False, True), seen=seen)
    days, clock = None, False
    if kind == "date":
        moments = [moment_of(str(value)) for value in column if value is not None]
        numbers = [float(each.days) for each in moments]
        days = (min((each.days for each in moments), default=0), max((each.days for each in moments), default=0))
        clock = any(each.hour is not None for each in moments)
    else:
        numbers = [float(value) for value in column if value is not None]
    if not numbers:
        return FieldFeature(name, days=days, seen=seen)
    mean = sum(numbers) / len(numbers)
    spread = (sum((number - mean) ** 2 for number in numbers) / len(numbers)) ** 0.5
    return FieldFeature(name, round(mean, _DIGITS), round(spread, _DIGITS) or 1.0, days=days, clock=clock, seen=seen)
