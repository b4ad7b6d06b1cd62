"""Masking version 2: the characters of a text as it compares them: usual width and digits, nothing invisible.

Nothing here changes once a release was made with it: another rule is another version.
"""

from __future__ import annotations

import re

# Decimal digits of all scripts of Unicode 14, ten from each of these on. It is a list, so that masking does not depend
# on the version of Python.
_ZEROS = (
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
    0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0,
    0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60,
    0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
)  # fmt: skip
# One character for one.
_FOLD: dict[int, str] = {0xFF01 + i: chr(0x21 + i) for i in range(94)}
_FOLD |= {zero + digit: str(digit) for zero in _ZEROS for digit in range(10)}
_FOLD |= dict.fromkeys((0x9, 0xD, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_FOLD |= dict.fromkeys((*range(0x2010, 0x2016), 0x2043, 0x2212, 0x2500, 0x2501, 0xFE58, 0xFE63), "-")
_FOLD |= (
    dict.fromkeys((0x2024, 0xFE52), ".")
    | {0xFF61: "。", 0xFF0C: ",", 0x3001: ",", 0xFF1A: ":"}
    | dict.fromkeys((0x2044, 0x2215, 0xFF0F), "/")
)
_FOLD |= dict.fromkeys((0x2022, 0x2027, 0x2219, 0x22C5, 0x30FB, 0xFF65), "·") | {0xFE6B: "@"}
_FOLD |= dict.fromkeys((0xD7, 0x3A7, 0x3C7, 0x425, 0x445, 0x2169, 0x2179), "X")
_FOLD |= dict.fromkeys((0xB, 0xC, 0x85, 0x2028, 0x2029), "\n")
# One range for all characters beyond 0xFFFF: a set with each of them would be searched one by one.
_FOLDED = re.compile("[" + "".join(re.escape(chr(code)) for code in _FOLD if code < 0x10000) + "\U00010000-\U0010ffff]")
_ASCII_SPACES = re.compile("[\t\r\x0b\x0c]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff\u0332-\u0338]"
)

# Digits that are written as words or as signs. They count only if enough digits are next to them.
_SIGNS = [
    "〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "○幺两", "⓪①②③④⑤⑥⑦⑧⑨", "⓿❶❷❸❹❺❻❼❽❾", "⓪➀➁➂➃➄➅➆➇➈", "⓪➊➋➌➍➎➏➐➑➒",
    "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉", "⓪⒈⒉⒊⒋⒌⒍⒎⒏⒐",
]  # fmt: skip
_DISGUISED = {ord(sign): str(digit) for signs in _SIGNS for digit, sign in enumerate(signs)}
_DISGUISED |= {0x2474 + digit: str(digit + 1) for digit in range(9)}
_ALL_SIGNS = "".join(map(chr, _DISGUISED))
_STRETCH = re.compile(f"[0-9{_ALL_SIGNS}](?:[ .·-]?[0-9{_ALL_SIGNS}]){{9,}}")
_PAIR = re.compile(rf"[{_ALL_SIGNS}](?:[ .·-]?[0-9{_ALL_SIGNS}]|(?<=[0-9].)|(?<=[0-9][ .·-].))")
_SIGNS_ALONE = re.compile(f"[{_ALL_SIGNS}](?:[ .·-]?[{_ALL_SIGNS}]){{6}}")


def fold(text: str) -> tuple[str, list[int] | None]:
    """The folded text, and the place in the text of each of its characters; None where these are the same."""
    if text.isascii():
        return (text.translate(_FOLD) if _ASCII_SPACES.search(text) else text), None
    folded = text.translate(_FOLD) if _FOLDED.search(text) else text
    if not _INVISIBLE.search(folded):
        return folded, None
    places = [place for place, character in enumerate(folded) if not _INVISIBLE.match(character)]
    return _INVISIBLE.sub("", folded), places


def has_signs(text: str) -> bool:
    """Whether a text without digits may hold a number in words or signs."""
    return not text.isascii() and _SIGNS_ALONE.search(text) is not None


def read_signs(folded: str, trimmed: bool) -> str | None:
    """A folded text with words and signs read as digits, where ten of them are together; None if nowhere.

    trimmed: the last sign of a run is left out, because it may begin the next word (一直, 三天).
    """
    if folded.isascii() or not _PAIR.search(folded):
        return None

    def digits(match: re.Match[str]) -> str:
        found = match.group()
        return found[:-1].translate(_DISGUISED) + found[-1] if trimmed else found.translate(_DISGUISED)

    read = _STRETCH.sub(digits, folded)
    return None if read == folded else read
