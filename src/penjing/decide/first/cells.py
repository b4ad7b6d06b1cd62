"""One cell of the rules file -> a typed condition: =, in, <, ≤, >, ≥, ranges, contains."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

from penjing.core.errors import RequestError, RuleError
from penjing.data.clean import clean
from penjing.data.dates import parse_date, span_of
from penjing.data.fields import FLOAT_LIMIT, INT_LIMIT, FieldError, parse_field, parse_number
from penjing.data.fold import fold_width, open_folding
from penjing.data.labels import match_label, nearest_label
from penjing.data.mask import open_masking
from penjing.decide.schema import MICRO, FactSchema, Kind

MAX_VALUES = 200
_COMPARE = re.compile(r"(<=|>=|=<|=>|≤|≥|⩽|⩾|≦|≧|<|>)\s*(.*)", re.DOTALL)
_RANGE = re.compile(r"(\S+?)\s*(?:\.\.\.?|…)\s*(\S+)")
_SAME = {"=<": "<=", "≤": "<=", "⩽": "<=", "≦": "<=", "=>": ">=", "≥": ">=", "⩾": ">=", "≧": ">="}
_SCALE: dict[Kind, int] = {"unit": MICRO, "float": MICRO, "int": 1, "count": 1, "date": 1}


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


def scale(kind: Kind) -> int:
    """The units per one in which a numeric fact of this kind is compared: a million, or one; of a date, seconds."""
    return _SCALE[kind]


def parse_cell(cell: str, fact: str, kind: Kind, schema: FactSchema, where: str) -> Test | None:
    """The condition of a cell, or None for an empty one. Raises RuleError that names the column."""
    written = cell.strip()
    if not written:
        return None
    where = f"{where} (column `{fact}`)"
    try:
        written = clean(written)
    except RequestError as error:
        raise RuleError(error.what, where=where, fix=error.fix) from None
    if kind == "text":
        return _contains(written, schema, where)
    if kind == "date":
        return _date(fold_width(written), where)
    if kind in _SCALE:
        return _number(fold_width(written), fact, kind, where)
    known = schema.values(fact)
    if written in known:
        return Among((written,))
    return _bool(fold_width(written), where) if kind == "bool" else _values(written, fact, schema, where)


def _contains(written: str, schema: FactSchema, where: str) -> Contains:
    word, rest = contains_word(written)
    if word != "contains" or not rest.strip():
        fix = f"write `contains {written}`" if "contain" not in written.lower() else "write `contains 词1|词2`"
        raise RuleError(f"a text is compared with `contains` only, not {written!r}", where=where, fix=fix)
    phrases = _split(rest, where)
    for phrase in phrases:
        _refuse_masked(phrase, schema, where)
    return Contains(tuple(dict.fromkeys(map(open_folding(schema.folding), phrases))))


def contains_word(written: str) -> tuple[str, str]:
    """The first word of a cell in half width and lower case, and the rest."""
    word, *rest = written.split(None, 1)
    return fold_width(word).lower(), rest[0] if rest else ""


def _refuse_masked(words: str, schema: FactSchema, where: str) -> None:
    counts = open_masking(schema.masking)(words).counts
    kind = next((kind for kind in counts if counts[kind]), None)
    if kind is not None:
        what = f"{words!r} holds a personal number ({kind}), which is masked before any rule sees it"
        raise RuleError(what, where=where, fix=f"use the column `pii.{kind}`, e.g. `>=1`")


def _values(written: str, fact: str, schema: FactSchema, where: str) -> Among:
    known = schema.values(fact)
    plain = fold_width(written)
    if plain.startswith("=") and not plain.startswith(("=<", "=>")):
        values: tuple[str, ...] = (written[1:].strip(),)
    elif re.match(r"in\s", plain, re.IGNORECASE):
        values = _split(written[2:], where)
    elif _COMPARE.match(plain):
        fix = "write a value, or `in a|b|c`"
        raise RuleError(f"{written!r} needs a number, and `{fact}` is not one", where=where, fix=fix)
    elif "|" in plain:
        fix = f"write `in {plain}` for one of them, or `={written}` for exactly that"
        raise RuleError(f"{written!r} holds a bar", where=where, fix=fix)
    else:
        values = (written,)
    if fact == "label":
        values = tuple(match_label(value, known, schema.read_as) or value for value in values)
    for value in values:
        if not value:
            raise RuleError("a value is missing after `=`", where=where, fix="write the value, or leave the cell empty")
        if known and value not in known:
            noun = "label" if fact == "label" else "value"
            raise RuleError(f"unknown {noun} {value[:80]!r}", where=where, fix=nearest_label(value, known))
        if not known:
            _refuse_masked(value, schema, where)
    return Among(tuple(dict.fromkeys(values)))


def _bool(plain: str, where: str) -> Is:
    try:
        value = parse_field(plain.removeprefix("="), "bool")
    except FieldError:
        value = None
    if not isinstance(value, bool):
        raise RuleError(f"{plain[:80]!r} is neither true nor false", where=where, fix="write `true` or `false`")
    return Is(value)


def _split(rest: str, where: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in rest.replace("｜", "|").split("|"))
    if not all(parts):
        raise RuleError("a value between two bars is empty", where=where, fix="write `a|b|c`, without a bar at the end")
    if len(parts) > MAX_VALUES:
        fix = "use two rows"
        raise RuleError(f"{len(parts)} values in one cell; at most {MAX_VALUES} can be checked", where=where, fix=fix)
    return tuple(dict.fromkeys(parts))


def _number(plain: str, fact: str, kind: Kind, where: str) -> Between:
    if found := _COMPARE.fullmatch(plain):
        sign = _SAME.get(found[1], found[1])
        bound = _scaled(found[2], kind, where)
        ranges = [(None, bound) if sign[0] == "<" else (bound, None)]
        whole = [_whole(low, high, strict=len(sign) == 1) for low, high in ranges]
    elif re.match(r"in\s", plain, re.IGNORECASE):
        whole = [_point(_scaled(part, kind, where), fact, where) for part in _split(plain[2:], where)]
    elif found := _RANGE.fullmatch(plain):
        low, high = _scaled(found[1], kind, where), _scaled(found[2], kind, where)
        if low > high:
            raise RuleError(
                f"the range {plain!r} has its ends in the wrong order",
                where=where,
                fix=f"write `{found[2]}..{found[1]}`",
            )
        whole = [_whole(low, high, strict=False)]
        _some(whole[0], plain, fact, where)
    else:
        whole = [_point(_scaled(plain.removeprefix("="), kind, where), fact, where)]
    return Between(_within(tuple(dict.fromkeys(whole)), plain, fact, kind, where))


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
        (first, _), (_, last) = _span(found[1], where), _span(found[2], where)
        if first > last:
            fix = f"write `{found[2]}..{found[1]}`"
            raise RuleError(f"the range {plain!r} has its ends in the wrong order", where=where, fix=fix)
        ranges = [(first, last)]
    else:
        ranges = [_span(plain.removeprefix("="), where)]
    return Between(tuple(dict.fromkeys(ranges)))


def _span(written: str, where: str) -> tuple[int, int]:
    found = parse_date(written)
    if found is None:
        fix = "write `2026-01-05`, `<2026-01-05T12:00` or `2026-01-01..2026-01-31`"
        raise RuleError(f"{written.strip()[:40]!r} is not a date", where=where, fix=fix)
    return span_of(found)


def _scaled(written: str, kind: Kind, where: str) -> Decimal:
    try:
        value = Decimal(written.strip())
    except InvalidOperation:
        value = parse_number(written) or Decimal("nan")
    if not value.is_finite() or len(written) > 40 or abs(value) > (FLOAT_LIMIT if kind == "float" else INT_LIMIT):
        fix = (
            "write 0.5 for 50 %" if "%" in written or "％" in written else "write `<0.5`, `>=3`, `0.3..0.7` or `in 1|2`"
        )
        raise RuleError(f"{written.strip()[:40]!r} is not a number that can be compared", where=where, fix=fix)
    return value * scale(kind)


def _whole(low: Decimal | None, high: Decimal | None, *, strict: bool) -> tuple[int | None, int | None]:
    """Inclusive whole bounds of the facts between these numbers."""
    below = None if high is None else int(high.to_integral_value(ROUND_CEILING if strict else ROUND_FLOOR)) - strict
    above = None if low is None else int(low.to_integral_value(ROUND_FLOOR if strict else ROUND_CEILING)) + strict
    return above, below


def _point(value: Decimal, fact: str, where: str) -> tuple[int | None, int | None]:
    bounds = _whole(value, value, strict=False)
    _some(bounds, str(value), fact, where)
    return bounds


def _some(bounds: tuple[int | None, int | None], plain: str, fact: str, where: str) -> None:
    low, high = bounds
    if low is not None and high is not None and low > high:
        fix = "whole numbers for a count, six decimals for the others"
        raise RuleError(f"no value of `{fact}` can be {plain}", where=where, fix=fix)


def _within(
    ranges: tuple[tuple[int | None, int | None], ...], plain: str, fact: str, kind: Kind, where: str
) -> tuple[tuple[int | None, int | None], ...]:
    """Refuse ranges outside the values that the fact can have."""
    if kind not in ("unit", "count"):
        return ranges
    top = MICRO if kind == "unit" else None
    for low, high in ranges:
        if (high is not None and high < 0) or (top is not None and low is not None and low > top):
            can = "between 0 and 1" if kind == "unit" else "0 or more"
            raise RuleError(f"`{fact}` is always {can}, never {plain!r}", where=where, fix="correct the number")
    return ranges
