"""How well a column of a file fits as texts, as labels, or as numbers to predict: by its name and its cells."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

from penjing.data.fields import parse_number
from penjing.data.header import NUMBER
from penjing.data.names import EXACT, role_of
from penjing.data.sets import find_separator, words_of_list

_YES_NO = ({"是", "否"}, {"有", "无"}, {"y", "n"}, {"yes", "no"}, {"true", "false"}, {"真", "假"}, {"t", "f"})
_SPEAKERS = {"user", "assistant", "system", "human", "gpt", "bot", "agent", "customer", "tool", "客户", "客服", "用户"}
_DATE = re.compile(
    r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?月?([ T]\d{1,2}:\d{2}(:\d{2})?(\.\d+)?)?|\d{1,2}/\d{1,2}/\d{2,4}"
)
_CODE = re.compile(r"[A-Za-z]{0,8}[-_#]?\d[\dA-Za-z_-]*")  # GD20260001: a case number
# The score of the name of a column; a name that is exactly a role (`label`, `内容`) gets one more.
_LABEL_BY_ROLE = {"label": 4.0, "level": 3.0, None: 0.0, "text": -1.0, "after": -2.0, "side": -4.0}
_NUMBER_BY_ROLE = {"level": 4.0, "label": 4.0, None: 0.0, "text": -1.0, "after": -2.0, "side": -4.0}
_TEXT_BY_ROLE = {"text": 4.0, None: 0.0, "label": -3.0, "level": -3.0, "after": -2.0, "side": -3.0}


def label_score(name: str, filled: Sequence[str], rows: int) -> float | None:
    """How well a column fits as labels; None where it cannot: many values, long ones, dates. Numbers with decimals fit
    where the column is named as labels or as a level."""
    role = role_of(name)
    separator = find_separator(filled)
    distinct = {word for cell in filled for word in _labels_of(cell, separator)}
    if role != "label" and distinct and {cell.lower() for cell in distinct} <= _SPEAKERS:
        return None  # the speaker, in an export of a chat
    named = name.strip().lower() in EXACT and role == "label"
    if not filled:
        return _LABEL_BY_ROLE[role] - 3.0 if named else None
    if role in ("label", "level") and has_decimals(distinct):
        # Numbers to predict, however many there are: decimals are no codes of labels.
        return _LABEL_BY_ROLE[role] + named + (role == "label") - 2.0 * (1 - len(filled) / rows)
    few = len(distinct) <= max(2, min(500, len(filled) // 3)) and (len(distinct) > 1 or role == "label")
    if not few or max(map(len, distinct)) > 100:
        return None
    if not named and sum(_DATE.fullmatch(cell) is not None for cell in distinct) > len(distinct) / 2:
        return None
    worth = _LABEL_BY_ROLE[role] + named
    worth -= 2.0 * (role != "label" and {cell.lower() for cell in distinct} in _YES_NO)
    worth -= 0.5 * (role not in ("label", "level") and all(NUMBER.fullmatch(cell) for cell in distinct))
    worth -= 3.0 * (len(distinct) == 1) + 1.0 * (len(distinct) > 100)
    return worth - 2.0 * (1 - len(filled) / rows)


def _labels_of(cell: str, separator: str | None) -> list[str]:
    """The labels of a cell: itself, or those of a set."""
    if separator is None:
        return [cell.strip()]
    return words_of_list(cell) or [word.strip() for word in cell.split(separator)]


def number_score(name: str, filled: Sequence[str], rows: int) -> float | None:
    """How well a column fits as numbers to predict; None where it cannot: words, dates, one value, case numbers."""
    role = role_of(name)
    numeric = sum(parse_number(cell) is not None for cell in filled)
    distinct = len({cell.strip() for cell in filled})
    if numeric < 0.9 * len(filled) or distinct < 2:
        return None
    # Whole numbers that all differ are the numbers of the rows.
    if distinct == len(filled) and all("." not in cell for cell in filled):
        return None
    return _NUMBER_BY_ROLE[role] - 2.0 * (1 - len(filled) / rows)


def has_decimals(distinct: Collection[str]) -> bool:
    """Whether values are numbers, at least three and some of them not whole."""
    numbers = [parse_number(cell) for cell in distinct]
    return len(numbers) > 2 and None not in numbers and any(one != one.to_integral_value() for one in numbers if one)


def text_score(name: str, filled: Sequence[str], rows: int) -> float | None:
    """How well a column fits as texts; None where it cannot: numbers, dates, codes."""
    role = role_of(name)
    named = name.strip().lower() in EXACT and role == "text"
    if not filled:
        return 0.0 if named else None
    coded = sum(bool(NUMBER.fullmatch(cell.strip()) or _CODE.fullmatch(cell.strip())) for cell in filled)
    if coded > len(filled) / 2:
        return None
    repeated = 1 - len(set(filled)) / len(filled)
    worth = _TEXT_BY_ROLE[role] + named + math.log2(1 + mean_length(filled))
    return worth - 4.0 * max(0.0, repeated - 0.5) - 2.0 * (1 - len(filled) / rows)


def mean_length(cells: Sequence[str]) -> float:
    filled = [cell for cell in cells if cell.strip()]
    return sum(map(len, filled)) / max(1, len(filled))
