"""A whole number as a person, a request or a record writes it: decimal digits, within bounds."""

from __future__ import annotations

import sys

# More digits than any count here has. Python refuses to read numbers of thousands of digits.
_MOST_DIGITS = 18


def whole_number(written: str, least: int = 0, most: int = sys.maxsize) -> int | None:
    """The number, or None for a text that is no whole number from least to most.

    `str.isdigit` is not enough: it holds for `²`, which `int` does not read.
    """
    if not written.isdecimal() or len(written) > _MOST_DIGITS:
        return None
    number = int(written)
    return number if least <= number <= most else None
