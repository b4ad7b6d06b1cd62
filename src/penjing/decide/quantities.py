"""Numbers and dates of a cell -> ranges of whole units: comparisons, ranges with open ends, lists, days around now."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

from penjing.core.errors import RuleError
from penjing.core.zone import UTC, TimeZone
from penjing.data.dates import parse_date
from penjing.data.fields import FLOAT_LIMIT, INT_LIMIT, parse_number
from penjing.data.fold import fold_width
from penjing.decide.clock import local_span
from penjing.decide.condition import Between, Within
from penjing.decide.keywords import Form
from penjing.decide.schema import MICRO, Kind, scale

NUMERIC = ("unit", "float", "int", "count")
MAX_DAYS = 36_500
Range = tuple[int | None, int | None]
_COMPARE = re.compile(r"(<=|>=|=<|=>|≤|≥|⩽|⩾|≦|≧|<|>)\s*(.*)", re.DOTALL)
_RANGE = re.compile(r"([^\s<]+)\s*(<?)\s*(?:\.\.\.?|…)\s*(<?)\s*([^\s<]+)")
# Other spellings of a sign, and the one that is compared.
SIGNS = {"=<": "<=", "≤": "<=", "⩽": "<=", "≦": "<=", "=>": ">=", "≥": ">=", "⩾": ">=", "≧": ">="}
_DAYS = re.compile(r"(not\s+)?within\s+(?:(last|next)\s+)?(\d{1,6})\s+days?", re.IGNORECASE)
_DAYS_ZH = re.compile(r"(不在)?\s*(?:(最近|未来)\s*(\d{1,6})\s*天内?|(\d{1,6})\s*天内)")
_SIDES = {"last": "last", "next": "next", "最近": "last", "未来": "next", "": ""}


def parse_number_form(form: Form, fact: str, kind: Kind, where: str) -> Between:
    """The ranges of a number, in units of 1/scale. Raises RuleError."""

    def one(written: str) -> Range:
        return _number_range(written, fact, kind, where)

    ranges = _ranges(form, one, where)
    if kind in ("unit", "count"):
        _refuse_outside(ranges, form, fact, kind, where)
    return Between(_left(ranges) if form.key in ("!=", "not in") else ranges)


def _refuse_outside(ranges: Sequence[Range], form: Form, fact: str, kind: Kind, where: str) -> None:
    """Raise RuleError for a bound that no value of the fact reaches: the condition would hold always or never."""
    top = MICRO if kind == "unit" else None
    for bound in (each for low_high in ranges for each in low_high if each is not None):
        if bound < 0 or (top is not None and bound > top):
            can = "between 0 and 1" if kind == "unit" else "0 or more"
            fix = "write 0.8 for 80 %" if top is not None and bound > top else "correct the number"
            raise RuleError(f"`{fact}` is always {can}, never {fold_width(form.rest)!r}", where=where, fix=fix)


def parse_date_form(form: Form, where: str, zone: TimeZone = UTC) -> Between | Within:
    """The ranges of a date in local seconds since 1970-01-01, a day being all of its seconds; or days around the clock.

    zone: of which a date with an offset becomes the local time.
    """
    whole = fold_width(f"{form.key} {form.rest}".strip())
    if (days := split_days(whole)) is not None:
        negated, side, count = days
        if count > MAX_DAYS:
            raise RuleError(
                f"{count} days; at most {MAX_DAYS:,}", where=where, fix="compare with a date: `>=2026-01-05`"
            )
        return Within(None if side == "next" else count, None if side == "last" else count, negated)
    ranges = _ranges(form, lambda written: _date_range(written, zone, where), where)
    return Between(_left(ranges) if form.key in ("!=", "not in") else ranges)


def split_days(plain: str) -> tuple[bool, str, int] | None:
    """`within 30 days` as (negated, "last", "next" or "", the number of days); None for another cell."""
    if found := _DAYS.fullmatch(plain):
        return found[1] is not None, (found[2] or "").lower(), int(found[3])
    if found := _DAYS_ZH.fullmatch(plain):
        return found[1] is not None, _SIDES[found[2] or ""], int(found[3] or found[4])
    return None


def _ranges(form: Form, one: Callable[[str], Range], where: str) -> tuple[Range, ...]:
    plain = fold_width(form.rest)
    if form.key in ("in", "not in"):
        parts = [part.strip() for part in plain.split("|")]
        if not all(parts):
            fix = "write `a|b|c`, without a bar at the end"
            raise RuleError("a value between two bars is empty", where=where, fix=fix)
        if any(_COMPARE.match(part) for part in parts):
            fix = "write numbers or ranges: `in 1|3..5`"
            raise RuleError(f"{plain[:80]!r} has a comparison in a list", where=where, fix=fix)
    elif form.key in ("", "=", "!="):
        parts = [plain]
        if form.key and (_COMPARE.match(plain) or _RANGE.fullmatch(plain)):
            fix = "write the comparison alone, or `not in 1..5` for what lies outside a range"
            raise RuleError(f"{form.key}{plain[:80]} compares twice", where=where, fix=fix)
    else:
        fix = "compare it by `<`, `>=`, `1..5`, `in 1|2`, `!=` or `not in`"
        raise RuleError(f"`{form.key}` compares texts, not this column", where=where, fix=fix)
    return tuple(dict.fromkeys(one(part) for part in parts))


def _number_range(plain: str, fact: str, kind: Kind, where: str) -> Range:
    if found := _COMPARE.fullmatch(plain):
        sign = SIGNS.get(found[1], found[1])
        bound, strict = _scaled(found[2], kind, where), len(sign) == 1
        return _whole(None, bound, high=strict) if sign[0] == "<" else _whole(bound, None, low=strict)
    if found := _RANGE.fullmatch(plain):
        low, high = _scaled(found[1], kind, where), _scaled(found[4], kind, where)
        if low > high:
            _refuse_order(plain, found, where)
        whole = _whole(low, high, low=bool(found[2]), high=bool(found[3]))
    else:
        value = _scaled(plain, kind, where)
        whole = _whole(value, value)
    if whole[0] is not None and whole[1] is not None and whole[0] > whole[1]:
        fix = "write a whole number for a count, and at most six decimals for other numbers"
        raise RuleError(f"no value of `{fact}` can be {plain}", where=where, fix=fix)
    return whole


def _date_range(plain: str, zone: TimeZone, where: str) -> Range:
    if found := _COMPARE.fullmatch(plain):
        sign = SIGNS.get(found[1], found[1])
        first, last = _span(found[2], zone, where)
        return {"<": (None, first - 1), "<=": (None, last), ">": (last + 1, None), ">=": (first, None)}[sign]
    if found := _RANGE.fullmatch(plain):
        start, end = _span(found[1], zone, where), _span(found[4], zone, where)
        low = start[1] + 1 if found[2] else start[0]
        high = end[0] - 1 if found[3] else end[1]
        if start[0] > end[1]:
            _refuse_order(plain, found, where)
        if low > high:
            fix = "leave something between the two ends, or write the range with its ends: `a..b`"
            raise RuleError(f"no date can be {plain}", where=where, fix=fix)
        return low, high
    return _span(plain, zone, where)


def _refuse_order(plain: str, found: re.Match[str], where: str) -> None:
    first = "<" if found[3] else ""
    last = "<" if found[2] else ""
    fix = f"write `{found[4]}{first}..{last}{found[1]}`"
    raise RuleError(f"the range {plain!r} has its ends in the wrong order", where=where, fix=fix)


def _span(written: str, zone: TimeZone, where: str) -> tuple[int, int]:
    found = parse_date(written)
    if found is None:
        fix = "write `2026-01-05`, `<2026-01-05T12:00`, `2026-01-01..2026-01-31` or `within 30 days`"
        raise RuleError(f"{written.strip()[:40]!r} is not a date", where=where, fix=fix)
    return local_span(found, zone)


def _scaled(written: str, kind: Kind, where: str) -> Decimal:
    try:
        value = Decimal(written.strip())
    except InvalidOperation:
        found = parse_number(written)
        value = Decimal("nan") if found is None else found
    if not value.is_finite() or len(written) > 40 or abs(value) > (FLOAT_LIMIT if kind == "float" else INT_LIMIT):
        share = "%" in written or "％" in written
        fix = "write 0.5 for 50 %" if share else "write `<0.5`, `>=3`, `0.3..0.7` or `in 1|2`"
        raise RuleError(f"{written.strip()[:40]!r} is not a number that can be compared", where=where, fix=fix)
    return value * scale(kind)


def _whole(first: Decimal | None, last: Decimal | None, *, low: bool = False, high: bool = False) -> Range:
    """Inclusive whole bounds of the facts between these numbers; `low`, `high`: without that end."""
    above = None if first is None else int(first.to_integral_value(ROUND_FLOOR if low else ROUND_CEILING)) + low
    below = None if last is None else int(last.to_integral_value(ROUND_CEILING if high else ROUND_FLOOR)) - high
    return above, below


def _left(ranges: Sequence[Range]) -> tuple[Range, ...]:
    """What lies in none of these ranges. Raises nothing: a negation of everything is an empty tuple."""
    left: list[Range] = []
    start: int | None = None
    for low, high in sorted(ranges, key=lambda each: (each[0] is not None, each[0] or 0)):
        if low is not None and (start is None or low > start):
            left.append((start, low - 1))
        if high is None:
            return tuple(left)
        start = high + 1 if start is None else max(start, high + 1)
    return (*left, (start, None))
