"""The facts that a rule may name, their types, and the check of a request's declared fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from penjing.core.errors import RecipeError, RequestError
from penjing.core.nouns import Scalar
from penjing.core.options import nearest
from penjing.data import fold
from penjing.data.clean import clean
from penjing.data.mask import PLACEHOLDERS, VERSION, open_masking

Kind = Literal["label", "unit", "count", "int", "float", "str", "enum", "bool", "text"]
FieldType = str | tuple[str, ...]

# Facts are kept to six decimals; an engine of rules counts in whole millionths, so that no comparison rounds.
MICRO = 1_000_000
INT_LIMIT = 2**53
FLOAT_LIMIT = 1e12
FIELD_CHARACTERS = 1_000
_RESERVED = {"name", "then", "why", "label", "p", "margin", "text", "too_long"}
_TYPES = ("str", "int", "float", "bool")
_TRUE, _FALSE = {"true", "yes", "1", "是"}, {"false", "no", "0", "否"}


@dataclass(frozen=True)
class FactSchema:
    """Names and types of all facts of a release: its labels and its declared fields, beside the fixed ones.

    masking, folding: the versions by which free text in a field is masked, and phrases are compared.
    """

    labels: tuple[str, ...]
    fields: Mapping[str, FieldType] = field(default_factory=dict)
    masking: str = VERSION
    folding: str = fold.VERSION

    def __post_init__(self) -> None:
        for name, kind in self.fields.items():
            if name in _RESERVED or name.startswith("pii.") or not name.strip():
                raise RecipeError(
                    f"a field cannot be named `{name}`: rules know a fact of that name",
                    fix="give the field another name",
                )
            if isinstance(kind, str) and kind not in _TYPES:
                raise RecipeError(f"the field `{name}` has the unknown type `{kind}`", fix=nearest(kind, _TYPES))

    def kinds(self) -> dict[str, Kind]:
        """Every fact that may head a column of the rules file, with its kind."""
        fixed: dict[str, Kind] = {
            "label": "label",
            "p": "unit",
            "margin": "unit",
            "text": "text",
            "too_long": "bool",
            **{f"pii.{kind}": "count" for kind in PLACEHOLDERS},
        }
        return {**fixed, **{name: _kind_of(kind) for name, kind in self.fields.items()}}

    def values(self, fact: str) -> tuple[str, ...]:
        """The listed values of a fact: labels, or the values of an enumerated field; else none."""
        if fact == "label":
            return self.labels
        kind = self.fields.get(fact)
        return tuple(kind) if kind is not None and not isinstance(kind, str) else ()

    def read(self, given: Mapping[str, object], where: str | None = None) -> dict[str, Scalar]:
        """Typed, cleaned and masked fields of a request, in the order of the schema; one not given is None.

        Floats are rounded to 1e-6. Raises RequestError for an unknown field or a value of another type.
        """
        for name in given:
            if name not in self.fields:
                known = nearest(name, dict(self.fields)) if self.fields else "this release declares no fields"
                raise RequestError(f"unknown field `{name}`", where=where, fix=known)
        found = {name: _value(name, kind, given.get(name), where) for name, kind in self.fields.items()}
        masking = open_masking(self.masking)
        return {
            name: masking(value).text if self.fields[name] == "str" and isinstance(value, str) else value
            for name, value in found.items()
        }

    def from_strings(self, row: Mapping[str, str], where: str | None = None) -> dict[str, Scalar]:
        """The same from a row of a CSV file: numbers and yes/no are read from words, an empty cell is None."""
        found: dict[str, object] = {}
        for name, kind in self.fields.items():
            cell = row.get(name, "").strip()
            found[name] = _parse(name, kind, cell, where) if cell else None
        return self.read(found, where)


def _kind_of(kind: FieldType) -> Kind:
    if not isinstance(kind, str):
        return "enum"
    kinds: dict[str, Kind] = {"str": "str", "int": "int", "float": "float", "bool": "bool"}
    return kinds[kind]


def _parse(name: str, kind: FieldType, cell: str, where: str | None) -> object:
    if kind in ("int", "float"):
        try:
            return int(cell) if kind == "int" else float(cell)
        except ValueError:
            raise RequestError(f"the field `{name}` is {cell[:80]!r}, not a number", where=where) from None
    if kind == "bool":
        word = cell.lower()
        if word not in _TRUE | _FALSE:
            raise RequestError(f"the field `{name}` is {cell[:80]!r}", where=where, fix="write true or false")
        return word in _TRUE
    return cell


def _value(name: str, kind: FieldType, given: object, where: str | None) -> Scalar:
    if given is None:
        return None
    if kind == "bool":
        if isinstance(given, bool):
            return given
    elif kind == "int":
        if isinstance(given, float) and given.is_integer():
            given = int(given)
        if isinstance(given, int) and not isinstance(given, bool):
            if abs(given) > INT_LIMIT:
                raise RequestError(f"the field `{name}` is beyond ±2^53", where=where, fix="send a smaller number")
            return given
    elif kind == "float":
        if isinstance(given, int | float) and not isinstance(given, bool):
            # The comparison comes first: an int of 400 digits does not fit a float.
            if not -FLOAT_LIMIT <= given <= FLOAT_LIMIT or not math.isfinite(given):
                raise RequestError(f"the field `{name}` is not between -1e12 and 1e12", where=where)
            return round(float(given), 6) + 0.0
    elif isinstance(given, str):
        return _string(name, kind, given, where)
    expected = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
    wanted = expected[kind] if isinstance(kind, str) else "one of its listed values"
    raise RequestError(f"the field `{name}` is of type {type(given).__name__}; it must be {wanted}", where=where)


def _string(name: str, kind: FieldType, given: str, where: str | None) -> str:
    if len(given) > FIELD_CHARACTERS:
        raise RequestError(f"the field `{name}` has more than {FIELD_CHARACTERS:,} characters", where=where)
    try:
        cleaned = clean(given)
    except RequestError as error:
        what = error.what.replace("the text", f"the field `{name}`", 1)
        raise RequestError(what, where=where, fix=error.fix) from None
    if isinstance(kind, str):
        return cleaned
    if cleaned not in kind:
        what = f"the field `{name}` is {cleaned[:80]!r}, which is not one of its values"
        raise RequestError(what, where=where, fix=nearest(cleaned, list(kind)))
    return cleaned
