"""Labelled texts for the masking bench: personal numbers as people write them, and other numbers.

`texts(seed, items)` gives sentences in Chinese and English with one to three items each. Two items of three are
personal numbers of the seven kinds, the third is a hard negative. Written before the second version of the masking
and without its patterns: the forms are those of real messages (groups of four, groups of any length, full-width
digits, country codes, extensions), and a negative takes whatever digits its own rule gives.
"""

from __future__ import annotations

import datetime
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

from masking_negatives import NEGATIVES, digits, luhn_digit
from penjing.data.clean import clean

_SPACES = (" ", " ", " ", " ", "  ", "\u3000", "\u00a0", "\u2009")
_DASHES = ("-", "-", "-", "-", "－", "–", "—", " - ", "‑")
_MARKS = (".", ".", "/", "·", "．")
_SIGNS = ("〇一二三四五六七八九", "零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "⓪①②③④⑤⑥⑦⑧⑨")
_OTHER_DIGITS = ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "𝟢𝟣𝟤𝟥𝟦𝟧𝟨𝟩𝟪𝟫")


@dataclass(frozen=True)
class Gold:
    """A personal number at [start, end) of the text; [outer_start, outer_end) adds country code and extension."""

    kind: str
    start: int
    end: int
    outer_start: int
    outer_end: int


@dataclass(frozen=True)
class Text:
    """A text, the personal numbers in it, and the names and places of its negatives."""

    text: str
    gold: tuple[Gold, ...]
    negatives: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Written:
    """A number as it is written: what may stand before it (a country code), its core, and what may follow."""

    before: str
    core: str
    after: str = ""


def texts(seed: int, items: int) -> list[Text]:
    """Sentences with `items` items in all, or up to two more; the same for the same seed."""
    rng = random.Random(seed)
    made: list[Text] = []
    count = 0
    while count < items:
        parts = rng.choices((1, 2, 3), (70, 20, 10))[0]
        made.append(_text(rng, parts))
        count += parts
    return made


def _text(rng: random.Random, parts: int) -> Text:
    text, gold, negatives = "", [], []
    for place in range(parts):
        if place:
            text += rng.choice(("；", "。", "，", "; ", ", ", "\n", " "))
        if rng.random() < 1 / 3:
            name = rng.choice(list(NEGATIVES))
            make, carriers = NEGATIVES[name]
            number = _wide(rng, make(rng), 0.06)
            head, _, tail = rng.choice(carriers).partition("{}")
            negatives.append((name, len(text + head), len(text + head + number)))
            text += head + number + tail
            continue
        kind = rng.choice(list(KINDS))
        written = KINDS[kind](rng)
        own = CARRIERS.get(kind, ())
        head, _, tail = rng.choice(own if own and rng.random() < 0.6 else GENERAL).partition("{}")
        if kind == "ip" and len(written.core) < 9:  # a short one is a number of a section as well: the words say it
            head, _, tail = rng.choice(CARRIERS["ip"]).partition("{}")
        outer = len(text + head)
        start = outer + len(written.before)
        end = start + len(written.core)
        gold.append(Gold(kind, start, end, outer, end + len(written.after)))
        text += head + written.before + written.core + written.after + tail
    return _cleaned(Text(text, tuple(gold), tuple(negatives)))


def _cleaned(made: Text) -> Text:
    """The text as the product sees it, after `clean`, with its places moved: of these texts only spaces change."""
    cleaned = clean(made.text)
    places, here = [], 0
    for character in made.text:
        places.append(here)
        if here < len(cleaned) and (not character.isspace() or cleaned[here].isspace()):
            here += 1
        elif not character.isspace():
            raise ValueError(f"cannot follow the cleaning of {made.text!r}")
    places.append(here)
    gold = tuple(Gold(g.kind, *(places[at] for at in (g.start, g.end, g.outer_start, g.outer_end))) for g in made.gold)
    return Text(cleaned, gold, tuple((name, places[start], places[end]) for name, start, end in made.negatives))


