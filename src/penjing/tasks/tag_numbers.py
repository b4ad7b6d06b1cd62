"""Numbers in the words of an entity: `1,200.50`, `3.5万元`, `12 %`, `两百三十万`, `$1.2 million`.

Thousands are grouped by commas in threes; a point is before decimals. A percentage is a share, as everywhere in rules:
`12 %` is 0.12. A word for a power of ten may follow the digits (万, 亿, thousand, million, k, bn), and Chinese numerals
are read whole or behind digits (`3万5千`). What could be read in two ways (`1,20`) is no number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from penjing.data.fields import FLOAT_LIMIT
from penjing.data.fold import fold_width

_DIGITS = ("零〇", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_DIGIT = {each: value for value, written in enumerate(_DIGITS) for each in written}
_SMALL = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_LARGE = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_WORDS = {"thousand": 10**3, "k": 10**3, "million": 10**6, "mn": 10**6, "m": 10**6, "billion": 10**9, "bn": 10**9}
_CURRENCIES = tuple("$€£¥￥")
_POWERS = "".join((*_SMALL, *_LARGE))
_CHINESE = "".join((*_DIGIT, *_POWERS))
# All that looks like one number, with every mark between its digits: it is then read, or is none. A sign counts where
# nothing before it could make it a dash between two numbers, or a part of a name.
_NUMBER = re.compile(
    rf"(?P<sign>(?:(?<![\w.)%])[-−])?)(?P<parts>百分之)?"
    rf"(?:(?P<digits>\d+(?:[.,]\d+)*)\s?(?P<powers>[{_POWERS}]+(?:\d+[{_POWERS}]+)*\d?(?!\d))?|(?P<chinese>[{_CHINESE}]+))"
    r"(?:\s?(?P<word>thousand|million|billion|mn|bn|[km])(?![a-z]))?(?P<share>\s?%)?",
    re.IGNORECASE,
)
_PART = re.compile(rf"(\d+)([{_POWERS}]*)")
_PLAIN = re.compile(r"\d+(?:\.\d+)?|[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_DECIMALS = 6
_LONGEST = 40


def numbers_in(words: str) -> list[float]:
    """The numbers of a text in their order, with six decimals; those beyond the limits of facts are at the limit.

    Words of more than 10,000 characters are read to there.
    """
    found = (_read(each) for each in _NUMBER.finditer(fold_width(words[:10_000])))
    return [_bounded(each) for each in found if each is not None]


def least_and_most(pieces: Iterable[str]) -> tuple[float, float] | None:
    """The smallest and the largest number of several texts; None where they have none."""
    found = [number for piece in pieces for number in numbers_in(piece)]
    return (min(found), max(found)) if found else None


def _read(match: re.Match[str]) -> Decimal | None:
    value = _chinese(match["chinese"]) if match["chinese"] else _in_digits(match["digits"], match["powers"] or "")
    if value is None:
        return None
    word = (match["word"] or "").lower()
    # `5 m` is a length where no sign of a currency is before it.
    if word != "m" or match.string[: match.start()].rstrip().endswith(_CURRENCIES):
        value *= _WORDS.get(word, 1)
    value = value / 100 if match["share"] or match["parts"] else value
    return -value if match["sign"] else value


def _in_digits(digits: str, powers: str) -> Decimal | None:
    """Digits with Chinese powers behind them: `3.5万`, and `3万5千`, whose powers fall."""
    if not _PLAIN.fullmatch(digits) or len(digits) > _LONGEST:
        return None
    own = re.match(f"[{_POWERS}]*", powers)
    assert own is not None
    unit = _product(own[0])
    value = Decimal(digits.replace(",", "")) * unit
    for each in _PART.finditer(powers, own.end()):
        # A last digit alone is of the next smaller power: `3万5` is 35,000.
        smaller = _product(each[2]) if each[2] else unit // 10
        if smaller >= unit:
            return None
        value, unit = value + Decimal(each[1]) * smaller, smaller
    return value


def _product(powers: str) -> int:
    found = 1
    for each in powers:
        found *= _SMALL.get(each) or _LARGE[each]
    return found


def _chinese(written: str) -> Decimal | None:
    """Chinese numerals; None for powers alone, such as the 万 of a name, and for a row of digits without powers."""
    if not any(each in _DIGIT for each in written) and not written.startswith(("十", "拾")):
        return None
    if not any(each in _POWERS for each in written):
        return Decimal(_DIGIT[written]) if len(written) == 1 else None
    total = section = digit = 0
    for each in written:
        if each in _DIGIT:
            digit = _DIGIT[each]
        elif each in _SMALL:
            section, digit = section + (digit or 1) * _SMALL[each], 0
        else:
            total, section, digit = (total + section + digit) * _LARGE[each], 0, 0
    # A last digit behind a power, without a zero, is of the next smaller one: 一百二 is 120.
    before = written[-2:-1]
    smaller = max(1, (_SMALL.get(before) or _LARGE.get(before) or 10) // 10)
    return Decimal(total + section + digit * smaller)


def _bounded(number: Decimal) -> float:
    return round(float(min(max(number, Decimal(-FLOAT_LIMIT)), Decimal(FLOAT_LIMIT))), _DECIMALS) + 0.0
