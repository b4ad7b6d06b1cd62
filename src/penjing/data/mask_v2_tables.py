"""Masking version 2: prefixes, lengths and words. Nothing here changes once a release was made with it."""

from __future__ import annotations

import re


def _ranges(written: str) -> frozenset[str]:
    found: set[str] = set()
    for word in written.split():
        low, _, high = word.partition("-")
        found.update(str(number).zfill(len(low)) for number in range(int(low), int(high or low) + 1))
    return frozenset(found)


# The most groups of a number that has other groups next to it, and of one in a table of numbers. A number with nothing
# next to it may be written digit by digit.
MOST_GROUPS, FEW_GROUPS, MANY = 8, 5, 40
PROVINCES = _ranges("11-15 21-23 31-37 41-46 50-54 61-65 71 81-83")
# Area codes of the mainland, with those of cities that have since joined another one.
AREAS = _ranges(
    "010 020-025 027-029 0310-0319 0335 0349-0359 0370-0379 0391-0396 0398 0410-0419 0421 0427 0429 0431-0440 "
    "0451-0459 0464 0467-0479 0482-0483 0510-0519 0523 0527 0530-0539 0543 0546 0550-0559 0561-0566 0570-0580 "
    "0591-0599 0631-0635 0660 0662-0663 0668 0691-0692 0701 0710-0719 0722 0724 0728 0730-0739 0743-0746 "
    "0750-0760 0762-0763 0766 0768-0779 0790-0799 0812-0813 0816-0819 0825-0827 0830-0839 0851-0859 0870-0879 "
    "0883 0886-0888 0891-0899 0901-0903 0906 0908-0909 0911-0917 0919 0930-0939 0941 0943 0951-0955 0970-0979 "
    "0990-0999 "
)
# Large cities whose numbers have 8 digits for certain; elsewhere there are 7 and 8.
EIGHT_DIGITS = _ranges(
    "0311 0371 0411 0431 0451 0512 0531 0532 0551 0571 0574 0577 0591 0595 0731 0755 0757 0769 0771 0851 0871 0898"
)
# First digits of a card number and the lengths that its issuers give (ISO/IEC 7812; the ranges of the networks and of
# Chinese banks before UnionPay's 62), by the first digit; the first prefix that fits counts.
_Issuers = tuple[tuple[re.Pattern[str], tuple[int, ...]], ...]
ISSUERS: dict[str, _Issuers] = {
    head: tuple((re.compile(prefix), lengths) for prefix, lengths in issuers)
    for head, issuers in {
        "2": (("222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)), ("220[0-4]", (19, 18, 17, 16))),
        "3": (("3[47]", (15,)), ("35(?:2[89]|[3-8])", (19, 16)), ("36|3[089]", (16, 14))),
        "4": (("405512", (17, 16)), ("4", (19, 16, 13))),
        "5": (("521899", (17, 16)), ("5[1-5]", (16,)), ("50|5[678]", (19, 18, 17, 16))),
        "6": (("62|60|6[3-5]|67|690755", (19, 18, 17, 16)),),
        "8": (("81(?:[0-6]|7[01])|888|843", (19, 18, 17, 16)),),
        "9": (("955[89]|9559|9[04]|98|9111", (19, 18, 17, 16)),),
    }.items()
}


def card_lengths(prefix: str) -> int:
    """Lengths that a card with these four first digits may have, one bit each, that of 13 digits the lowest."""
    lengths: set[int] = set()
    for pattern, each in ISSUERS.get(prefix[0], ()):
        if pattern.match(prefix) or pattern.pattern.startswith(prefix) or f"|{prefix}" in pattern.pattern:
            lengths.update(each)
    return sum(1 << (length - 13) for length in lengths)