GENERAL = (
    "请看{}，谢谢", "我的是{}", "{}", "麻烦核实一下：{}。", "资料里写的是 {} ，请改正", "（{}）", "【{}】请处理",
    "please note {} for me", "It is {}.", "my details: {}, thanks", "see {} in the form", "({})", "{}，昨天发过",
    "“{}”", "ref: {} please check", "附上{}请查收", "信息如下\n{}\n请尽快", "here you go - {}", "客户提供{}。",
)  # fmt: skip
CARRIERS: dict[str, tuple[str, ...]] = {
    "id_card": ("身份证号{}", "身份证：{}，请核对", "证件号码 {}", "ID card number {}", "本人身份证{}已过期", "ID:{}"),
    "mobile": (
        "手机{}", "请回电{}，谢谢", "电话：{}", "联系方式 {} 张先生", "call me at {}", "my phone is {}.", "Tel:{}",
        "手机号{}收不到验证码", "微信同号{}", "TEL{}", "mobile {} (work)", "打{}找我",
    ),
    "landline": ("座机{}", "办公电话 {}", "电话：{}，上班时间打", "Tel. {}", "office line {}", "传真{}", "Fax: {}"),
    "bank_card": (
        "卡号{}", "银行卡 {} 被吞", "请退到{}", "尾款打到 {} ，工行", "card {} was declined", "my card number is {}.",
        "信用卡{}多扣了一笔", "Visa {} exp 12/28", "储蓄卡：{}，户名李四",
    ),
    "email": ("邮箱{}", "发到{}即可", "e-mail: {}", "write to {} please", "联系 {} ", "我的邮箱是{}，请发票据", "<{}>"),
    "plate": ("车牌{}", "车牌号 {} 违停", "我的车{}被拖走了", "plate {} blocked the gate", "车辆{}剐蹭", "{}闯红灯"),
    "ip": (
        "登录IP {}", "IP地址：{}", "来自IP{}的访问", "server IP {} is down", "从 ip {} 登录失败", "IP address {}",
        "ping {} 不通", "主机 {} 连不上", "dns 设为 {}", "http://{}/login 打不开", "host {} refused",
    ),
}  # fmt: skip


def _id_card(rng: random.Random) -> Written:
    region = rng.choice(_REGIONS) + f"{rng.randint(1, 29):02d}"
    born = datetime.date(1930, 1, 1) + datetime.timedelta(days=rng.randrange(35_000))
    if rng.random() < 0.05 and born.year < 1999:  # the old form: no century, no check digit
        return Written("", _write(rng, f"{region}{born:%y%m%d}{rng.randint(1, 999):03d}", ((15,), (6, 6, 3)), 0.0))
    body = f"{region}{born:%Y%m%d}{rng.randint(1, 999):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]
    if check == "X":
        check = rng.choice("XXXxx")
    styles: tuple[tuple[int, ...], ...] = ((6, 8, 4), (6, 4, 4, 4), (6, 4, 2, 2, 4), (4, 4, 4, 4, 2), (6, 12))
    styles += ((3, 3, 4, 4, 4), (6, 8, 3, 1), (10, 8))
    return Written("", _write(rng, body + check, styles))


def _mobile(rng: random.Random) -> Written:
    number = rng.choice(_MOBILE) + digits(rng, 8)
    styles = ((3, 4, 4), (3, 4, 4), (4, 4, 3), (3, 3, 5), (3, 8), (4, 3, 4), (3, 2, 2, 2, 2), (5, 6), (7, 4))
    core = _write(rng, number, styles)
    if rng.random() < 0.2:
        codes = "+86|+86 |+86-|86-|86 |0086-|0086|(+86)|（+86）|(86)|86|＋86 |+86 - "
        return Written(rng.choice(codes.split("|")), core)
    return Written("0" if rng.random() < 0.01 else "", core)


def _landline(rng: random.Random) -> Written:
    code, length = rng.choice(_AREAS)
    number = rng.choice("235678") + digits(rng, length - 1)
    styles = ((8,), (8,), (4, 4), (3, 5)) if length == 8 else ((7,), (7,), (3, 4), (3, 2, 2))
    parts = _cut(number, rng.choice(styles))
    inner = rng.choice((" ", "-", "", " "))
    form = rng.random()
    before = ""
    if form < 0.2:
        left, right = rng.choice((("(", ")"), ("（", "）")))
        core = f"{left}{code}{right}{rng.choice(('', ' ', '-'))}{inner.join(parts)}"
    elif form < 0.32:
        before = rng.choice(("+86-", "+86 ", "86-", "0086-", "(+86)", "+86"))
        core = code[1:] + rng.choice((" ", "-")) + inner.join(parts)
    elif form < 0.45:
        core = code + number
    else:
        core = code + rng.choice(("-", "-", "-", "－", "–", " ", " - ", ".", "/", "—")) + inner.join(parts)
    after = ""
    if rng.random() < 0.12:
        after = rng.choice(("-{}", "转{}", " ext. {}", "-{}")).format(digits(rng, rng.choice((3, 4))))
    return Written(before, _wide(rng, core, 0.1), after)


