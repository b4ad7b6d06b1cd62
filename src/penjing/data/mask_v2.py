"""Version 2 of the masking: digits are found through any separators and decided by length, prefix and check digit.

Resident ID (GB 11643-1999: check digit of ISO 7064 MOD 11-2, a real date; the old one of 15 digits), mobile, landline
(by its area code), bank card (issuer, length and Luhn), e-mail, vehicle plate (GA 36-2018, new-energy ones too), IPv4;
in full-width characters and in the digits of any script. Rules of form only: names, addresses and numbers in words are
not found. Nothing here changes once a release was made with it: another rule is another version.
"""

from __future__ import annotations

import re

from penjing.data.mask_v2_runs import find_numbers
from penjing.data.masked import PLACEHOLDERS, Masked, counted

# Decimal digits of all scripts of Unicode 14, ten from each of these on. A list, so that no Python changes a masking.
_ZEROS = (
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
    0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0,
    0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60,
    0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
)  # fmt: skip
# One character for one, so that a place in the folded text is the same place in the original.
_FOLD: dict[int, str] = {0xFF01 + i: chr(0x21 + i) for i in range(94)}
_FOLD |= {zero + digit: str(digit) for zero in _ZEROS for digit in range(10)}
_FOLD |= dict.fromkeys((0x9, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_FOLD |= dict.fromkeys((0xAD, *range(0x2010, 0x2016), 0x2043, 0x2212, 0x2500, 0x2501, 0xFE58, 0xFE63), "-")
_FOLD |= dict.fromkeys((0x2024, 0xFE52), ".") | {0xFF61: "。"} | dict.fromkeys((0x2044, 0x2215, 0xFF0F), "/")
_FOLD |= dict.fromkeys((0x2022, 0x2027, 0x2219, 0x22C5, 0x30FB, 0xFF65), "·") | {0xFE6B: "@"}
_FOLD |= dict.fromkeys((0xD7, 0x3A7, 0x3C7, 0x425, 0x445, 0x2169, 0x2179), "X")
_PASSES = 8

_LOCAL = r"A-Za-z0-9._%+\-'À-ɏ"
_LABEL = "[A-Za-z0-9À-ɏ][A-Za-z0-9À-ɏ-]{0,62}"
_DOT = r"(?:\.|。(?=(?:com|cn|net|org|edu|gov)(?![A-Za-z])))"  # an input method for Chinese makes a dot a full stop
_EMAIL = re.compile(
    rf"(?<![{_LOCAL}])[.%+\-']*+(?P<email>[{_LOCAL}]++@(?:{_LABEL}{_DOT}){{1,8}}[A-Za-z]{{2,24}})(?![A-Za-z])"
)
_SPACED_EMAIL = re.compile(
    rf"(?<![{_LOCAL}])[.%+\-']*+(?P<email>[{_LOCAL}]++(?: @ ?|@ )(?:(?:vip\.)?(?:qq|163|126|sina)|gmail|outlook|hotmail"
    r"|foxmail|sohu|yahoo|icloud|139|189|aliyun|live|msn)\.(?:com|cn|net)(?:\.cn)?)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"@[0-9]x\.(?:png|jpe?g|gif|webp|svg)$", re.IGNORECASE)

_OCTET = re.compile("25[0-5]|2[0-4][0-9]|1[0-9][0-9]|0[0-9][0-9]|[1-9]?[0-9]")
# The looks back come after the first character, so that the search can skip ahead to it; so it is with the plates.
_IP = re.compile(
    r"[0-9](?<![0-9]{2})(?<![0-9]\.[0-9])[0-9]{0,2}(?:(?:\.[0-9]{1,3}){3}|(?:。[0-9]{1,3}){3})(?![0-9])(?!\.[0-9])"
)
_IP_BEFORE = re.compile(
    "(?<![A-Za-z⟦])(?:ip|address|host|server|ping|dns|ssh|telnet|login|from|proxy|router|gateway|client|remote|peer|src|dst"
    "|tcp|udp|node)(?![A-Za-z])|https?://|地址|主机|服务器|网关|登录|登陆|来自|代理|路由|内网|外网|公网|网段|节点|设备|访问|客户端|@",
    re.IGNORECASE,
)
_IP_BEHIND = re.compile(":[0-9]{2,5}(?![0-9])|/(?:3[0-2]|[12]?[0-9])(?![0-9])")
_NO_IP_BEFORE = re.compile(
    "(?:(?<![A-Za-z])(?:v|ver|version|section|chapter|clause|article|appendix|release|build|firmware|driver|kernel|fig|figure"
    "|table|rev|app|ios|android|windows)|版本|版|章节|章|节|条款|条|款|第|附录|图|表|固件|驱动|内核|升级[到至]|更新[到至]|§"
    "|(?:chrome|firefox|safari|edge?|opr|version|micromessenger|browser)/)[ :：.]{0,2}(?:号|为|是|to)? ?$",
    re.IGNORECASE,
)
_SECTIONS = 31  # numbers of sections and of days are hardly larger
_NO_IP_BEHIND = re.compile(" ?(?:节(?!点)|章|条|款|版|小节|项(?!目))")

_INNER = "[ -]?"
_PLATE = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    "(?<![更最全高创革翻焕崭刷重清维上推]新)(?<![里讯为度蝶动翼上有星白乌风]云)(?<![尊珍昂可]贵)(?<![收珍典馆隐埋冷]藏)"
    "(?<![苏安康]宁)(?<![拉漆暗抹]黑)[ ·.-]?[A-HJ-NP-Z](?: ?[·.-] ?| )?(?P<number>"
    f"[0-9]{_INNER}[0-9]{_INNER}[0-9]{_INNER}[0-9]{_INNER}[0-9]{_INNER}[A-HJK](?![A-Z0-9])"
    f"|[A-HJK]{_INNER}[A-HJ-NP-Z0-9](?:{_INNER}[0-9]){{4}}(?![A-Z0-9])"
    f"|[A-HJ-NP-Z0-9](?:{_INNER}[A-HJ-NP-Z0-9]){{3}}{_INNER}(?:[A-HJ-NP-Z0-9](?![A-Z0-9])|[挂学警港澳领]))"
    " ?(?P<behind>型|款(?!待)|系列|版(?!权)|号楼|号线|栋|幢|批次|编号|产品|机型|级(?!别)|-[0-9])?",
    re.IGNORECASE,
)
_NO_PLATE_BEFORE = re.compile("(?:型号|产品|货号|料号|批号|图号|机型|款式|订单号?|编码)(?:为|是)?[:： ]{0,2}$")
_ANY = re.compile(r"[\d@＠﹫]")  # every kind has a digit of some script, or the sign of an e-mail address
Span = tuple[int, int, str]


def mask(text: str) -> Masked:
    """Replace every personal number by the placeholder of its kind.

    Idempotent in text and counts: counts are taken from the placeholders in the result, and a text that was masked
    holds nothing more to mask. Linear in the length of the text.
    """
    for _ in range(_PASSES):
        once = _once(text)
        if once == text:
            break
        text = once
    return counted(text)


def _once(text: str) -> str:
    if not _ANY.search(text):
        return text
    folded = text if text.isascii() and "\t" not in text else text.translate(_FOLD)
    found: list[Span] = []
    if "@" in folded:
        for pattern in (_EMAIL, _SPACED_EMAIL):
            folded = _take(folded, _emails(folded, pattern), found)
    if folded.count(".") >= 3 or folded.count("。") >= 3:
        folded = _take(folded, _addresses(folded), found)
    folded = _take(folded, find_numbers(folded), found)
    if not folded.isascii():
        _take(folded, _plates(folded), found)
    if not found:
        return text
    pieces, done = [], 0
    for start, end, kind in sorted(found):
        pieces += [text[done:start], PLACEHOLDERS[kind]]
        done = end
    return "".join([*pieces, text[done:]])


def _take(folded: str, spans: list[Span], found: list[Span]) -> str:
    """Note the spans, and blank them in the text, so that nothing else is found there and every place stays."""
    if not spans:
        return folded
    found += spans
    pieces, done = [], 0
    for start, end, _ in spans:
        pieces += [folded[done:start], "⟧" * (end - start)]
        done = end
    return "".join([*pieces, folded[done:]])


def _emails(folded: str, pattern: re.Pattern[str]) -> list[Span]:
    return [(*match.span("email"), "email") for match in pattern.finditer(folded) if not _PICTURE.search(match.group())]


def _addresses(folded: str) -> list[Span]:
    """IPv4 addresses. Four short numbers are those of a section or a version too: the words beside them decide."""
    spans = []
    for match in _IP.finditer(folded):
        start, end = match.span()
        before = folded[max(0, start - 16) : start]
        if _NO_IP_BEFORE.search(before) or _NO_IP_BEHIND.match(folded, end):
            continue
        written = match.group().replace("。", ".").split(".")
        if not all(map(_OCTET.fullmatch, written)):
            continue
        octets = list(map(int, written))
        if not octets[0]:
            continue
        large = max(octets) > _SECTIONS or octets[:2] == [10, 0]
        if large or _IP_BEFORE.search(before) or _IP_BEHIND.match(folded, end):
            spans.append((start, end, "ip"))
    return spans


def _plates(folded: str) -> list[Span]:
    spans = []
    for match in _PLATE.finditer(folded):
        number, start = match.group("number"), match.start()
        if match["behind"] or _NO_PLATE_BEFORE.search(folded[max(0, start - 8) : start]):
            continue
        if sum(map(str.isdigit, number)) >= 3 and number.count(" ") + number.count("-") <= 2:
            spans.append((start, match.end("number"), "plate"))
    return spans
