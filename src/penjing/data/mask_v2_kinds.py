"""What a stretch of digits can be, of the second masking: resident ID, bank card, mobile, landline.

Length, prefix and check digit decide; then the shape of its groups and what is beside it. Nothing here changes
once a release was made with it: another rule is another version.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from penjing.data.mask_v2_groups import DigitRun, FoundNumber

# A number beside a currency or a unit is an amount.
_UNIT = re.compile(
    r"(?:\.[0-9]{1,2})? ?(?:[万亿美欧日港]?元(?![旦宵])|美金|人民币|%|(?:RMB|CNY|USD|HKD|EUR|JPY)(?![A-Za-z]))"
)
_MONEY = re.compile("(?:[¥$€£₩]|RMB|CNY|USD|HKD|EUR|JPY) ?$")
_VERSION = re.compile("(?:[vV]|[Vv]er(?:sion)?|版本|版|固件|[A-Za-z]/) ?[:：]?号? ?$")

_SERIAL = re.compile("[0-9][A-Za-z]+$")


def _ranges(written: str) -> frozenset[str]:
    found: set[str] = set()
    for word in written.split():
        low, _, high = word.partition("-")
        found.update(str(number).zfill(len(low)) for number in range(int(low), int(high or low) + 1))
    return frozenset(found)


_VALUES = bytes(code - 48 if 48 <= code < 58 else 0 for code in range(256))
_DOUBLED = bytes(sum(divmod(2 * value, 10)) if value < 10 else 0 for value in range(256))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCES = _ranges("11-15 21-23 31-37 41-46 50-54 61-65 71 81-83")


# Area codes of the mainland, those of cities that have joined another one since too.
_AREAS = _ranges(
    "010 020-025 027-029 0310-0319 0335 0349-0359 0370-0379 0391-0396 0398 0410-0419 0421 0427 0429 0431-0440 "
    "0451-0459 0464 0467-0479 0482-0483 0510-0519 0523 0527 0530-0539 0543 0546 0550-0559 0561-0566 0570-0580 "
    "0591-0599 0631-0635 0660 0662-0663 0668 0691-0692 0701 0710-0719 0722 0724 0728 0730-0739 0743-0746 "
    "0750-0760 0762-0763 0766 0768-0779 0790-0799 0812-0813 0816-0819 0825-0827 0830-0839 0851-0859 0870-0879 "
    "0883 0886-0888 0891-0899 0901-0903 0906 0908-0909 0911-0917 0919 0930-0939 0941 0943 0951-0955 0970-0979 "
    "0990-0999 "
)
# First digits of a card number and the lengths that its issuers give (ISO/IEC 7812; the ranges of the networks and of
# Chinese banks before UnionPay's 62), by the first digit; the first prefix that fits counts.
_ISSUERS: dict[str, tuple[tuple[re.Pattern[str], tuple[int, ...]], ...]] = {
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
_MOBILE_SHAPES = {(3, 4, 4), (4, 4, 3), (3, 3, 5), (3, 8), (4, 3, 4), (3, 2, 2, 2, 2), (3, 4, 2, 2), (5, 6), (7, 4)}
_TOLL_FREE = frozenset(("800", "833", "844", "855", "866", "877", "888"))  # 1-800-… in North America
_COUNTRY = re.compile("(?:0?0?86)")
# Behind a zero for long distance only prefixes that are given out count: 12 digits with a zero are rarely a number.
_ALLOCATED = re.compile("1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])")


def numbers_at(run: DigitRun, first: int) -> Iterator[FoundNumber]:
    """What may begin at a group."""
    begin, head = run.begins[first], run.digits[run.begins[first]]
    if head == "X":
        return
    if head in "12345678":
        yield from _id_card(run, first, begin)
    if head in "2345689":
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
    """The last group of a stretch of so many digits, where groups end there and are few or stand alone."""
    last = run.ends.get(run.begins[first] + length)
    if last is None or (last - first >= run.most and not run.alone(first, last)):
        return None
    return last


def _id_card(run: DigitRun, first: int, begin: int) -> Iterator[FoundNumber]:
    if run.digits[begin : begin + 2] not in _PROVINCES:
        return
    last = _stretch(run, first, 18)
    if last is not None and _is_id_card(run.digits[begin : begin + 18]):
        yield FoundNumber("id_card", first, last, 2000)
    last = _stretch(run, first, 15)
    if last is None or run.sizes(first, last) not in {(15,), (6, 6, 3)} or _is_fraction(run, first):
        return
    if _is_old_id(run.digits[begin : begin + 15]) and not _between_letters(run, first, last):
        yield FoundNumber("id_card", first, last, 155)


def _is_id_card(number: str) -> bool:
    """18 characters: a date, and the check digit of GB 11643-1999 (ISO 7064, MOD 11-2)."""
    if "X" in number[:17] or not _is_date(number[6:14]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return number[17] == "10X98765432"[total % 11]


def _is_old_id(number: str) -> bool:
    """15 digits, given out until 1999: no check digit, so the prefecture must be possible and the date real."""
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
    ends = [length for length in range(13, 20) if begin + length in run.ends]
    lengths = next((each for prefix, each in _ISSUERS[head] if prefix.match(run.digits, begin)), ()) if ends else ()
    for length in lengths:
        if length not in ends:
            continue
        number = run.digits[begin : begin + length]
        if "X" in number or not luhn(number) or (length == 13 and _is_barcode(number)):
            continue
        last = _stretch(run, first, length)
        if last is not None and _card_may_stand(run, first, last):
            yield FoundNumber("bank_card", first, last, 10 * length + 30)


def _card_may_stand(run: DigitRun, first: int, last: int) -> bool:
    gaps = run.gaps[first + 1 : last + 1]
    if "(" in gaps or _is_fraction(run, first) or _between_letters(run, first, last) or _in_serial(run, first):
        return False
    if gaps == ["."]:
        return False  # a decimal
    if not {".", "/", "_"}.isdisjoint(gaps) and not run.alone(first, last):
        return False  # decimals of a table
    sizes = run.sizes(first, last)
    even = len(set(sizes[:-1])) <= 1 and sizes[0] >= 3
    return even or (len(sizes) <= 3 and min(sizes) >= 4) or run.alone(first, last)


def _is_fraction(run: DigitRun, first: int) -> bool:
    """The digits behind the point of a decimal; `1.` and `12.` in front may be the number of a point in a list."""
    if not first or run.gaps[first] != ".":
        return False
    before = run.digits[run.begins[first - 1] : run.begins[first]]
    return before == "0" or (len(before) == 3 and before <= "180")


def _in_serial(run: DigitRun, first: int) -> bool:
    """Digits at the end of a word that has letters and digits before them, as in 1Z999AA10123456784."""
    start = run.places[first]
    return _SERIAL.search(run.text[max(0, start - 16) : start]) is not None


def _between_letters(run: DigitRun, first: int, last: int) -> bool:
    """Within a word of letters and digits, as the digits of a hash are."""
    start, end = run.places[first], run.place_after(last)
    before, after = run.text[start - 1 : start] if start else "", run.text[end : end + 1]
    return before.isascii() and before.isalpha() and after.isascii() and after.isalpha()


def _mobile(run: DigitRun, first: int, code: int) -> Iterator[FoundNumber]:
    """11 digits, 13 to 19 in front; `code`: digits of a country code or of the zero for long distance before them."""
    begin = run.begins[first] + code
    if run.digits[begin : begin + 1] != "1" or run.digits[begin + 1 : begin + 2] not in tuple("3456789"):
        return
    last = _stretch(run, first, code + 11)
    if last is None or not run.digits[begin : begin + 11].isdigit():
        return
    sizes, gaps = run.sizes(first, last, code), run.gaps[first + 1 : last + 1]
    gaps = gaps[len(gaps) - len(sizes) + 1 :]
    if code == 1 and not _ALLOCATED.match(run.digits, begin):
        return
    if first < last and _in_fours(run, first, 1 if code == 1 else 2):
        return
    if len(sizes) == 1:
        if _is_fraction(run, first) or _is_amount(run, first, last) or _in_serial(run, first):
            return
    elif (
        ("(" in gaps and sizes[0] != 3)
        or _is_dated(run, first, last)
        or _between_letters(run, first, last)
        or not _is_phone_shape(run, first, last, sizes, set(gaps))
    ):
        return
    yield FoundNumber("mobile", first, last, 10 * (code + 11) + 20)


def _is_phone_shape(run: DigitRun, first: int, last: int, sizes: tuple[int, ...], gaps: set[str]) -> bool:
    number = run.digits[run.begins[last + 1] - sum(sizes) : run.begins[last + 1]]
    if sizes[1:] == (3, 3, 3) and (gaps == {"."} or number.endswith("000") or _is_amount(run, first, last)):
        return False  # thousands
    if len(sizes) == 2 and gaps == {"-"} and number[: sizes[0]].endswith("00") and number.endswith("00"):
        return False  # from one amount to another
    if sizes == (1, 3, 3, 4) and number[1:4] in _TOLL_FREE:
        return False
    if gaps & {".", "/", "。", "_"}:
        if len(gaps) > 1 or len(sizes) == 2 or min(sizes) < 2 or not run.alone(first, last):
            return False
        return not _VERSION.search(run.text[max(0, run.places[first] - 12) : run.places[first]])
    return sizes in _MOBILE_SHAPES or run.alone(first, last)


def _is_amount(run: DigitRun, first: int, last: int) -> bool:
    start, end = run.places[first], run.place_after(last)
    return bool(_UNIT.match(run.text, end) or _MONEY.search(run.text[max(0, start - 4) : start]))


def _is_dated(run: DigitRun, first: int, last: int) -> bool:
    """Groups that read as a date: 1985-03-12, 12.03.1985, 19850312 101."""
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
    if code and not zero and begin not in run.ends and run.text[run.places[first] - 1 : run.places[first]] != "+":
        return
    national = run.digits[begin : begin + 12] if zero else "0" + run.digits[begin : begin + 11]
    area = next((national[:size] for size in (3, 4) if national[:size] in _AREAS), None)
    if area is None:
        return
    for length in (8, 7) if len(area) == 4 else (8,):
        subscriber = national[len(area) : len(area) + length]
        last = _stretch(run, first, code + len(area) - (not zero) + length)
        if last is None or len(subscriber) < length or subscriber[0] not in "2345678" or "X" in subscriber:
            continue
        if length == 8 and _is_date(subscriber):
            continue
        if _landline_may_stand(run, first, last, begin, begin + len(area) - (not zero)):
            yield FoundNumber("landline", first, last, 10 * (code + len(area) - (not zero) + length) + 10)


def _landline_may_stand(run: DigitRun, first: int, last: int, area: int, subscriber: int) -> bool:
    if first == last:
        return not _is_fraction(run, first) and not _is_amount(run, first, last)
    if _between_letters(run, first, last) or _is_dated(run, first, last) or _in_fours(run, first):
        return False
    whole = all(place not in run.ends for place in range(area + 1, subscriber))
    return (whole and subscriber in run.ends) or run.alone(first, last)


def _in_fours(run: DigitRun, first: int, least: int = 1) -> bool:
    """Behind at least so many groups of four of one number: a card with a wrong digit, an account, is no phone."""
    block = first
    if run.begins[first + 1] - run.begins[first] != 4:
        return False
    while block and run.gaps[block] == run.gaps[first + 1] and run.begins[block] - run.begins[block - 1] == 4:
        block -= 1
        if first - block > 4:
            return False
    return first - block >= least and run.digits[run.begins[block]] in "123456789"
