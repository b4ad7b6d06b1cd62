"""Masking version 2: what a run of digits can be: resident ID, bank card, mobile, landline.

Length, prefix and check digit decide, then the shape of its groups and the text around it. Nothing here changes
once a release was made with it: another rule is another version.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from penjing.data.mask_v2_context import in_code, is_amount, is_fraction, is_order
from penjing.data.mask_v2_groups import GAP, RARE, DigitRun, FoundNumber
from penjing.data.mask_v2_tables import AREAS, EIGHT_DIGITS, FEW_GROUPS, ISSUERS, MOST_GROUPS, PROVINCES

_VERSION = re.compile("(?:[vV]|[Vv]er(?:sion)?|版本|版|固件|[A-Za-z]/) ?[:：]?号? ?$")
_VALUES = bytes(code - 48 if 48 <= code < 58 else 0 for code in range(256))
_DOUBLED = bytes(sum(divmod(2 * value, 10)) if value < 10 else 0 for value in range(256))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE_SHAPES = {(3, 4, 4), (4, 4, 3), (3, 3, 5), (3, 8), (4, 3, 4), (3, 2, 2, 2, 2), (3, 4, 2, 2), (5, 6), (7, 4)}
_TOLL_FREE = frozenset(("800", "833", "844", "855", "866", "877", "888"))  # 1-800-… in North America
_COUNTRY = re.compile("(?:0?0?86)")
# After a zero for long distance only assigned prefixes count: 12 digits with a zero are rarely a phone number.
_ALLOCATED = re.compile("1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])")
_X = re.compile(f"(?:{GAP.pattern})?[Xx]")
_RARE = frozenset(RARE)
_UNEVEN = frozenset("./_\n") | _RARE
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def numbers_at(run: DigitRun, first: int) -> Iterator[FoundNumber]:
    """What may begin at a group."""
    begin = run.begins[first]
    head, rest = run.digits[begin], run.begins[-1] - begin
    if rest >= 15 and head in "12345678" and run.digits[begin : begin + 2] in PROVINCES:
        yield from _id_card(run, first, begin)
    if rest >= 13 and head in "2345689":
        yield from _card(run, first, begin, head)
    elif head == "1":
        yield from _mobile(run, first, 0)
    if head in "08":
        country = _COUNTRY.match(run.digits, begin)
        if country is not None:
            yield from _mobile(run, first, country.end() - begin)
            yield from _landline(run, first, country.end() - begin)
        if head == "0":
            yield from _mobile(run, first, 1)
            yield from _landline(run, first, 0)


def _stretch(run: DigitRun, first: int, length: int) -> int | None:
    """The last group of `length` digits, if a group ends there and the groups are few or separate."""
    last = run.last_of(first, length)
    if last is None or last == first:
        return last
    many = last - first >= FEW_GROUPS and (last - first >= MOST_GROUPS or run.crowded(first))
    if many and not run.alone(first, last):
        return None
    return last if all(map(run.gap, range(first + 1, last + 1))) else None


def _id_card(run: DigitRun, first: int, begin: int) -> Iterator[FoundNumber]:
    number = run.digits[begin : begin + 18]
    if number[6:8] in ("19", "20") and _is_date(number[6:14]):
        last = _stretch(run, first, 18)
        if last is not None and _is_id_card(number):
            yield FoundNumber("id_card", first, last, 2000)
        last = _stretch(run, first, 17)
        tail = None if last is None else _X.match(run.text, run.place_after(last))
        if last is not None and tail is not None and _is_id_card(number[:17] + "X"):
            yield FoundNumber("id_card", first, last, 2000, len(tail.group()))
    last = _stretch(run, first, 15)
    if last is None or run.sizes(first, last) not in {(15,), (6, 6, 3)} or is_fraction(run, first):
        return
    if _is_old_id(number[:15]) and not in_code(run, first, last) and not _between_letters(run, first, last):
        yield FoundNumber("id_card", first, last, 155)


def _is_id_card(number: str) -> bool:
    """18 characters: the check digit of GB 11643-1999 (ISO 7064, MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return len(number) == 18 and number[17] == "10X98765432"[total % 11]


def _is_old_id(number: str) -> bool:
    """15 digits, issued until 1999: no check digit, so the prefecture must be possible and the date real."""
    prefecture = int(number[2:4])
    possible = 1 <= prefecture <= 34 or 51 <= prefecture <= 53 or prefecture == 90
    imei = number.startswith("35") and luhn(number)
    return possible and number[4:6] != "00" and _is_date("19" + number[6:12]) and number[12:] != "000" and not imei


def _is_date(digits: str) -> bool:
    try:
        born = datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return 1900 <= born.year < 2100


def luhn(digits: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1, annex B)."""
    values = digits.encode().translate(_VALUES)
    return (sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


def _is_barcode(digits: str) -> bool:
    """The check digit of an EAN-13, which a card number of 13 digits has by chance only."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def _card(run: DigitRun, first: int, begin: int, head: str) -> Iterator[FoundNumber]:
    if all(run.last_of(first, length) is None for length in range(13, 20)):
        return
    for length in next((each for prefix, each in ISSUERS[head] if prefix.match(run.digits, begin)), ()):
        number = run.digits[begin : begin + length]
        if len(number) < length or not luhn(number) or (length == 13 and _is_barcode(number)):
            continue
        last = _stretch(run, first, length)
        if last is not None and _card_fits_context(run, first, last):
            yield FoundNumber("bank_card", first, last, 10 * length + 30)


def _card_fits_context(run: DigitRun, first: int, last: int) -> bool:
    gaps = run.gaps(first, last)
    if "(" in gaps or is_fraction(run, first) or in_code(run, first, last) or is_order(run, first):
        return False
    if _between_letters(run, first, last) or is_amount(run, first, last):
        return False
    if gaps == ["."] or _is_dated(run, first, last):
        return False  # a decimal, or from one day to another
    if not _UNEVEN.isdisjoint(gaps) and not run.alone(first, last):
        return False  # decimals of a table
    sizes = run.sizes(first, last)
    even = len(set(sizes[:-1])) <= 1 and sizes[0] >= 3
    if not _RARE.isdisjoint(gaps):
        return even and sizes[0] == 4 and len(set(gaps)) == 1
    return even or (len(sizes) <= 3 and min(sizes) >= 4) or run.alone(first, last)


def _between_letters(run: DigitRun, first: int, last: int) -> bool:
    """Whether it is inside a word of letters and digits, as the digits of a hash are."""
    start, end = run.places[first], run.place_after(last)
    return start > 0 and run.text[start - 1] in _LETTERS and run.text[end : end + 1] in _LETTERS


def _mobile(run: DigitRun, first: int, code: int) -> Iterator[FoundNumber]:
    """11 digits, 13 to 19 in front; `code`: digits of a country code or of the zero for long distance before them."""
    begin = run.begins[first] + code
    if not "13" <= run.digits[begin : begin + 2] <= "19":
        return
    last = _stretch(run, first, code + 11)
    if last is None or (code == 1 and (_is_decimal(run, first, last) or not _ALLOCATED.match(run.digits, begin))):
        return
    if last > first:
        sizes, gaps = run.sizes(first, last, code), run.gaps(first, last)
        gaps = gaps[len(gaps) - len(sizes) + 1 :]
        if _in_fours(run, first, 1 if code == 1 else 2):
            return
        if len(sizes) > 1 and (
            ("(" in gaps and sizes[0] != 3)
            or _is_dated(run, first, last)
            or _between_letters(run, first, last)
            or not _is_phone_shape(run, first, last, sizes, set(gaps))
        ):
            return
    if is_fraction(run, first) or in_code(run, first, last):
        return
    if code < 2 and (is_amount(run, first, last) or is_order(run, first)):
        return
    yield FoundNumber("mobile", first, last, 10 * (code + 11) + 20)


def _is_phone_shape(run: DigitRun, first: int, last: int, sizes: tuple[int, ...], gaps: set[str]) -> bool:
    number = run.digits[run.begins[last + 1] - sum(sizes) : run.begins[last + 1]]
    if sizes[1:] == (3, 3, 3) and (gaps <= {".", ","} or number.endswith("000")):
        return False  # thousands
    if len(sizes) == 2 and gaps == {"-"} and number[: sizes[0]].endswith("00") and number.endswith("00"):
        return False  # from one amount to another
    if sizes == (1, 3, 3, 4) and number[1:4] in _TOLL_FREE:
        return False
    if gaps & _RARE:
        return len(gaps) == 1 and sizes == (3, 4, 4) and run.alone(first, last)
    if "\n" in gaps:  # a line was wrapped inside it; a column of numbers is no phone number
        wrapped = run.gaps(first, last).count("\n") == 1 and sizes == (3, 4, 4) and len(gaps) > 1
        return wrapped or run.alone(first, last)
    if gaps & {".", "/", "。", "_"}:
        if len(gaps) > 1 or len(sizes) == 2 or min(sizes) < 2 or not run.alone(first, last):
            return False
        return not _VERSION.search(run.text[max(0, run.places[first] - 12) : run.places[first]])
    return sizes in _MOBILE_SHAPES or run.alone(first, last)


def _is_dated(run: DigitRun, first: int, last: int) -> bool:
    """Whether the groups read as a date: 1985-03-12, 12.03.1985, 19850312 101."""
    groups = [run.digits[run.begins[group] : run.begins[group + 1]] for group in range(first, last + 1)]
    if len(groups[0]) == 8 and _is_date(groups[0]):
        return True
    for one, two, three in zip(groups, groups[1:], groups[2:], strict=False):
        for year, month, day in ((one, two, three), (three, two, one), (three, one, two)):
            short = len(year) == 4 and len(month) <= 2 and len(day) <= 2
            if short and _is_date(year + month.zfill(2) + day.zfill(2)):
                return True
    return False


def _landline(run: DigitRun, first: int, code: int) -> Iterator[FoundNumber]:
    """An area code and 7 or 8 digits; `code`: digits of the country code, after which the zero may be missing."""
    begin = run.begins[first] + code
    zero = run.digits[begin : begin + 1] == "0"
    if (
        code
        and not zero
        and run.last_of(first, code) is None
        and run.text[run.places[first] - 1 : run.places[first]] != "+"
    ):
        return
    national = run.digits[begin : begin + 12] if zero else "0" + run.digits[begin : begin + 11]
    area = next((national[:size] for size in (3, 4) if national[:size] in AREAS), None)
    if area is None:
        return
    for length in (8, 7) if len(area) == 4 and area not in EIGHT_DIGITS else (8,):
        subscriber = national[len(area) : len(area) + length]
        last = _stretch(run, first, code + len(area) - (not zero) + length)
        if last is None or len(subscriber) < length or subscriber[0] not in "2345678":
            continue
        if length == 8 and _is_date(subscriber):
            continue
        if _landline_fits_context(run, first, last, begin, begin + len(area) - (not zero)):
            yield FoundNumber("landline", first, last, 10 * (code + len(area) - (not zero) + length) + 10)


def _landline_fits_context(run: DigitRun, first: int, last: int, area: int, subscriber: int) -> bool:
    """area, subscriber: where in the digits the area code and the subscriber number begin."""
    if is_fraction(run, first) or is_amount(run, first, last) or in_code(run, first, last) or is_order(run, first):
        return False
    if first == last:
        return True
    gaps = set(run.gaps(first, last))
    if gaps & _RARE or ("\n" in gaps and not run.alone(first, last)) or _is_decimal(run, first, last):
        return False
    if run.gap(last) == "." and run.begins[last + 1] - run.begins[last] == 1:
        return False  # the number of an item
    if _between_letters(run, first, last) or _is_dated(run, first, last) or _in_fours(run, first):
        return False
    begins = set(run.begins[first : last + 1])
    whole = begins.isdisjoint(range(area + 1, subscriber))
    return (whole and subscriber in begins) or run.alone(first, last)


def _is_decimal(run: DigitRun, first: int, last: int) -> bool:
    """Whether it is a zero, a point and digits."""
    return last > first and run.begins[first + 1] - run.begins[first] == 1 and run.gap(first + 1) == "."


def _in_fours(run: DigitRun, first: int, least: int = 1) -> bool:
    """Whether at least `least` groups of four come before it: a wrong card number or an account is no phone."""
    block = first
    if run.begins[first + 1] - run.begins[first] != 4:
        return False
    gap = run.gap(first + 1)
    while block and run.gap(block) == gap and run.begins[block] - run.begins[block - 1] == 4:
        block -= 1
        if first - block > 4:
            return False
    return first - block >= least and run.digits[run.begins[block]] in "123456789"
