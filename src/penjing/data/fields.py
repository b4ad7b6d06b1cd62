"""Values of declared fields and names of columns, read alike from files, requests and programs, at every stage.

A value is read the same whether it is a cell of a file or a JSON value: `y`, `是`, `TRUE` and 1 are true; `３`, `3.0`
and 3 are the whole number 3; `1,234` is 1234. A value with two possible meanings (`1,5`) is refused, with
the same message everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from penjing.core.errors import RequestError
from penjing.core.nouns import Scalar
from penjing.core.options import nearest
from penjing.data.clean import clean
from penjing.data.dates import parse_date
from penjing.data.fold import fold_name, fold_width

FieldType = str | Sequence[str]

# Facts are kept to six decimals; JSON readers keep whole numbers exactly up to 2^53.
INT_LIMIT = 2**53
FLOAT_LIMIT = 1e12
FIELD_CHARACTERS = 1_000
_SHOWN = 40
_LONGEST_NUMBER = 100  # characters
_TRUE = {"true", "t", "yes", "y", "1", "on", "是", "真", "对"}
_FALSE = {"false", "f", "no", "n", "0", "off", "否", "假", "错"}
_WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "date": "a date"}
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
# Thousands in threes, the first group without a leading zero: `0,123` is a decimal comma, which is refused.
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+|(?:_\d{3})+)(\.\d+)?")
# Digits, with every mark that people put between them; `1,234.5` is one number, and so is `1.234.567`.
_NUMBER_INSIDE = re.compile(r"[+-]?\d+(?:[,.'’_\u00a0\u202f ]?\d+)*")
_CHINESE_UNITS = {"万亿": 10**12, "千亿": 10**11, "百亿": 10**10, "十亿": 10**9, "亿": 10**8, "千万": 10**7}
_CHINESE_UNITS |= {"百万": 10**6, "十万": 10**5, "万": 10**4, "千": 1000, "百": 100, "十": 10}
_CHINESE_UNITS |= {"萬億": 10**12, "億": 10**8, "萬": 10**4}
_CHINESE_NUMBER = re.compile(rf"\D*[\d.,]+\s*(?P<unit>{'|'.join(_CHINESE_UNITS)})[^\d十百千万萬亿億兆]*")
# Words behind or around a number that change its value: no number is proposed.
_CHANGES_VALUE = re.compile(
    r"[<>≤≥~≈≠=^*/×÷]|[(（].*\d.*[)）]|\d\s*(k|m|b|bn|mn|mio|mrd)\b|thousand|million|billion|hundred|dozen|[十百千万萬亿億兆]",
    re.IGNORECASE,
)
# The words of a FieldError: the value, and what it is not.
_WRONG = re.compile(r"(`.*`|[^`,]*), ((?:not|beyond) .*)", re.DOTALL)
_MINUS = str.maketrans("−–", "--")


class FieldError(ValueError):
    """A value that is not of its declared kind: the words after "the field is", and what to write instead."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


class UnlistedError(FieldError):
    """A value that is none of the listed ones."""


class WrongFieldError(RequestError):
    """A declared field with a wrong value. about: the field, the value as it is shown, and what it is not.

    unlisted: whether the value could be a new one of an enumerated field.
    """

    def __init__(self, name: str, error: FieldError, where: str | None) -> None:
        super().__init__(f"the field `{name}` is {error.what}", where=where, fix=error.fix)
        found = _WRONG.fullmatch(error.what)
        self.about = (name, found[1], found[2]) if found else None
        self.unlisted = isinstance(error, UnlistedError)


@dataclass(frozen=True)
class Names:
    """Which given name belongs to which declared one.

    found: declared name to given name; unclear: declared names with the several that could be meant; absent: the rest.
    """

    found: Mapping[str, str]
    unclear: Mapping[str, tuple[str, ...]]
    absent: tuple[str, ...]


def read_field(name: str, value: object, kind: FieldType, where: str | None = None) -> Scalar:
    """As `parse_field`, but raises RequestError with the field's name."""
    try:
        return parse_field(value, kind)
    except FieldError as error:
        raise WrongFieldError(name, error, where) from None
    except RequestError as error:
        what = error.what.replace("the text", f"the field `{name}`", 1)
        raise RequestError(what, where=where, fix=error.fix) from None


