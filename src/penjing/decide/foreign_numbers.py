"""Numbers and dates of a cell written with units, in words or as in another tool, with the form that means the same."""

from __future__ import annotations

import calendar
import re
from decimal import Decimal

from penjing.data.dates import parse_date
from penjing.data.fields import parse_number
from penjing.decide.keywords import split_form
from penjing.decide.listed import HAN, inside, parts_of, unquoted
from penjing.decide.plainly import Hint
from penjing.decide.schema import Kind

_NOT_NUMBER = "is not a number that can be compared"
_NO_RANGE = "is no range"
_ANDED = "joins two comparisons"
_DIGITS = r"[-+]?\d[\d,]*(?:\.\d+)?"
_CURRENCY = r"(?:[￥¥$€£]|RMB|CNY|USD|EUR|人民币)"
_UNIT = (
    rf"(?:{_CURRENCY}|元|块钱?|圆|角|分|次|个|件|天|日|岁|年|月|周|人|条|份|度|度电|户|台|套|笔|箱|斤|公斤|吨|米|公里|小时|分钟|秒钟?|%"
    r"|kg|km|g|m|h|s|d|hours?|days?|times?|years?|months?|weeks?|minutes?|seconds?|pcs|[a-z]{1,2})"
)
_AMOUNT = re.compile(rf"{_CURRENCY}?\s*({_DIGITS})\s*(千|万|亿|k)?\s*{_UNIT}?(?:人民币|整)?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,(?:\d{1,2}|\d{4,})")
_TIMES = {"千": 1_000, "k": 1_000, "万": 10_000, "亿": 100_000_000}
_SIGNS = {
    "大于等于": ">=", "不小于": ">=", "不少于": ">=", "不低于": ">=", "至少": ">=", "at least": ">=",
    "小于等于": "<=", "不大于": "<=", "不超过": "<=", "不高于": "<=", "至多": "<=", "最多": "<=", "at most": "<=",
    "no less than": ">=", "not less than": ">=", "minimum": ">=", "min": ">=", "不早于": ">=", "not before": ">=",
    "no more than": "<=", "not more than": "<=", "up to": "<=", "maximum": "<=", "max": "<=", "不高过": "<=",
    "fewer than": "<", "不足": "<", "不到": "<", "未满": "<", "不满": "<", "未达": "<", "未超过": "<=", "不晚于": "<=",
    "> =": ">=", "< =": "<=", "大于": ">", "超过": ">", "高于": ">", "多于": ">", "more than": ">", "greater than": ">",
    "over": ">", "above": ">", "later than": ">", "after": ">", "晚于": ">", "since": ">=", "from": ">=",
    "not after": "<=",
    "小于": "<", "低于": "<", "少于": "<", "less than": "<", "under": "<", "below": "<", "before": "<",
    "earlier than": "<", "早于": "<", "until": "<=", "by": "<=", "截至": "<=", "截止": "<=",
    "equals": "=", "equal to": "=", "==": "=", "is": "=", "on": "=",
    "lte ": "<=", "le ": "<=", "lt ": "<", "gte ": ">=", "ge ": ">=", "gt ": ">", "eq ": "=",
}  # fmt: skip
_BY_LENGTH = "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True))
_SIGN = re.compile(rf"({_BY_LENGTH}|>=|<=|≥|≤|=<|=>|>|<|=)?\s*(.+)", re.IGNORECASE | re.DOTALL)
_NOT = re.compile(
    r"(?:!==+|!(?!=)|<>|≠|(?:is\s+)?not\s+(?:equals?\s+(?:to\s+)?)?(?!more|less|in\b|between|before|after)|isn'?t\s+|except\s+"
    r"|other\s+than\s+|不是|不为|非|除了?)\s*(.+?)(?:以外|之外|外)?",
    re.IGNORECASE,
)
_NULL = re.compile(
    r"(is\s+not|not|!=|<>)?\s*(?:is\s*)?(?:null|nil|nan|blank|missing)|(is\s+)(?:not\s+)?empty|isnull|空值?|是空",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"(.*?\d.*?)\s*(?:(?:及|或|和)?(以上|之后|以后|起)"
    r"|(\+|or more|or above|and above|and more|and up|or later|and later)"
    r"|(?:及|或|和)?(以下|以内|之内|为止)|(or less|or below|and below|at most|or earlier))",
    re.IGNORECASE,
)
_TO = r"\s*(?:\.\.\.?|…|-|~|—|–|\bto\b|\band\b|至|到|和|,)\s*"
_BETWEEN = re.compile(
    rf"(not\s+|不)?(?:between\s+|介于|在)?([\[(]?)\s*({_DIGITS}){_TO}({_DIGITS})\s*([\])]?)(?:之间)?", re.IGNORECASE
)
_BOTH = re.compile(rf"(>=?)\s*({_DIGITS})\s*(?:AND|&&?|,|，|且|并且)?\s*(<=?)\s*({_DIGITS})", re.IGNORECASE)
_BOTH_TURNED = re.compile(rf"(<=?)\s*({_DIGITS})\s*(?:AND|&&?|,|，|且|并且)?\s*(>=?)\s*({_DIGITS})", re.IGNORECASE)
_OUTSIDE = re.compile(rf"(<=?)\s*({_DIGITS})\s*(?:OR|\|\|?|或|或者)\s*(>=?)\s*({_DIGITS})", re.IGNORECASE)
_DAY = (
    r"\d{4}(?:-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|\.\d{1,2}\.\d{1,2}|年\d{1,2}月\d{1,2}日)"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?"
)
_DAYS_BETWEEN = re.compile(
    rf"(not\s+|不)?(?:between\s+|from\s+|介于|在)?[\[(]?\s*({_DAY})\s*"
    rf"(?:\.\.|~|—|–|-|\bto\b|\band\b|\buntil\b|至|到|和|,)\s*({_DAY})\s*[\])]?(?:之间)?",
    re.IGNORECASE,
)
_MONTH = re.compile(r"(\d{4})(?:[-/](\d{1,2})|年(\d{1,2})月)")
_COUNT = {"一": 1, "两": 2, "二": 2, "三": 3, "半": 0.5, "a": 1, "one": 1, "two": 2, "": 1}
_LENGTH = {"day": 1, "天": 1, "日": 1, "week": 7, "周": 7, "星期": 7}
_AROUND = re.compile(
    r"(not\s+|不在)?(?:in\s+|within\s+|during\s+)?(?:the\s+)?(last|past|previous|next|coming|within|最近|近|过去|未来|今后|接下来)\s*(?:的\s*)?"
    r"(\d{1,5}|a|one|two|一|两|二|三)?\s*个?\s*(day|week|天|日|周|星期)s?\s*(?:之?内|以内)?",
    re.IGNORECASE,
)
_PAST = {"last", "past", "previous", "最近", "近", "过去"}


