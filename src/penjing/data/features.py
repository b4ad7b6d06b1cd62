"""Declared fields as numbers that a model reads beside the text: standardised, or one column a value.

number: (x - m) / s of the train rows, cut at 10 on either side, and whether it is missing
yes or no, listed values: one column a value, and whether it is missing
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penjing.core.canon import digest, digest_lines
from penjing.core.nouns import Inputs, Scalar, Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_LIMIT = 10.0
_DIGITS = 6


@dataclass(frozen=True)
class FieldFeature:
    """One declared field: a number with its mean and scale on the train rows, or the values that it may have."""

    name: str
    mean: float = 0.0
    scale: float = 1.0
    values: tuple[Scalar, ...] = ()

    @property
    def size(self) -> int:
        """How many numbers it gives: one, or one a value; and one that says that it is missing."""
        return (len(self.values) or 1) + 1

    def encode(self, value: Scalar) -> list[float]:
        """The numbers of a value, (size,). A listed value that is not known counts as missing."""
        known = value in self.values if self.values else value is not None
        if not known:
            return [0.0] * (self.size - 1) + [1.0]
        if self.values:
            return [float(each == value) for each in self.values] + [0.0]
        standard = (float(value) - self.mean) / self.scale  # type: ignore[arg-type]
        return [min(max(standard, -_LIMIT), _LIMIT), 0.0]


@dataclass(frozen=True)
class FieldFeatures:
    """The declared fields that a model reads, in the order of its columns."""

    features: tuple[FieldFeature, ...]

    @property
    def size(self) -> int:
        """Columns of all features together."""
        return sum(feature.size for feature in self.features)

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
        return {
            each.name: {"values": list(each.values)} if each.values else {"mean": each.mean, "scale": each.scale}
            for each in self.features
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Mapping[str, Any]]) -> FieldFeatures:
        """What `to_json` wrote."""
        return cls(
            tuple(
                FieldFeature(name, values=tuple(each["values"]))
                if "values" in each
                else FieldFeature(name, each["mean"], each["scale"])
                for name, each in value.items()
            )
        )


def learn_features(kinds: Mapping[str, str | Sequence[str]], train: Table) -> FieldFeatures:
    """The features of these declared fields, in the order of their names, as the card keeps them.

    Means and scales are those of the train rows.
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


def rows_of(table: Table) -> list[dict[str, Scalar]]:
    """The declared fields of each row of a table."""
    names = list(table.fields)
    return [dict(zip(names, values, strict=True)) for values in zip(*table.fields.values(), strict=True)] or [
        {} for _ in range(len(table))
    ]


def _learn(name: str, kind: str | Sequence[str], column: Sequence[Scalar]) -> FieldFeature:
    if not isinstance(kind, str):
        return FieldFeature(name, values=tuple(kind))
    if kind == "bool":
        return FieldFeature(name, values=(False, True))
    numbers = [float(value) for value in column if value is not None]
    if not numbers:
        return FieldFeature(name)
    mean = sum(numbers) / len(numbers)
    spread = (sum((number - mean) ** 2 for number in numbers) / len(numbers)) ** 0.5
    return FieldFeature(name, round(mean, _DIGITS), round(spread, _DIGITS) or 1.0)
