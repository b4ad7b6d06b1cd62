"""Masking version 2: the groups of digits of a long text, and those that a number may begin with, by arrays.

Length, prefix, a possible date and Luhn's check (prefix sums) leave few groups for the rules. Only groups that the
rules would refuse are left out, so that the result is that of `read_groups`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from penjing.data.mask_v2_groups import LEAST, RARE, DigitRun
from penjing.data.mask_v2_tables import AREAS, MOST_GROUPS, PROVINCES, card_lengths

_WIDEST = 7  # a gap has at most 6 characters
_BEYOND = 24  # longer than any number, so that no search passes the end
_Numbers = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Digits:
    """All digits of a text, one entry each, and `_BEYOND` entries that are none.

    part: digits of one number have the same; alike: whether the gaps before the group that begins here and before
    the next one are the same single character.
    """

    values: _Numbers
    starts: _Flags
    group: _Numbers
    part: _Numbers
    alike: _Flags

    def ends(self, at: _Numbers, length: int) -> _Flags:
        """Whether so many digits from each of these places on may be one number that ends with a group."""
        last = at + length - 1
        few = (self.group[last] - self.group[at] < MOST_GROUPS) | ~self.alike[at]
        found: _Flags = self.starts[at + length] & (self.part[last] == self.part[at]) & few
        return found

    def number(self, at: _Numbers, length: int) -> _Numbers:
        """The number that so many digits from each of these places on make."""
        found = self.values[at]
        for offset in range(1, length):
            found = found * 10 + self.values[at + offset]
        bounded: _Numbers = np.minimum(found, 10**length - 1)
        return bounded


def read_groups_by_arrays(text: str) -> DigitRun | None:
    """The groups of a folded text, or None where it has too few digits."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    where = np.flatnonzero((codes >= 48) & (codes < 58))
    if len(where) < LEAST:
        return None
    values = codes[where].astype(np.int64) - 48
    step = np.diff(where, prepend=-100)
    at = np.flatnonzero(step > 1)
    before, after = codes[where - 1], codes[(where + 1) % len(codes)]
    broken = (step > _WIDEST) | ((step > 1) & ~(_joins(before) & _joins(np.roll(after, 1))))
    digits = _padded(values, step, broken, before)
    begins = np.append(at, len(where)).tolist()
    heads = np.flatnonzero(_may_begin(digits, at)).tolist()
    written = (values + 48).astype(np.uint8).tobytes().decode()
    marks = np.where(step[at] == 2, before[at], ord("?")).astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return DigitRun(text, written, begins, where[at].tolist(), heads, marks)


def _joins(codes: npt.NDArray[np.uint32]) -> _Flags:
    """Characters that a gap within a number may begin or end with."""
    found: _Flags = np.isin(codes, np.array([ord(mark) for mark in " -\n./·_。)(" + RARE], dtype=np.uint32))
    return found


def _padded(values: _Numbers, step: _Numbers, broken: _Flags, before: npt.NDArray[np.uint32]) -> _Digits:
    count = len(values)
    starts = np.zeros(count + _BEYOND, dtype=bool)
    starts[:count] = step > 1
    starts[count] = True
    at = np.flatnonzero(starts[:count])
    single, mark = step[at] == 2, before[at]
    alike = np.zeros(count + _BEYOND, dtype=bool)
    alike[at[:-1]] = single[:-1] & single[1:] & (mark[:-1] == mark[1:])
    return _Digits(
        np.append(values, np.full(_BEYOND, 99)),
        starts,
        np.append(np.cumsum(starts[:count]), np.full(_BEYOND, 1 << 40)),
        np.append(np.cumsum(broken), np.full(_BEYOND, -1)),
        alike,
    )


def _may_begin(digits: _Digits, at: _Numbers) -> _Flags:
    """For every group: whether it may begin a number. True too often, never too seldom."""
    two = digits.number(at, 2)
    found = _may_be_mobile(digits, at, 0) | _may_be_id(digits, at) | _may_be_card(digits, at)
    zero = np.flatnonzero(two < 10)
    found[zero] |= _may_be_mobile(digits, at[zero], 1) | _may_be_landline(digits, at[zero])
    coded = np.flatnonzero((two == 86) | (two < 10))
    for code, prefix in ((2, 86), (3, 86), (4, 86)):
        some = at[coded]
        ends = _may_be_mobile(digits, some, code)
        for length in range(10, 13):
            ends |= digits.ends(some, code + length)
        found[coded] |= (digits.number(some, code) == prefix) & ends
    return found


def _may_be_mobile(digits: _Digits, at: _Numbers, code: int) -> _Flags:
    prefix = digits.number(at + code, 2)
    return (prefix >= 13) & (prefix <= 19) & digits.ends(at, code + 11)


def _may_be_landline(digits: _Digits, at: _Numbers) -> _Flags:
    sizes = _areas()[digits.number(at, 4)]
    found: _Flags = (sizes == 3) & _is_subscriber(digits, at + 3) & digits.ends(at, 11)
    found |= (sizes == 4) & _is_subscriber(digits, at + 4) & (digits.ends(at, 11) | digits.ends(at, 12))
    return found


def _is_subscriber(digits: _Digits, at: _Numbers) -> _Flags:
    return (digits.values[at] >= 2) & (digits.values[at] <= 8)


def _may_be_id(digits: _Digits, at: _Numbers) -> _Flags:
    def is_day(offset: int) -> _Flags:
        month, day = digits.number(at + offset, 2), digits.number(at + offset + 2, 2)
        return (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)

    century = digits.number(at + 6, 2)
    now = ((century == 19) | (century == 20)) & is_day(10) & (digits.ends(at, 17) | digits.ends(at, 18))
    found: _Flags = _provinces()[digits.number(at, 2)] & (now | (is_day(8) & digits.ends(at, 15)))
    return found


def _may_be_card(digits: _Digits, at: _Numbers) -> _Flags:
    lengths = _card_lengths()[digits.number(at, 4)]
    rows = np.flatnonzero(lengths)
    some, lengths = at[rows], lengths[rows]
    values = digits.values
    doubled = np.where(values > 4, 2 * values - 9, 2 * values)
    odd = np.arange(len(values)) % 2 == 1
    sums = [np.append(0, np.cumsum(np.where(odd == flag, values, doubled))) for flag in (False, True)]
    fits = np.zeros(len(some), dtype=bool)
    for length in range(13, 20):
        end = some + length
        total = np.where(end % 2 == 1, sums[0][end] - sums[0][some], sums[1][end] - sums[1][some])
        fits |= ((lengths >> (length - 13)) % 2 == 1) & (total % 10 == 0) & digits.ends(some, length)
    found = np.zeros(len(at), dtype=bool)
    found[rows] = fits
    return found


@cache
def _provinces() -> _Flags:
    return np.array([f"{number:02d}" in PROVINCES for number in range(100)])


@cache
def _areas() -> _Numbers:
    """Digits of the area code that a number with these four first digits has; 0 where there is none."""
    written = (f"{number:04d}" for number in range(10_000))
    return np.array([3 if area[:3] in AREAS else 4 * (area in AREAS) for area in written], dtype=np.int64)


@cache
def _card_lengths() -> _Numbers:
    return np.array([card_lengths(f"{number:04d}") for number in range(10_000)], dtype=np.int64)