def in_number(plain: str, kind: Kind) -> Hint | None:
    """What is wrong with a number that the parser does not read, or would read otherwise; None for one of ours."""
    form = split_form(plain, joined=True)
    if form.key in ("empty", "not empty", "!=", "not in", "in") and form.rest != "":
        return _in_list(form.key, form.rest, kind)
    plain = re.sub(r"([<>])\s+=", r"\1=", plain) if not re.match(r"[<>] =", plain) else plain
    if _NULL.fullmatch(plain):
        return _asks(plain)
    if hint := _in_range(plain):
        return hint
    if found := _NOT.fullmatch(plain):
        number = _number(unquoted(found[1]), kind)
        return ("is how another tool writes it", f"write `!={number}`") if number else None
    if (behind := _BEHIND.fullmatch(plain)) and (number := _number(behind[1], kind)) is not None:
        sign = ">=" if behind[2] or behind[3] else "<="
        return _NOT_NUMBER, f"write `{sign}{number}`"
    found = _SIGN.fullmatch(plain)
    if found and (number := _number(unquoted(found[2]), kind)) is not None:
        right = f"{_SIGNS.get((found[1] or '').lower(), found[1] or '')}{number}"
        return None if right == plain else (_NOT_NUMBER, f"write `{right}`")
    numbers = [_number(part, kind) for part in parts_of(plain)]
    if plain[0] not in "<>=" and len(numbers) > 1 and all(numbers):
        return "is no list of numbers", f"write `in {'|'.join(map(str, numbers))}`"
    return None


def _in_list(key: str, rest: str, kind: Kind) -> Hint | None:
    if (between := _BETWEEN.fullmatch(rest)) and re.search(r"[\[\]]", rest):
        return _between(between, negated=key == "not in")
    if inside(rest) == rest.strip() and not re.search(r"[,，、;；]", rest):
        number = _number(rest, kind)
        if number and parse_number(rest) is None:
            return _NOT_NUMBER, f"write `{'!=' if key == '!=' else key + ' '}{number}`"
        return None
    numbers = [_number(part, kind) for part in parts_of(rest)]
    if not numbers or not all(numbers):
        return None
    many = "not in" if key in ("!=", "not in") else "in"
    return "is no list of numbers", f"write `{many} {'|'.join(map(str, numbers))}`"


