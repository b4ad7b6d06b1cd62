"""Version 2 of the masking: digits are found through any separators and decided by length, prefix and check digit.

Resident ID (GB 11643-1999: check digit of ISO 7064 MOD 11-2, a real date; the old one of 15 digits), mobile, landline
(by its area code), bank card (issuer, length and Luhn), e-mail, vehicle plate (GA 36-2018, new-energy ones too), IPv4;
in full-width characters, in the digits of any script, in words and signs for digits, through line ends and invisible
characters. Rules of form only: names and addresses are not found. Nothing here changes once a release was made with it:
another rule is another version.
"""

from __future__ import annotations

import re

from penjing.data.mask_v2_fold import fold, has_signs, read_signs
from penjing.data.mask_v2_mail import find_mail, may_hold_mail
from penjing.data.mask_v2_runs import find_numbers
from penjing.data.masked import PLACEHOLDERS, Masked, counted
from penjing.data.offsets import Edit, Edits

_PASSES = 8

_OCTET = re.compile("25[0-5]|2[0-4][0-9]|1[0-9][0-9]|0[0-9][0-9]|[1-9]?[0-9]")
# The lookbehinds come after the first character, so that the search can skip ahead to it; the same for plates.
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
    passes: list[Edits] = []
    for _ in range(_PASSES):
        if not (_ANY.search(text) or has_signs(text) or may_hold_mail(text)):
            break
        once, edits = _once(text)
        if once == text:
            break
        text = once
        passes.append(edits)
    return counted(text, passes)


def _once(text: str) -> tuple[str, Edits]:
    folded, places = fold(text)
    spans = _find(folded)
    if not spans:
        return text, ()
    edits: list[Edit] = []
    pieces, done = [], 0
    for start, end, kind in spans:
        if places is not None:
            start, end = places[start], places[end] if end < len(places) else len(text)
        token = PLACEHOLDERS[kind]
        pieces += [text[done:start], token]
        edits.append((start, end, len(token)))
        done = end
    return "".join([*pieces, text[done:]]), edits


def _find(folded: str) -> list[Span]:
    found: list[Span] = []
    folded = _take(folded, find_mail(folded), found)
    if folded.count(".") >= 3 or folded.count("。") >= 3:
        folded = _take(folded, _addresses(folded), found)
    folded = _take(folded, find_numbers(folded), found)
    if not folded.isascii():
        folded = _take(folded, _plates(folded), found)
        for trimmed in (False, True):
            read = read_signs(folded, trimmed)
            if read is None:
                break
            folded = _take(folded, find_numbers(read), found)
    return sorted(found)


def _take(folded: str, spans: list[Span], found: list[Span]) -> str:
    """Add the spans to `found`, and blank them in the text, so that nothing else is found there; places stay."""
    if not spans:
        return folded
    found += spans
    pieces, done = [], 0
    for start, end, _ in spans:
        pieces += [folded[done:start], "⟧" * (end - start)]
        done = end
    return "".join([*pieces, folded[done:]])


def _addresses(folded: str) -> list[Span]:
    """IPv4 addresses. Four short numbers may also be a section or a version: the words next to them decide."""
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