def parse_field(value: object, kind: FieldType) -> Scalar:
    """A cell of a file or a JSON value as its declared kind (not yet masked); None for null and for an empty text.

    kind: `bool`, `int`, `float`, `date` (`penjing.data.dates`), `str`, or the list of the values that there are. Floats
    are rounded to 1e-6. Raises
    FieldError (a ValueError) with what was expected, RequestError for characters that no text may have.
    """
    value = _plain(value)
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    if not isinstance(kind, str):
        return _listed(value, tuple(kind))
    if not isinstance(value, str | int | float):
        raise FieldError(f"{_shown(value)}, not {_WORDS[kind]}", "give one value")
    if kind == "bool":
        return _bool(value)
    if kind in ("int", "float"):
        return _whole(value) if kind == "int" else _decimal(value)
    return _date(value) if kind == "date" else _text(value)


def parse_number(text: str) -> Decimal | None:
    """The finite number that a text writes, in any width and with thousands in threes; None where it writes none."""
    folded = fold_width(text.strip()).translate(_MINUS)
    if len(folded) > _LONGEST_NUMBER:
        return None
    if _GROUPED.fullmatch(folded):
        folded = folded.replace(",", "").replace("_", "")
    return Decimal(folded) if _PLAIN.fullmatch(folded) else None


def text_of(value: object) -> str:
    """A value of JSON, a sheet or a table as a cell's text: 3.0 is `3`, true is `true`, nothing is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= INT_LIMIT:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def match_names(declared: Sequence[str], given: Collection[str]) -> Names:
    """Find each declared name among the given ones: exactly, else the only one that differs by width, case and spaces.

    A given name that two declared ones could mean is left unclear.
    """
    known = set(declared)
    folded: dict[str, list[str]] = {}
    if not all(name in given for name in declared):
        for name in given:
            if name not in known:
                folded.setdefault(fold_name(name), []).append(name)
    missing = [name for name in declared if name not in given]
    claimed = [fold_name(name) for name in missing]
    found = {name: name for name in declared if name in given}
    unclear: dict[str, tuple[str, ...]] = {}
    absent = []
    for name, key in zip(missing, claimed, strict=True):
        near = folded.get(key, [])
        if not near:
            absent.append(name)
        elif len(near) > 1 or claimed.count(key) > 1:
            unclear[name] = tuple(near)
        else:
            found[name] = near[0]
    return Names(found, unclear, tuple(absent))


@lru_cache(maxsize=64)
def match_header(declared: tuple[str, ...], header: tuple[str, ...]) -> Names:
    """`match_names` for the rows of a file, which all have the same header."""
    return match_names(declared, header)


def unclear_names(unclear: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    """What and fix of the error for names that could mean several."""
    name, near = next(iter(unclear.items()))
    listed = " and ".join(f"`{each[:60]}`" for each in near[:5])
    if len(near) == 1:
        return f"{listed} could be `{name}` or another declared name", "write the names as they are declared"
    return f"`{name}` could be {listed}", f"name one of them exactly `{name}`"


def _plain(value: object) -> object:
    """A value of NumPy or of decimal as a plain one. NumPy's float64 is a float, but its repr is not a number."""
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) <= INT_LIMIT else float(value)
    if isinstance(value, date):
        return value.isoformat()  # a time too
    if value is not None and not isinstance(value, str | int | float | list | tuple | dict):
        item = getattr(value, "item", None)
        if not callable(item) or getattr(value, "size", 0) != 1:
            return value
        found = item()
        if isinstance(found, int) and str(getattr(value, "dtype", "")).startswith("datetime64"):
            # The item of a time in nanoseconds is a number; "not a time" becomes None.
            found = value.astype("datetime64[us]").item()  # type: ignore[attr-defined]
        return _plain(found) if isinstance(found, date) else found
    return value


def _bool(value: str | int | float) -> bool:
    word = fold_width(text_of(value)).casefold()
    word = {"1.0": "1", "0.0": "0"}.get(word, word)
    if word not in _TRUE | _FALSE:
        raise FieldError(
            f"{_shown(value)}, not true or false", "write true or false, yes or no, y or n, 1 or 0, 是 or 否"
        )
    return word in _TRUE