def _bank_card(rng: random.Random) -> Written:
    prefix, length = rng.choice(_CARDS)
    body = prefix + digits(rng, length - len(prefix) - 1)
    number = body + luhn_digit(body)
    fours = (4,) * (length // 4) + ((length % 4,) if length % 4 else ())
    styles = [fours, fours, fours, (6, length - 6), (8, length - 8), (4, length - 4), (4, 4, length - 8)]
    if length in (14, 15):
        styles = [(4, 6, length - 10)] * 4 + styles
    return Written("", _write(rng, number, tuple(styles)))


def _email(rng: random.Random) -> Written:
    name = rng.choice(_NAMES)
    local = rng.choice(
        (name, name + digits(rng, 3), f"{name}.{rng.choice(_NAMES)}", f"{name}_{digits(rng, 2)}", name.upper(),
         digits(rng, rng.randint(6, 10)), rng.choice(_MOBILE) + digits(rng, 8), f"{name}+shop", f"{name[0]}-{name}",
         f"{name}%{name[0]}", name.title() + "." + digits(rng, 4))
    )  # fmt: skip
    domain = rng.choice(_DOMAINS)
    if rng.random() < 0.015:
        return Written("", f"{local} @ {rng.choice(('qq.com', '163.com', 'gmail.com'))}")
    if rng.random() < 0.03:
        return Written("", local + rng.choice(("(at)", " (at) ", "[at]", "（at）", "艾特")) + domain)
    return Written("", _wide(rng, f"{local}@{domain}", 0.08))


def _plate(rng: random.Random) -> Written:
    first = rng.choice("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼") + rng.choice("ABCDEFGHJK")
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    form = rng.random()
    if form < 0.55:
        tail = list(digits(rng, 5))
        for place in rng.sample(range(5), rng.choice((0, 0, 1, 1, 2))):
            tail[place] = rng.choice(letters)
        number = "".join(tail)
    elif form < 0.75:
        number = rng.choice("DF") + rng.choice(letters + "0123456789") + digits(rng, 4)
    elif form < 0.85:
        number = digits(rng, 5) + rng.choice("DF")
    else:
        first = "粤Z" if form > 0.96 else first
        number = digits(rng, 4) + (rng.choice("港澳") if form > 0.96 else rng.choice("挂学警"))
    gap = rng.choice(("", "", "", "", "·", " ", "-", ".", "•", "・", " · "))
    if rng.random() < 0.05:
        first = first[0] + " " + first[1]
    if rng.random() < 0.06:
        number = number[:2] + " " + number[2:] if rng.random() < 0.5 else number[:3] + " " + number[3:]
    written = first + gap + number
    return Written("", _wide(rng, written.lower() if rng.random() < 0.06 else written, 0.08))


def _ip(rng: random.Random) -> Written:
    network = rng.choice(
        ("192.168.{}.{}", "10.{}.{}.{}", "172.16.{}.{}", "{}.{}.{}.{}", "{}.{}.{}.{}", "{}.{}.{}.{}", "8.8.8.8",
         "1.1.1.1", "114.114.114.114", "127.0.0.1")
    )  # fmt: skip
    octets = [str(rng.randint(1, 254)) for _ in range(network.count("{}"))]
    written = network.format(*octets)
    form = rng.random()
    if form < 0.02:
        written = written.replace(".", "。")
    elif form < 0.08:
        return Written("", written, rng.choice((":8080", ":443", "/24")))
    return Written("", _wide(rng, written, 0.07))


KINDS: dict[str, Callable[[random.Random], Written]] = {
    "id_card": _id_card, "mobile": _mobile, "landline": _landline, "bank_card": _bank_card, "email": _email,
    "plate": _plate, "ip": _ip,
}  # fmt: skip


def _write(rng: random.Random, number: str, styles: tuple[tuple[int, ...], ...], free: float = 0.25) -> str:
    """A number unbroken, in the groups of a style, or (share `free`) in groups of any length."""
    form = rng.random()
    if form < 0.02:
        return number.translate(str.maketrans(string.digits, rng.choice(_SIGNS)))
    if form < 0.38:
        return _wide(rng, number, 0.15)
    if form < 0.42:
        return _wrapped(rng, number, rng.choice(styles))
    if form > 1 - free:
        return _wide(rng, _free(rng, number), 0.12)
    between = rng.choice(rng.choices((_SPACES, _DASHES, _MARKS), (55, 33, 12))[0])
    parts = _cut(number, rng.choice(styles))
    if len(parts) < 3 and between in _MARKS:  # one dot or one slash makes a decimal or a fraction of it
        between = " "
    return _wide(rng, between.join(parts), 0.12)


def _wrapped(rng: random.Random, number: str, style: tuple[int, ...]) -> str:
    """Groups with a line end between two of them, as a mail program leaves them."""
    parts = _cut(number, style)
    broken = rng.randrange(max(1, len(parts) - 1))
    between = rng.choice((" ", "-", " "))
    return "".join(
        part + ("" if place == len(parts) - 1 else "\n" if place == broken else between)
        for place, part in enumerate(parts)
    )


def _free(rng: random.Random, number: str) -> str:
    if rng.random() < 0.08:
        return rng.choice((" ", "-")).join(number)  # digit by digit
    while True:
        sizes: list[int] = []
        while sum(sizes) < len(number):
            sizes.append(rng.randint(2, 7))
        sizes[-1] -= sum(sizes) - len(number)
        if len(sizes) > 1 and sizes[-1] > 1:
            break
    kinds = (_SPACES, _DASHES, _MARKS) if len(sizes) > 2 else (_SPACES, _DASHES)
    pool = rng.choices(kinds, (55, 33, 12)[: len(kinds)])[0]
    between = rng.choice(pool)
    parts = _cut(number, tuple(sizes))
    if rng.random() < 0.15:  # two kinds of separator in one number
        return "".join(part + (rng.choice((" ", "-")) if i + 1 < len(parts) else "") for i, part in enumerate(parts))
    return between.join(parts)


def _cut(number: str, sizes: tuple[int, ...]) -> list[str]:
    parts, done = [], 0
    for size in sizes:
        parts.append(number[done : done + size])
        done += size
    return [part for part in parts if part]


def _wide(rng: random.Random, written: str, share: float) -> str:
    """Full-width with this probability; in one case of five with the digits of another script instead."""
    if rng.random() >= share:
        return written
    if rng.random() < 0.2:
        return written.translate(str.maketrans(string.digits, rng.choice(_OTHER_DIGITS)))
    which = string.digits if rng.random() < 0.5 else string.digits + string.ascii_letters + "@.-+()"
    return written.translate({ord(c): ord(c) + 0xFEE0 for c in which})


def _words(written: str) -> list[str]:
    return written.split()


def _pairs(written: str) -> list[tuple[str, int]]:
    """`prefix:length` of each word."""
    return [(prefix, int(length)) for prefix, length in (word.split(":") for word in written.split())]


_REGIONS = _words(
    "1101 1201 1301 1306 1401 1502 2101 2102 2201 2301 3101 3201 3205 3301 3302 3401 3501 3502 3601 3701 "
    "3702 4101 4103 4113 4201 4301 4401 4403 4406 4501 4601 5001 5002 5101 5113 5201 5301 5401 6101 6201 "
    "6301 6401 6501 6523 3424 5122 4228 5132 "
)
_MOBILE = _words(
    "130 131 132 133 134 135 136 137 138 139 145 147 149 150 151 152 153 155 156 157 158 159 162 165 166 "
    "167 170 171 172 173 175 176 177 178 180 181 182 183 184 185 186 187 188 189 190 191 192 193 195 196 "
    "197 198 199 "
)
_AREAS = _pairs(
    "010:8 020:8 021:8 022:8 023:8 024:8 025:8 027:8 028:8 029:8 0311:8 0371:8 0379:8 0411:8 0431:8 "
    "0451:8 0512:8 0531:8 0532:8 0551:8 0571:8 0574:8 0591:8 0731:8 0755:8 0757:8 0769:8 0771:8 0851:8 "
    "0871:8 0991:7 0898:8 0335:7 0355:7 0377:8 0396:7 0470:7 0516:8 0563:7 0635:7 0663:7 0717:7 0745:7 "
    "0792:7 0816:7 0891:7 0931:7 0951:7 0971:7 0427:7 "
)
_CARDS = _pairs(
    "622202:19 622848:19 621700:19 621661:19 622588:16 622155:16 625912:16 621226:19 623058:19 620522:17 "
    "621799:19 623668:18 955880:19 955995:19 601382:19 456351:19 436742:19 4239:16 4563:16 4111:16 "
    "4024:16 5494:16 5105:16 5218:16 2221:16 2720:16 340:15 378282:15 3528:16 3566:16 36:14 305:14 "
    "6011:16 645:16 65:16 2200:16 6222:16 4380:16 5309:16 "
)
_NAMES = _words("li wangwei zhang chen alice bob john mary liuyang xiaoming kefu zhao8 o2o ")
_DOMAINS = _words(
    "qq.com 163.com 126.com gmail.com example.com sina.com.cn mail.example.org outlook.com foxmail.com "
    "company-x.cn uni.edu.cn vip.163.com bank.co.uk 139.com a1.io sub.dept.gov.cn "
)
