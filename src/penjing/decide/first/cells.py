"""One cell of a sealed rules file of the first edition -> a typed condition: =, in, <, ≤, >, ≥, ranges, contains."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

from penjing.core.errors import RequestError, RuleError
from penjing.data.clean import clean
from penjing.data.dates import parse_date, span_of
from penjing.data.fields import FLOAT_LIMIT, INT_LIMIT, FieldError, parse_field, parse_number
from penjing.data.fold import fold_width, open_folding
from penjing.data.labels import match_label
from penjing.decide.schema import FactSchema, Kind, scale

_COMPARE = re.compile(r"(<=|>=|=<|=>|≤|≥|⩽|⩾|≦|≧|<|>)\s*(.*)", re.DOTALL)
_RANGE = re.compile(r"(\S+?)\s*(?:\.\.\.?|…)\s*(\S+)")
_SAME = {"=<": "<=", "≤": "<=", "⩽": "<=", "≦": "<=", "=>": ">=", "≥": ">=", "⩾": ">=", "≧": ">="}
_NUMBERS = ("unit", "float", "int", "count")


@dataclass(frozen=True)
class Among:
    """The fact is one of these values."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Between:
    """The fact, in whole units of 1/scale, is in one of these inclusive ranges; None is no bound."""

    ranges: tuple[tuple[int | None, int | None], ...]


@dataclass(frozen=True)
class Is:
    """The fact is true, or false."""

    value: bool


@dataclass(frozen=True)
class Contains:
    """The masked text contains one of these phrases, compared by the folding of the release: without case, and in newer
    releases without width.
    """

    phrases: tuple[str, ...]


Test = Among | Between | Is | Contains


def unreadable(what: str, where: str) -> RuleError:
    """The error for sealed rules that cannot be read. Nobody can correct them: their hash is in the MANIFEST."""
    return RuleError(what, where=where, fix="make the release again")


def parse_cell(cell: str, fact: str, kind: Kind, schema: FactSchema, where: str) -> Test | None:
    """The condition of a cell, or None for an empty one. Raises RuleError that names the column."""
    written = cell.strip()
    if not written:
        return None
    where = f"{where} (column `{fact}`)"
    try:
        written = clean(written)
    except RequestError as error:
        raise unreadable(error.what, where) from None
    if kind == "text":
        return _contains(written, schema, where)
    if kind == "date":
        return _date(fold_width(written), where)
    if kind in _NUMBERS:
        return _number(fold_width(written), kind, where)
    if written in schema.values(fact):
        return Among((written,))
    return _bool(fold_width(written), where) if kind == "bool" else _values(written, fact, schema, where)


def _contains(written: str, schema: FactSchema, where: str) -> Contains:
    word, rest = contains_word(written)
    if word != "contains" or not rest.strip():
        raise unreadable(f"a text is compared with `contains` only, not {written!r}", where)
    return Contains(tuple(dict.fromkeys(map(open_folding(schema.folding), _split(rest, where)))))


def contains_word(written: str) -> tuple[str, str]:
    """The first word of a cell in half width and lower case, and the rest."""
    word, *rest = written.split(None, 1)
    return fold_width(word).lower(), rest[0] if rest else ""


def _values(written: str, fact: str, schema: FactSchema, where: str) -> Among:
    known = schema.values(fact)
    plain = fold_width(written)
    if plain.startswith("=") and not plain.startswith(("=<", "=>")):
        values: tuple[str, ...] = (written[1:].strip(),)
    elif re.match(r"in\s", plain, re.IGNORECASE):
        values = _split(written[2:], where)
    elif _COMPARE.match(plain):
        raise unreadable(f"{written!r} needs a number, and `{fact}` is not one", where)
    elif "|" in plain:
        raise unreadable(f"{written!r} holds a bar", where)
    else:
        values = (written,)
    if fact == "label":
        values = tuple(match_label(value, known, schema.read_as) or value for value in values)
    for value in values:
        if not value:
            raise unreadable("a value is missing after `=`", where)
        if known and value not in known:
            noun = "label" if fact == "label" else "value"
            raise unreadable(f"unknown {noun} {value[:80]!r}", where)
    return Among(tuple(dict.fromkeys(values)))


def _bool(plain: str, where: str) -> Is:
    try:
        value = parse_field(plain.removeprefix("="), "bool")
    except FieldError:
        value = None
    if not isinstance(value, bool):
        raise unreadable(f"{plain[:80]!r} is neither true nor false", where)
    return Is(value)


def _split(rest: str, where: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in rest.replace("｜", "|").split("|"))
    if not all(parts):
        raise unreadable("a value between two bars is empty", where)
    return tuple(dict.fromkeys(parts))


def _number(plain: str, kind: Kind, where: str) -> Between:
    if found := _COMPARE.fullmatch(plain):
        sign = _SAME.get(found[1], found[1])
        bound, strict = _scaled(found[2], kind, where), len(sign) == 1
        ranges = [_whole(None, bound, strict=strict) if sign[0] == "<" else _whole(bound, None, strict=strict)]
    elif re.match(r"in\s", plain, re.IGNORECASE):
        points = [_scaled(part, kind, where) for part in _split(plain[2:], where)]
        ranges = [_whole(point, point) for point in points]
    elif found := _RANGE.fullmatch(plain):
        ranges = [_whole(_scaled(found[1], kind, where), _scaled(found[2], kind, where))]
    else:
        point = _scaled(plain.removeprefix("="), kind, where)
        ranges = [_whole(point, point)]
    return Between(tuple(dict.fromkeys(ranges)))


def _date(plain: str, where: str) -> Between:
    """Dates as ranges of seconds since 1970-01-01: a day is all of its seconds."""
    if found := _COMPARE.fullmatch(plain):
        sign = _SAME.get(found[1], found[1])
        first, last = _span(found[2], where)
        ranges: list[tuple[int | None, int | None]] = [
            {"<": (None, first - 1), "<=": (None, last), ">": (last + 1, None), ">=": (first, None)}[sign]
        ]
    elif re.match(r"in\s", plain, re.IGNORECASE):
        ranges = [_span(part, where) for part in _split(plain[2:], where)]
    elif found := _RANGE.fullmatch(plain):
        ranges = [(_span(found[1], where)[0], _span(found[2], where)[1])]
    else:
        ranges = [_span(plain.removeprefix("="), where)]
    return Between(tuple(dict.fromkeys(ranges)))


def _span(written: str, where: str) -> tuple[int, int]:
    found = parse_date(written)
    if found is None:
        raise unreadable(f"{written.strip()[:40]!r} is not a date", where)
    return span_of(found)


def _scaled(written: str, kind: Kind, where: str) -> Decimal:
    try:
        value = Decimal(written.strip())
    except InvalidOperation:
        value = parse_number(written) or Decimal("nan")
    if not value.is_finite() or len(written) > 40 or abs(value) > (FLOAT_LIMIT if kind == "float" else INT_LIMIT):
        raise unreadable(f"{written.strip()[:40]!r} is not a number that can be compared", where)
    return value * scale(kind)


def _whole(low: Decimal | None, high: Decimal | None, *, strict: bool = False) -> tuple[int | None, int | None]:
    """Inclusive whole bounds of the facts between these numbers."""
    below = None if high is None else int(high.to_integral_value(ROUND_CEILING if strict else ROUND_FLOOR)) - strict
    above = None if low is None else int(low.to_integral_value(ROUND_FLOOR if strict else ROUND_CEILING)) + strict
    return above, below