def _whole(value: str | int | float) -> int:
    number = _number(value, "int")
    if abs(number) > INT_LIMIT:
        raise FieldError(f"{_shown(value)}, beyond ±2^53", "declare the field as `str`: it looks like a case number")
    if number != number.to_integral_value():
        raise FieldError(f"{_shown(value)}, not a whole number", "round it, or declare the field as `float`")
    return int(number)


def _decimal(value: str | int | float) -> float:
    number = _number(value, "float")
    if abs(number) > Decimal(FLOAT_LIMIT):
        raise FieldError(f"{_shown(value)}, not between -1e12 and 1e12", "give a number within these bounds")
    return round(float(number), 6) + 0.0


def _date(value: str | int | float) -> str:
    found = None if isinstance(value, bool) else parse_date(text_of(value))
    if found is None:
        raise FieldError(f"{_shown(value)}, not a date", "write 2026-01-05, or 2026-01-05T10:30:00 with its time")
    return found


def _number(value: str | int | float, kind: str) -> Decimal:
    # From its shortest decimal form, so that a number equals the same number in a file.
    if isinstance(value, str):
        found = parse_number(value)
    elif isinstance(value, bool):
        found = None
    else:
        found = Decimal(value) if isinstance(value, int) else Decimal(repr(value))
    if found is None or not found.is_finite():
        raise FieldError(f"{_shown(value)}, not {_WORDS[kind]}", _number_fix(_shown(value).strip("`")))
    return found


def _number_fix(written: str) -> str:
    plain = fold_width(written[:_LONGEST_NUMBER]).strip()
    if plain.casefold() in {"true", "false"}:
        return "write 1 or 0, or declare the field as `bool`"
    if plain.casefold() in {"nan", "null", "none", "n/a", "na", "-", "inf", "-inf", "无", "空"}:
        return "leave the field empty where there is no number"
    # A number is proposed only where the text has one, and it can be read in one way.
    inside = _NUMBER_INSIDE.findall(plain.translate(_MINUS))
    number = parse_number(inside[0]) if len(inside) == 1 else None
    if number is not None and (share := _CHINESE_NUMBER.fullmatch(plain)):
        return f"write it in digits: {_digits(number * _CHINESE_UNITS[share['unit']])}"
    if number is not None and not _CHANGES_VALUE.search(plain):
        if plain.endswith("%"):
            return f"write the share, {_digits(number / 100)}, or the number alone"
        return f"write the number alone: {_digits(number)}"
    unread = inside[0] if len(inside) == 1 and number is None else ""
    if "," in unread:
        return "a comma may be a decimal point or separate thousands: write 1.5 or 1500"
    if unread:
        return "write the digits without marks between them, and one point before decimals: 1234567 or 1234.5"
    return "write digits, for example 1234 or 12.5"


def _digits(number: Decimal) -> str:
    """A number without an exponent and without zeros at the end of its decimals."""
    written = f"{number:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _text(value: str | int | float) -> str:
    text = text_of(value)
    if len(text) > FIELD_CHARACTERS:
        raise FieldError(
            f"a text of {len(text):,} characters; at most {FIELD_CHARACTERS:,}", "send the part that matters"
        )
    return clean(text)


def _listed(value: object, values: tuple[str, ...]) -> str:
    if not isinstance(value, str | int | float):
        raise FieldError(f"{_shown(value)}, not one of its listed values", "give one of the values")
    text = _text(value)
    if text in values:
        return text
    near = [each for each in values if fold_name(each) == fold_name(text)]
    same = near or [
        each for each in values if (number := parse_number(each)) is not None and number == parse_number(text)
    ]
    if len(same) == 1:
        return same[0]
    listed = ", ".join(each[:_SHOWN] for each in values[:8])
    raise UnlistedError(f"{_shown(text)}, not one of {listed}", nearest(text[:_SHOWN], values))


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    if not isinstance(value, str | int | float):
        return f"of type {type(value).__name__}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**_SHOWN:
        return "a number of more than 40 digits"
    text = text_of(value)
    return f"`{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}`"
