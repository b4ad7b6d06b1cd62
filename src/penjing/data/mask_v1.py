"""Version 1 of the masking, kept for the releases that were made with it: nothing here may change.

Resident ID (GB 11643-1999: check digit of ISO 7064 MOD 11-2, a real date), mobile, landline, bank card (Luhn),
e-mail, vehicle plate (GA 36-2018, new-energy ones too), IPv4; also in full-width characters and with spaces or dashes
between groups. A number inside a longer run of digits is left alone. The rules look at form only: names and addresses
in words are not found.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from penjing.data.masked import PLACEHOLDERS, Masked, counted
from penjing.data.offsets import Edit, Edits

_DIGITS = "0123456789"
_ANY = re.compile("[0-9０-９@＠]")
_WIDE = re.compile("[\uff01-\uff5e\u3000\xa0\u2002-\u2009\u202f\u2010-\u2015\u2212]")
# One character for one, so that a place in the folded text is the same place in the original.
_FOLD = {0xFF01 + i: 0x21 + i for i in range(94)} | dict.fromkeys((0x3000, 0xA0, 0x2002, 0x2003, 0x2009, 0x202F), " ")
_FOLD |= dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")

_GAP = " ?-? ?"
_CODES = "(?:10|2[0-9]|[3-9][0-9]{2})"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_END = "(?![0-9])"


def _first(characters: str) -> str:
    """A first character with no digit and no `0.` before it; `1.` before it is the number of a point in a list.

    The lookbehind comes after the character, so that the search can skip ahead to it.
    """
    return rf"[{characters}](?<![0-9][{characters}])(?<![^0-9]0\.[{characters}])(?<!^0\.[{characters}])"


_EMAIL = re.compile(
    r"[A-Za-z0-9._%+\-](?<![A-Za-z0-9._%+\-]{2})[A-Za-z0-9._%+\-]{0,63}+"
    r"@(?:[A-Za-z0-9][A-Za-z0-9\-]{0,62}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z])"
)
_IP = re.compile(
    r"[0-9](?<![0-9]{2})(?<![0-9]\.[0-9])(?:(?<=2)(?:5[0-5]|[0-4][0-9]|[0-9]?)|(?<=[01])[0-9]{0,2}|(?<=[3-9])[0-9]?)"
    rf"(?:\.{_OCTET}){{3}}(?![0-9])(?!\.[0-9])"
)
_ID_CARD = re.compile(
    rf"{_first('1-9')}[0-9]{{5}}{_GAP}[0-9]{{4}}{_GAP}[0-9]{{2}}{_GAP}[0-9]{{2}}{_GAP}[0-9]{{3}}{_GAP}[0-9Xx]"
    r"(?![0-9A-Za-z])"
)
_CARD = re.compile(rf"{_first('2-9')}[0-9]{{12,18}}{_END}")
_CARD_GROUPS = re.compile(
    rf"{_first('2-9')}[0-9]{{3}}(?:{_GAP}[0-9]{{4}}){{2}}{_GAP}[0-9]{{1,4}}(?:{_GAP}[0-9]{{1,3}})?{_END}"
    rf"|{_first('3')}[0-9]{{3}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{5}}{_END}"
    rf"|{_first('2-9')}[0-9]{{5}}{_GAP}[0-9]{{7,13}}{_END}"
)
_MOBILE = re.compile(
    rf"{_first('1')}[3-9][0-9](?:{_GAP}[0-9]{{4}}){{2}}{_END}"
    rf"|[+08](?<![0-9][08])(?:(?<=\+)86|(?<=0)086|(?<=8)6){_GAP}1[3-9][0-9](?:{_GAP}[0-9]{{4}}){{2}}{_END}"
)
_LANDLINE = re.compile(
    rf"[(+0](?<![0-9]0)(?:(?<=0){_CODES}|(?<=\()0?{_CODES}\)|(?<=\+)86{_GAP}0?{_CODES}"
    rf"|(?<=\()\+86\){_GAP}0?{_CODES}|(?<=0)086{_GAP}0?{_CODES}){_GAP}"
    rf"[2-9][0-9]{{2,3}}{_GAP}[0-9]{{4}}(?:-[0-9]{{1,5}})?{_END}"
)
_PLATE = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Za-hj-np-z][ ·•・.-]?"
    "(?:[0-9]{5}[A-HJKa-hjk]|[A-HJKa-hjk][A-HJ-NP-Za-hj-np-z0-9][0-9]{4}"
    "|[A-HJ-NP-Za-hj-np-z0-9]{4}[A-HJ-NP-Za-hj-np-z0-9挂学警港澳])(?![A-Za-z0-9])"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def mask(text: str) -> Masked:
    """Replace every personal number by the placeholder of its kind.

    Idempotent in text and counts: counts are taken from the placeholders in the result, and a text that was masked
    holds nothing more to mask. Linear in the length of the text.
    """
    passes: list[Edits] = []
    if _ANY.search(text):
        while (once := _once(text, passes)) != text:
            text = once
    return counted(text, passes)


def _once(text: str, passes: list[Edits]) -> str:
    folded = text.translate(_FOLD) if _WIDE.search(text) else text
    if "@" in folded:
        text, folded = _replace(text, folded, passes, "email", _EMAIL)
    digits = sum(map(folded.count, _DIGITS))
    if digits < 3:
        return text
    if folded.count(".") >= 3:
        text, folded = _replace(text, folded, passes, "ip", _IP)
    if digits >= 10:
        text, folded = _replace(text, folded, passes, "mobile", _MOBILE)
    if digits >= 13:
        text, folded = _replace(text, folded, passes, "id_card", _ID_CARD, _is_id_card)
        text, folded = _replace(text, folded, passes, "bank_card", _CARD, _luhn)
    if digits >= 9:
        text, folded = _replace(text, folded, passes, "landline", _LANDLINE)
    if digits >= 13:
        text, folded = _replace(text, folded, passes, "bank_card", _CARD_GROUPS, _luhn)
    return text if folded.isascii() else _replace(text, folded, passes, "plate", _PLATE, _three_digits)[0]


def _replace(
    text: str,
    folded: str,
    passes: list[Edits],
    kind: str,
    pattern: re.Pattern[str],
    accept: Callable[[str], bool] | None = None,
) -> tuple[str, str]:
    """Both texts with every accepted match replaced; a match that is not accepted is tried from its next character.

    What was replaced is added to `passes`.
    """
    found = pattern.search(folded)
    if found is None:
        return text, folded
    token = PLACEHOLDERS[kind]
    edits: list[Edit] = []
    pieces, folded_pieces, done = [], [], 0
    while found is not None:
        start, end = found.span()
        if accept is None or accept(found.group()):
            pieces += [text[done:start], token]
            folded_pieces += [folded[done:start], token]
            edits.append((start, end, len(token)))
            done = end
        else:
            end = start + 1
        found = pattern.search(folded, end)
    if edits:
        passes.append(edits)
    return "".join([*pieces, text[done:]]), "".join([*folded_pieces, folded[done:]])


def _is_id_card(match: str) -> bool:
    number = match.replace(" ", "").replace("-", "").upper()
    try:
        born = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return 1900 <= born.year < 2100 and number[17] == "10X98765432"[total % 11]


def _luhn(match: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1, annex B) on the 13 to 19 digits of a match."""
    digits = [int(character) for character in match if character in _DIGITS]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _three_digits(match: str) -> bool:
    return sum(map(match.count, _DIGITS)) >= 3
