"""Numbers that are no personal numbers, each made by the rule of its own kind, with the sentences that contain it."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable

Make = Callable[[random.Random], str]


def digits(rng: random.Random, count: int) -> str:
    """Random digits, zeros in front too."""
    return "".join(rng.choice("0123456789") for _ in range(count))


def luhn_digit(body: str) -> str:
    """The digit that makes a body pass Luhn's check."""
    total = sum(int(d) if i % 2 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(body)))
    return str(-total % 10)


def _moment(rng: random.Random) -> datetime.datetime:
    return datetime.datetime(2015, 1, 1) + datetime.timedelta(seconds=rng.randrange(400_000_000))


def _stamp(rng: random.Random) -> str:
    form = rng.choice(("%Y%m%d%H%M%S", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d", "%Y%m%d %H%M%S", "%Y-%m-%d-%H%M%S"))
    return f"{_moment(rng):{form}}" + (digits(rng, 3) if form == "%Y%m%d%H%M%S" and rng.random() < 0.3 else "")


def _epoch(rng: random.Random) -> str:
    seconds = int(_moment(rng).timestamp())
    return str(seconds) + rng.choice(("", digits(rng, 3), digits(rng, 6)))


def _date(rng: random.Random) -> str:
    one, other = sorted((_moment(rng), _moment(rng)))
    form = rng.choice(("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%Y年%m月%d日", "%Y %m %d"))
    shape = rng.choice(("{0}", "{0}-{1}", "{0} - {1}", "{0}至{1}", "{0} {2}", "{0}/{1}"))
    return shape.format(f"{one:{form}}", f"{other:{form}}", f"{one:%H:%M}")


def _born(rng: random.Random) -> str:
    born = datetime.date(1940, 1, 1) + datetime.timedelta(days=rng.randrange(25_000))
    return f"{born:{rng.choice(('%Y-%m-%d', '%Y%m%d', '%Y/%m/%d', '%Y.%m.%d'))}} {digits(rng, 3)}"


def _barcode(rng: random.Random) -> str:
    body = rng.choice(
        ["690", "691", "692", "693", "694", "695", "697", "400", "401", "450", "490", "500", "880", "978"]
    ) + digits(rng, 9)
    check = -sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10
    return f"{body}{check}"


def _isbn(rng: random.Random) -> str:
    body = "978" + "7" + digits(rng, 8)
    body += str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10)
    return f"{body[:3]}-{body[3]}-{body[4:7]}-{body[7:12]}-{body[12]}"


def _order(rng: random.Random) -> str:
    day = f"{_moment(rng):%Y%m%d}"
    return rng.choice(
        (
            day + digits(rng, rng.choice((4, 6, 8, 10))),
            day[2:] + "-" + digits(rng, 6) + "-" + digits(rng, 4),
            "DD" + day + digits(rng, 6),
            str(rng.randint(1, 4)) + digits(rng, rng.choice((17, 18))),
            str(rng.randint(1, 9)) + digits(rng, rng.randint(7, 19)),
            day + "-" + digits(rng, 4),
            "ORD-" + digits(rng, 4) + "-" + digits(rng, 6),
            str(rng.randint(1, 3)) + digits(rng, 11),
        )
    )


def _tracking(rng: random.Random) -> str:
    return rng.choice(
        (
            "SF" + str(rng.randint(1, 3)) + digits(rng, 12),
            "YT" + digits(rng, 13),
            "JDV" + digits(rng, 12),
            "78" + digits(rng, rng.choice((10, 12))),
            "77" + digits(rng, 13),
            "E" + rng.choice("ABM") + digits(rng, 9) + "CN",
            "1Z999AA1" + digits(rng, 10),
            "4" + digits(rng, 11),
            "9" + digits(rng, 12),
        )
    )


def _version(rng: random.Random) -> str:
    n = rng.randint
    return rng.choice(
        (
            f"v{n(1, 9)}.{n(0, 20)}.{n(0, 30)}.{n(0, 200)}", f"V{n(1, 12)}.{n(0, 9)}.{n(0, 9)}",
            f"{n(90, 139)}.0.{n(4000, 7300)}.{n(40, 230)}", f"10.0.{n(18000, 22700)}.{n(1, 5000)}",
            f"{n(1, 20)}.{n(0, 9)}.{n(0, 9)}.{n(0, 99)}", f"{n(2019, 2026)}.{n(1, 12)}.{n(0, 30)}.{n(1, 9)}",
        )
    )  # fmt: skip


def _section(rng: random.Random) -> str:
    return ".".join(str(rng.randint(1, 15 if place else 9)) for place in range(rng.choice((3, 4, 4, 4, 5))))


def _amount(rng: random.Random) -> str:
    value = int(10 ** rng.uniform(3, 11.5))
    form = rng.choice(("{:,}", "{:,}.00", "{}.50", "{}元", "{}元", "¥{}", "{: }", "￥{:,}", "{}万元", "${:,}.99"))
    return f"{value:,}".replace(",", " ") if form == "{: }" else form.format(value)


def _range(rng: random.Random) -> str:
    low = rng.randint(1, 200) * 10 ** rng.randint(1, 4)
    high = low + rng.randint(1, 90) * 10 ** rng.randint(1, 4)
    return f"{low}{rng.choice(('-', '~', '–', '至', ' - ', '—'))}{high}"


def _house(rng: random.Random) -> str:
    n = rng.randint
    return rng.choice(
        (
            f"{n(1, 40)}-{n(1, 6)}-{n(101, 3305)}", f"{n(1, 40)}栋{n(1, 6)}单元{n(1, 33):02d}{n(1, 4):02d}",
            f"{n(1, 999)}号",
            f"{n(1, 99)}号楼{n(101, 3306)}室", f"{n(1, 40)}/{n(1, 6)}/{n(101, 3305)}", f"{n(10, 99)}{n(1000, 9999)}",
        )
    )  # fmt: skip


def _place(rng: random.Random) -> str:
    length = rng.choice((4, 6, 6, 8, 14))
    comma = rng.choice((",", ", "))
    return f"{rng.randint(73, 135)}.{digits(rng, length)}{comma}{rng.randint(18, 53)}.{digits(rng, length)}"


def _hotline(rng: random.Random) -> str:
    return rng.choice(
        (f"400-{digits(rng, 3)}-{digits(rng, 4)}", f"400{digits(rng, 7)}", f"800-{digits(rng, 3)}-{digits(rng, 4)}",
         f"95{digits(rng, 3)}", "12345", "12315-1", f"400 {digits(rng, 4)} {digits(rng, 3)}", "10086", "110/120/119")
    )  # fmt: skip


def _hidden(rng: random.Random) -> str:
    return rng.choice(
        (f"13{digits(rng, 1)}****{digits(rng, 4)}", f"6222 **** **** {digits(rng, 4)}", f"尾号{digits(rng, 4)}",
         f"110105********{digits(rng, 4)}", f"1{digits(rng, 2)}xxxx{digits(rng, 4)}")
    )  # fmt: skip


def _wrong_check(rng: random.Random) -> str:
    """Numbers that look right and fail their check: nobody's card, nobody's ID."""
    if rng.random() < 0.5:
        body = rng.choice(("6222", "4239", "5494", "4380")) + digits(rng, 11)
        check = str((int(luhn_digit(body)) + rng.randint(1, 9)) % 10)
        return rng.choice(("", " ", "-")).join((body + check)[i : i + 4] for i in range(0, 16, 4))
    body = "410105" + f"{_moment(rng):%Y%m%d}" + digits(rng, 3)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    right = sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11
    return body + "10X98765432"[(right + rng.randint(1, 10)) % 11].replace("X", "0" if right != 1 else "5")


def _ticket(rng: random.Random) -> str:
    """Numbers of cases: the region, the day, a number of the day."""
    day = f"{_moment(rng):%Y%m%d}"
    return rng.choice(
        (f"{rng.choice(('410105', '310104', '440305'))}{day}{digits(rng, 4)}", f"0371-{day[:4]}-{day[4:]}",
         f"0{rng.randint(310, 999)}-{day}",
         f"{day}-0{rng.randint(10, 99)}-{digits(rng, 4)}", f"GD{day}{digits(rng, 5)}",
         f"({day[:4]})豫{digits(rng, 4)}民初{digits(rng, 4)}号")
    )  # fmt: skip


def _company(rng: random.Random) -> str:
    return rng.choice(("91", "91", "92", "12", "51")) + "410105" + rng.choice(("MA", digits(rng, 2))) + digits(rng, 8)


def _device(rng: random.Random) -> str:
    if rng.random() < 0.6:
        body = rng.choice(("86", "86", "35")) + digits(rng, 12)
        return body + luhn_digit(body)
    return "898600" + digits(rng, 13) + rng.choice(("", digits(rng, 1)))


def _model(rng: random.Random) -> str:
    return rng.choice(
        (f"iPhone{rng.randint(8, 17)}", f"XR-{digits(rng, 4)}-{digits(rng, 3)}", f"GB/T {digits(rng, 5)}-2019",
         "COVID-19", f"M{digits(rng, 5)}", f"{digits(rng, 3)}/{digits(rng, 2)}R17", "1920x1080", f"SN{digits(rng, 10)}",
         "A4-80g",
         f"LVSH{digits(rng, 3)}FE{digits(rng, 8)}", f"GB {digits(rng, 4)}.{rng.randint(1, 9)}-2020")
    )  # fmt: skip


def _hash(rng: random.Random) -> str:
    hexes = "".join(rng.choice("0123456789abcdef") for _ in range(32))
    dashed = f"{hexes[:8]}-{hexes[8:12]}-{hexes[12:16]}-{hexes[16:20]}-{hexes[20:]}"
    return rng.choice((hexes, dashed, ":".join(hexes[i : i + 2] for i in range(0, 12, 2)), "0x" + hexes[:16]))


def _at(rng: random.Random) -> str:
    return rng.choice(
        ("@张三", "icon@2x.png", "root@localhost", "@all", f"3@{rng.randint(2, 90)}", "logo@3x.jpg", "lodash@4.17.21",
         "@types/node@20.1.0", "meet@noon", f"a{digits(rng, 2)}@b", "@李四 @王五", "￥9.9@个")
    )  # fmt: skip


def _near_plate(rng: random.Random) -> str:
    return rng.choice(
        ("川A8L", "新A8", f"更新B{digits(rng, 5)}", f"最新A{digits(rng, 5)}", f"京{digits(rng, 5)}",
         f"苏ICP备{digits(rng, 8)}号",
         f"浙B2-{digits(rng, 8)}", f"京公网安备{digits(rng, 14)}号", f"高新C{digits(rng, 3)}", f"A{digits(rng, 5)}",
         f"云K{digits(rng, 2)}", f"粤港澳A{digits(rng, 2)}")
    )  # fmt: skip


def _near_ip(rng: random.Random) -> str:
    n = rng.randint
    return rng.choice(
        (f"{n(256, 999)}.{n(1, 255)}.{n(1, 255)}.{n(1, 255)}", f"{n(1, 255)}.{n(1, 255)}.{n(1, 255)}",
         f"{n(1, 9)}.{n(1, 9)}.{n(1, 9)}.{n(1, 9)}.{n(1, 9)}", f"{n(2000, 2026)}.{n(1, 12)}.{n(1, 28)}.{n(1, 23)}",
         f"0.{n(1, 9)}.{n(0, 9)}.{n(0, 9)}", f"{n(1, 99)}.{n(1, 99)}")
    )  # fmt: skip


def _wrong_length(rng: random.Random) -> str:
    return rng.choice(
        (f"1{rng.choice('35789')}{digits(rng, 8)}", f"1{rng.choice('35789')}{digits(rng, 10)}", "6222" + digits(rng, 8),
         f"6222{digits(rng, 17)}", f"0{rng.choice(('371', '10', '755'))}-{rng.choice('2356')}{digits(rng, 4)}",
         f"12{digits(rng, 9)}", f"{digits(rng, 6)}", f"{rng.randint(1, 9)}{digits(rng, 8)}")
    )  # fmt: skip


def _invoice(rng: random.Random) -> str:
    return rng.choice(
        (f"0{rng.randint(11, 65)}00{digits(rng, 7)}", f"{rng.randint(11, 65)}00{digits(rng, 6)}", digits(rng, 8),
         f"{rng.randint(24, 26)}{digits(rng, 18)}")
    )  # fmt: skip


def _decimal(rng: random.Random) -> str:
    return rng.choice(
        (f"{rng.randint(2, 99)}.{digits(rng, rng.randint(8, 16))}", "3.14159265358",
         "3.141592653589793", "2.718281828459",
         f"{rng.randint(1, 9)}.{digits(rng, 10)}e{rng.randint(2, 30)}", "1.4142135623730951", f"0.{digits(rng, 11)}")
    )  # fmt: skip


def _case(rng: random.Random) -> str:
    year, code = rng.randint(2015, 2026), rng.choice(("GD", "PO", "XS", "HT", "CN", "WO"))
    return rng.choice(
        (f"{code}-{year}-{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}-{digits(rng, 5)}",
         f"{code}-0{rng.randint(310, 999)}-{digits(rng, 4)}-{digits(rng, 3)}",
         f"{code}1{rng.choice('35789')}{digits(rng, 9)}",
         f"（{year}）{rng.choice('京沪粤豫')}{digits(rng, 4)}民初{digits(rng, 5)}号", f"{code}{digits(rng, 18)}",
         f"{year}{digits(rng, 16)}")
    )  # fmt: skip


def _measured(rng: random.Random) -> str:
    number = rng.choice((f"0{rng.choice(('10', '21', '28'))} {rng.choice('2356')}{digits(rng, 7)}", digits(rng, 11)))
    return number + rng.choice((" 度", "度", " kWh", "公里", " 吨", "毫升", " bytes", "kg", " ms", "字节"))


def _series(rng: random.Random) -> str:
    plate = rng.choice("新京沪苏云浙") + rng.choice("ABCD") + digits(rng, 5)
    return plate + rng.choice(("型号", "系列", "型", "款"))


_ORDERS = ("订单号{}已付款未发货", "订单{}", "order {} not shipped", "单号：{}", "Order no. {}.", "交易流水{}，请查")
_PLAIN = ("共{}", "见{}", "{}", "请看{}，谢谢", "it says {}", "（{}）", "记录为 {} 。")
NEGATIVES: dict[str, tuple[Make, tuple[str, ...]]] = {
    "stamp": (_stamp, ("时间{}", "日志 {} 报错", "logged at {}", "流水号{}", *_PLAIN)),
    "epoch": (_epoch, ("时间戳{}", "timestamp={}", "ts {}", *_PLAIN)),
    "date": (_date, ("日期{}", "有效期{}", "from {}", "于{}到店", *_PLAIN)),
    "born": (_born, ("出生{}室", "born {}", "{}号床")),
    "barcode": (_barcode, ("条码{}", "barcode {}", "商品{}缺货", *_PLAIN)),
    "isbn": (_isbn, ("ISBN {}", "书号{}", *_PLAIN)),
    "order": (_order, _ORDERS),
    "tracking": (_tracking, ("运单{}", "快递单号{}三天没动", "tracking {}", "parcel {} lost", "物流 {} ，催一下")),
    "version": (_version, ("版本{}", "version {}", "升级到 {} 后闪退", "Chrome/{}", "App {} crashes", "固件{}")),
    "section": (_section, ("章节{}", "第{}节", "section {}", "见条款{}", "Chapter {} says", "第 {} 条")),
    "amount": (_amount, ("金额{}", "共计 {} ", "paid {} yesterday", "扣了{}", "balance {}", "转账{}未到")),
    "range": (_range, ("价格{}", "区间 {} ", "between {}", "预算{}元", "{} km")),
    "house": (_house, ("住在{}", "地址：幸福路{}", "room {}", "门牌{}")),
    "place": (_place, ("坐标{}", "location {}", "经纬度：{}", "({})")),
    "hotline": (_hotline, ("客服{}打不通", "拨打{}", "hotline {}", "call {} for help")),
    "hidden": (_hidden, ("手机{}", "卡{}", "账号 {} ", "card {}")),
    "wrong_check": (_wrong_check, ("编号{}", "账号{}", "号码 {} 查不到", "number {}")),
    "ticket": (_ticket, ("工单{}", "工单号 {} 未处理", "ticket {}", "受理编号{}", "案号{}")),
    "company": (_company, ("统一社会信用代码{}", "税号{}", "tax no. {}")),
    "device": (_device, ("IMEI {}", "串号{}", "ICCID{}", "imei: {}")),
    "model": (_model, ("型号{}", "model {}", "符合 {} 标准", *_PLAIN)),
    "hash": (_hash, ("id={}", "请求 {} 失败", "trace {}", "md5 {}")),
    "at": (_at, ("{}", "提醒 {} 处理", "see {}", "安装 {} 出错")),
    "near_plate": (_near_plate, ("{}", "备案 {} ", "{}房", "编号{}")),
    "near_ip": (_near_ip, ("{}", "数据 {} ", "值为{}", "编号{}")),
    "wrong_length": (_wrong_length, ("号码{}", "编号 {} ", "number {}", "QQ群{}")),
    "decimal": (_decimal, ("π 约为{}", "值为{}", "系数{}", "x = {}", "结果 {} ，正确吗")),
    "case": (_case, ("工单号{}", "案号：{}", "case {}", "见{}", "合同 {} 已签")),
    "measured": (_measured, ("用电{}", "读数{}", "total {}", "共{}")),
    "series": (_series, ("{}", "产品{}缺货", "买了{}的")),
    "invoice": (_invoice, ("发票{}", "发票号码 {} 查无", "invoice {}")),
}
