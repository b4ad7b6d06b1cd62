"""Masking version 2: words next to digits that show that these are no telephone number and no card.

Decimals, amounts, measurements, order numbers and parts of longer codes. Nothing here changes once a release was
made with it: another rule is another version.
"""

from __future__ import annotations

import re

from penjing.data.mask_v2_groups import DigitRun

# A number next to a currency or a unit is an amount.
_AMOUNT_BEHIND = re.compile(
    r"(?:\.[0-9]{1,2}(?![0-9]))? ?(?:[万亿美欧日港]?元(?![旦宵])|美金|人民币|[%‰℃°㎡]"
    r"|(?:RMB|CNY|USD|HKD|EUR|JPY)(?![A-Za-z])"
    r"|度(?![假过])|米(?![小先女线])|千瓦|千米|千克|公里|公斤|平方|立方|毫[升米克秒]|[微纳]秒|厘米|字节|人次|万[人次]|吨|摄氏"
    r"|(?:[kKmMGT]?(?:Wh?|Hz|[Bb]|bps|Pa)|[kmµu]g|[kcmnµu]m|m[lL]|[mnµu]s|bytes?|bits?|rpm|ppm|pcs|times)(?![A-Za-z]))"
)
_AMOUNT_BEFORE = re.compile(
    r"(?:[¥$€£₩]|RMB|CNY|USD|HKD|EUR|JPY|[金余]额|共计|合计|总计|总额|[≈≠±^])(?:为|是|:)? ?[-+]?$"
)
# A number that the words call an order, a case or a device.
_ORDER_BEFORE = re.compile(
    r"(?:(?:[订工运货批案票]单?|快递单|物流单|流水|[发税]票|合同|序列|[设串备]|型|书|交易|受理|业务单?|凭证)(?:编?号码?|代码)|[单串]号"
    r"|条形?码|ISBN|SKU|IMEI|ICCID|(?<![A-Za-z])(?:order|invoice|tracking|ticket|serial|batch|parcel|part|model|case)"
    r" ?(?:no\.?|number|num|id|#)|barcode|timestamp)(?:为|是| is)? ?[#:=]? ?$",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(r"([A-Za-z]+)([-_#]?)$")
_WORD_BEHIND = re.compile(r"[-_]?([A-Za-z]{1,4})[-_]?[0-9]")
_SERIAL = re.compile(r"[0-9][-_]?[A-Za-z]+[-_]?$")
_CONTACT = re.compile(
    "^(?:[mtpchowvfxs]|no|nr|id|ph|hp|wx|vx|qq|is|at|to|on|or|and|wa|cc|ac|ext)$"
    "|(?:tel|phone|mobile|mob|cell|call|fax|contact|chat|weixin|whatsapp|hotline|number|num|dial|sms|card|visa|amex"
    "|unionpay|bank|account|acct|dianhua|shouji|office|home|work|telephone)$",
    re.IGNORECASE,
)
_CONTACT_NEAR = re.compile("电话|手机|号码|联系|致电|回电|拨打|微信|tel|phone|mobile|call|contact", re.IGNORECASE)
# The last characters of those words, so that most numbers need no search.
_AMOUNT_ENDS = frozenset("¥$€£₩BYDKR额计总≈≠±^bydkr")
_ORDER_ENDS = frozenset("号码.#代ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_BOUNDARY = " \n\t;。,:(、!?[】)/⟧"


def is_amount(run: DigitRun, first: int, last: int) -> bool:
    """Whether a currency, a unit or a word for a sum is next to it."""
    start, end = run.places[first], run.place_after(last)
    text = run.text
    if _AMOUNT_BEHIND.match(text, end):
        return True
    before = text[max(0, start - 8) : start].rstrip(" :+-为是")[-1:]
    return before in _AMOUNT_ENDS and _AMOUNT_BEFORE.search(text[max(0, start - 8) : start]) is not None


def is_order(run: DigitRun, first: int) -> bool:
    """Whether the words before it call it the number of an order, a case or a device."""
    start = run.places[first]
    before = run.text[max(0, start - 8) : start].rstrip(" :=#为是")[-1:]
    if before not in _ORDER_ENDS:
        return False
    return _ORDER_BEFORE.search(run.text[max(0, start - 20) : start]) is not None


def in_code(run: DigitRun, first: int, last: int) -> bool:
    """Whether it is part of a code of letters and digits: PO-0371-6234-567, 1Z999AA10123456784, SN13812345678."""
    start, end = run.places[first], run.place_after(last)
    text = run.text
    behind = text[end : end + 1]
    if behind.isascii() and (behind.isalpha() or behind in ("-", "_")):
        word = _WORD_BEHIND.match(text, end)
        if word is not None and not _CONTACT.search(word[1]):
            return True
    before = text[start - 1 : start] if start else ""
    if not before.isascii() or not (before.isalpha() or before in ("-", "_", "#")):
        return False
    head = text[max(0, start - 16) : start]
    word = _WORD_BEFORE.search(head)
    if word is None or _CONTACT.search(word[1]):
        return False
    return bool(word[2] or word[1][-1].isupper() or _SERIAL.search(head))


def is_fraction(run: DigitRun, first: int) -> bool:
    """Whether these are the digits after a decimal point; `1.` and `12.` before it may number an item of a list."""
    if run.gap(first) != ".":
        return False
    before = run.digits[run.begins[first - 1] : run.begins[first]]
    if before == "0" or (len(before) == 3 and before <= "180"):
        return True
    if len(before) > 2:
        return False
    place, text = run.places[first - 1], run.text
    if place and text[place - 1] not in _BOUNDARY:
        return True
    above = text[max(0, place - 300) : place]
    if before == "1" or re.search(rf"(?<![0-9]){int(before) - 1}[.、]", above):
        return False
    return _CONTACT_NEAR.search(above[-12:]) is None