def _in_range(plain: str) -> Hint | None:
    if found := _BOTH.fullmatch(plain):
        return _ANDED, f"write `{_span(found[2], found[1] == '>', found[3] == '<', found[4])}`"
    if found := _BOTH_TURNED.fullmatch(plain):
        return _ANDED, f"write `{_span(found[4], found[3] == '>', found[1] == '<', found[2])}`"
    if found := _OUTSIDE.fullmatch(plain):
        return _ANDED, f"write `not in {_span(found[2], found[1] == '<=', found[3] == '>=', found[4])}`"
    between = _BETWEEN.fullmatch(plain)
    if between and not re.fullmatch(rf"{_DIGITS}\s*(?:\.\.\.?|…)\s*{_DIGITS}", plain) and parse_number(plain) is None:
        if between[2] or between[5] or "," not in plain or between[1]:
            return _between(between, negated=bool(between[1]))
        return "is no list of numbers", f"write `in {_written(between[3])}|{_written(between[4])}`"
    return None


def _between(found: re.Match[str], *, negated: bool) -> Hint:
    span = _span(found[3], found[2] == "(" and found[5] != "", found[5] == ")" and found[2] != "", found[4])
    return _NO_RANGE, f"write `{'not in ' if negated else ''}{span}`"


def in_date(plain: str) -> Hint | None:
    """What is wrong with a date that the parser does not read; None for one of ours."""
    if _NULL.fullmatch(plain):
        return _asks(plain)
    if found := _AROUND.fullmatch(plain):
        return _around(found)
    found = _DAYS_BETWEEN.fullmatch(plain)
    if found and ("," not in plain or plain[0] in "[("):
        span = f"{found[2].strip()}..{found[3].strip()}"
        if plain.replace(" ", "") == span.replace(" ", "") and not found[1]:
            return None
        return _NO_RANGE, f"write `{'not in ' if found[1] else ''}{span}`"
    if found := _MONTH.fullmatch(plain):
        year, month = int(found[1]), int(found[2] or found[3])
        if 1 <= month <= 12 and 1 <= year <= 9999:
            last = calendar.monthrange(year, month)[1]
            return "is a month, not a day", f"write `{year:04}-{month:02}-01..{year:04}-{month:02}-{last}`"
        return None
    if (found := _NOT.fullmatch(plain)) and parse_date(unquoted(found[1])):
        return "is how another tool writes it", f"write `!={unquoted(found[1])}`"
    if (behind := _BEHIND.fullmatch(plain)) and parse_date(behind[1].strip()):
        sign = ">" if behind[2] in ("之后", "以后") else ">=" if behind[2] or behind[3] else "<="
        return "is how another tool writes it", f"write `{sign}{behind[1].strip()}`"
    if (found := re.fullmatch(rf"({_DAY})\s*(?:之|以)?前", plain)) is not None:
        return "is how another tool writes it", f"write `<{found[1]}`"
    found = _SIGN.fullmatch(plain)
    if found and (found[1] or "").lower() in _SIGNS and parse_date(unquoted(found[2])):
        return "is how another tool writes it", f"write `{_SIGNS[found[1].lower()]}{unquoted(found[2])}`"
    if (word := unquoted(plain)) != plain and parse_date(word):
        return "is how another tool writes it", f"write `{word}`"
    listed = parts_of(plain)
    if len(listed) > 1 and all(map(parse_date, listed)) and "|" not in plain:
        return "is no list of values", f"write `in {'|'.join(listed)}`"
    return None


def _around(found: re.Match[str]) -> Hint:
    given = (found[3] or "").lower()
    days = int((int(given) if given.isdigit() else _COUNT[given]) * _LENGTH[found[4].lower()])
    side = found[2].lower()
    if HAN.search(side):
        head = ("不在" if found[1] else "") + ("最近" if side in _PAST else "未来")
        form = f"{head}{days}天"
        return "is how another tool writes it", f"write `{form}`"
    middle = "" if side == "within" else "last " if side in _PAST else "next "
    return "is how another tool writes it", f"write `{'not ' if found[1] else ''}within {middle}{days} days`"


def _asks(plain: str) -> Hint:
    negated = re.search(r"not|!=|<>", plain, re.IGNORECASE) is not None
    return "asks whether there is a value in other words", f"write `{'not ' if negated else ''}empty`"


def _number(written: str, kind: Kind) -> str | None:
    """The number in a text with a unit or a currency, in the form for a rules file."""
    written = written.strip()
    if _DECIMAL_COMMA.fullmatch(written):
        written = written.replace(",", ".")
    found = _AMOUNT.fullmatch(written)
    if not found:
        return None
    number = parse_number(found[1])
    if number is None or (written.endswith("%") and kind != "unit"):
        return None
    number *= Decimal(_TIMES.get((found[2] or "").lower(), 1)) / (100 if written.endswith("%") else 1)
    return f"{number.normalize():f}"


def _span(low: str, without_low: bool, without_high: bool, high: str) -> str:
    return f"{_written(low)}{'<' * without_low}..{'<' * without_high}{_written(high)}"


def _written(digits: str) -> str:
    return digits.replace(",", "")
