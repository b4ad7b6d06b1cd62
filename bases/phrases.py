"""Composed Chinese sentences: everyday reviews, requests and headlines, from a small grammar written for this.

Free colloquial Chinese text is scarce, and a teacher needs no true sentences: it gives a state for each. What counts
is that negation, degree and contrast (不, 没, 太, 没那么, 虽然 … 但是) occur with the words of everyday reviews and
services. No data set was read for the tables below.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

# Thing: what is said of it, each with adjectives that praise and that blame.
THINGS: dict[str, dict[str, tuple[str, str]]] = {
    "酒店|宾馆|旅馆|民宿|客栈": {
        "房间|客房|屋子": ("干净 宽敞 安静 舒服 温馨 明亮 整洁", "脏 小 吵 潮湿 陈旧 闷 简陋 破"),
        "床|枕头|被子": ("舒服 柔软 干净", "硬 脏 窄 潮"),
        "前台|服务员|服务|接待": ("热情 周到 耐心 礼貌 专业", "冷淡 差 慢 敷衍 不耐烦"),
        "位置|交通|地段": ("方便 好找 便利", "偏 不方便 难找"),
        "早餐|自助餐": ("丰富 好吃 新鲜", "单调 难吃 凉 少"),
        "卫生间|浴室|空调|隔音|热水|网络": ("好 干净 稳定 给力", "差 脏 小 坏 不稳定"),
    },
    "手机|平板|笔记本|电脑|相机|耳机|键盘|显示器|音箱|手表": {
        "屏幕|画面|显示效果": ("清晰 细腻 大 舒服 亮", "暗 模糊 小 偏黄"),
        "电池|续航|充电": ("耐用 持久 快 给力", "差 不耐用 慢 短"),
        "系统|速度|反应|运行": ("流畅 快 稳定", "卡 慢 不稳定 迟钝"),
        "外观|做工|手感|外壳": ("漂亮 精致 时尚 扎实 好", "粗糙 难看 廉价 单薄"),
        "散热|声音|音质|风扇|摄像头|信号": ("好 安静 清楚 出色", "差 吵 大 烫 弱"),
        "价格|性价比": ("便宜 高 实惠 合理", "贵 低 不值 虚高"),
    },
    "书|小说|教材|绘本|杂志|漫画|词典": {
        "内容|故事|情节": ("精彩 有趣 充实 感人 深刻 实用", "空洞 无聊 平淡 乏味 老套 浅"),
        "文字|语言|翻译|文笔": ("流畅 优美 准确 幽默", "生硬 啰嗦 晦涩 糟糕"),
        "纸张|印刷|包装|装帧|排版": ("好 清晰 精美 厚实", "差 模糊 薄 粗糙 乱"),
        "作者|观点|插图|例子": ("独到 有意思 生动 好", "片面 普通 少 差"),
    },
    "餐厅|饭店|外卖|小吃店|火锅店|奶茶店|面馆|烤肉店": {
        "味道|口味|菜|汤|饭": ("好吃 鲜美 地道 正宗 香 可口", "咸 难吃 油 淡 一般 辣 凉"),
        "分量|配菜|肉": ("足 多 新鲜 实在", "少 不新鲜 硬 老"),
        "送餐|配送|骑手|上菜": ("快 准时 及时", "慢 晚 不准时"),
        "环境|卫生|店面": ("好 干净 优雅 安静", "差 吵 脏 乱 挤"),
        "老板|店员|态度": ("热情 好 亲切 客气", "差 恶劣 冷漠 凶"),
    },
    "衣服|裤子|鞋子|外套|裙子|背包|毛衣|帽子": {
        "面料|质量|材质": ("舒服 柔软 好 厚实 透气", "差 粗糙 薄 硬 起球"),
        "款式|颜色|版型": ("好看 大方 百搭 时髦 显瘦", "土 难看 老气 显胖"),
        "尺码|大小": ("合适 标准 合身", "偏大 偏小 不准"),
        "做工|线头|拉链|味道": ("精细 好 结实", "差 多 松 大 刺鼻"),
    },
    "冰箱|洗衣机|电视|热水器|空调|电饭煲|吸尘器|扫地机": {
        "声音|噪音": ("小 轻", "大 吵 响"),
        "安装|师傅|售后|客服": ("专业 及时 热情 负责", "慢 差 拖拉 推诿"),
        "功能|效果|操作": ("齐全 好 简单 明显 方便", "少 差 复杂 不明显 鸡肋"),
        "外形|质量|耗电": ("好 省 漂亮 可靠", "差 高 费 一般"),
    },
    "课程|培训班|讲座|网课|驾校|健身房": {
        "老师|教练|讲解": ("认真 耐心 专业 清楚 负责", "敷衍 不专业 凶 枯燥 快"),
        "内容|安排|进度": ("充实 合理 实用 系统", "混乱 少 旧 水 紧"),
        "价格|场地|设备": ("合理 好 新 宽敞", "贵 小 旧 差"),
    },
    "软件|应用|游戏|网站|小程序|客户端": {
        "界面|设计|页面": ("简洁 清爽 好看 直观", "乱 丑 复杂 难用"),
        "更新|登录|加载|支付": ("快 顺利 稳定 方便", "慢 失败 麻烦 卡顿"),
        "广告|功能|体验|画质": ("少 全 好 细腻", "多 少 差 糟糕"),
    },
    "医院|诊所|药店|体检中心": {
        "医生|护士|态度": ("耐心 专业 负责 和气", "冷淡 不耐烦 草率 差"),
        "排队|流程|挂号": ("快 清楚 方便 省心", "慢 麻烦 乱 久"),
        "环境|设备|收费": ("好 干净 先进 合理", "差 旧 贵 乱"),
    },
    "快递|物流|网店|商家|平台|超市": {
        "发货|送货|配送|速度": ("快 及时 准时", "慢 拖 迟"),
        "包装|质量|商品": ("完好 严实 好 新鲜 正品", "破损 差 简陋 假 旧"),
        "客服|售后|退换": ("热情 及时 耐心 方便", "差 慢 推脱 不理人 麻烦"),
        "价格|优惠|活动": ("实惠 给力 划算", "虚高 套路 贵 不划算"),
    },
    "汽车|轿车|电动车|自行车|越野车": {
        "油耗|电耗|噪音": ("低 小", "高 大"),
        "动力|刹车|操控|悬挂": ("足 灵敏 好 稳", "弱 差 硬 软"),
        "空间|内饰|座椅|外观": ("大 精致 舒服 大气", "小 粗糙 硬 难看"),
    },
    "景点|公园|博物馆|古镇|海滩|电影|演唱会": {
        "风景|环境|画面|氛围": ("美 好 壮观 震撼 宜人", "一般 商业化 差 普通"),
        "门票|票价|停车": ("便宜 合理 方便", "贵 难 坑"),
        "人|工作人员|导游|演员": ("友好 专业 热情 敬业", "多 差 敷衍 杂"),
    },
}
_DEGREE = [
    "很",
    "非常",
    "特别",
    "挺",
    "真",
    "太",
    "比较",
    "相当",
    "十分",
    "超级",
    "有点",
    "稍微有点",
    "还算",
    "最",
    "更",
    "蛮",
    "够",
    "",
]
_DENY = [
    "不",
    "不太",
    "不够",
    "并不",
    "一点也不",
    "没那么",
    "没有想象中那么",
    "没有说的那么",
    "算不上",
    "谈不上",
    "不怎么",
    "不算",
    "毫不",
    "从来不",
]
_END = ["", "", "", "。", "！", "，", "……", "！！", "啊", "了", "的", "呢", "吧", "。"]
_OPEN_GOOD = [
    "总体来说不错",
    "很满意",
    "值得推荐",
    "下次还会再来",
    "好评",
    "物超所值",
    "没有失望",
    "超出预期",
    "会回购的",
    "推荐给朋友了",
    "五星好评",
    "喜欢",
    "赞一个",
    "性价比很高",
    "没什么可挑剔的",
    "孩子很喜欢",
    "家人都说好",
    "还会继续支持",
]
_OPEN_BAD = [
    "总体来说很失望",
    "不推荐",
    "再也不会来了",
    "差评",
    "后悔买了",
    "不值这个价",
    "跟描述不符",
    "上当了",
    "浪费钱",
    "以后不会再买了",
    "没有任何惊喜",
    "建议大家别买",
    "要求退款",
    "太坑了",
    "用了两天就坏了",
    "期望太高了",
    "不会再光顾",
    "一言难尽",
]
_WHEN = [
    "上周",
    "昨天",
    "去年",
    "今天上午",
    "这次出差",
    "国庆期间",
    "周末",
    "双十一",
    "刚刚",
    "前几天",
    "第二次",
    "半年前",
    "春节",
    "下单三天后",
    "一个月前",
    "晚上十点多",
]
_ACT = [
    "入住",
    "买的",
    "收到的",
    "去过",
    "试了一下",
    "用了一段时间",
    "带孩子来的",
    "和朋友一起去的",
    "给爸妈买的",
    "帮同事买的",
    "第一次尝试",
    "订的",
    "换了一个",
    "送人用的",
]
_BUT = [
    "但是",
    "不过",
    "可是",
    "就是",
    "只是",
    "然而",
    "可惜",
    "唯一的缺点是",
    "美中不足的是",
    "没想到",
    "幸好",
    "好在",
]
_AND = ["而且", "并且", "另外", "还有", "再加上", "关键是", "更重要的是", "同时", "最让人意外的是", "尤其", ""]
_ASK = {
    "银行卡|信用卡|账户|贷款|理财|基金|社保卡|公积金|保单|会员|订单|发票|积分|优惠券|密码|转账|手机号": [
        "{0}怎么{1}",
        "请问{0}如何{1}",
        "我的{0}{2}怎么办",
        "为什么{0}{2}",
        "{0}{2}，请帮我查一下",
        "想{1}{0}，需要什么材料",
        "{0}什么时候能{1}",
        "能不能帮我{1}{0}",
        "{0}{1}要多久",
        "{0}{1}要不要手续费",
        "打电话说{0}{2}，是真的吗",
        "我没有{1}{0}，是谁操作的",
        "{0}一直{2}，客服也不回复",
        "在哪里可以{1}{0}",
        "刚才{1}{0}的时候提示失败",
        "麻烦尽快处理，{0}还是{2}",
    ],
}
_ASK_DO = [
    "办理",
    "取消",
    "激活",
    "查询",
    "修改",
    "注销",
    "申请",
    "冻结",
    "解冻",
    "绑定",
    "退回",
    "提现",
    "补办",
    "续期",
    "升级",
    "开通",
    "关闭",
    "找回",
    "延期",
    "提前还款",
]
_ASK_STATE = [
    "丢了",
    "被冻结了",
    "用不了",
    "不见了",
    "过期了",
    "扣了两次钱",
    "没有到账",
    "显示错误",
    "被锁定了",
    "收不到验证码",
    "余额不对",
    "还没退回来",
    "没有更新",
    "被盗刷了",
    "无法登录",
    "审核不通过",
]
_HEAD = [
    "{co}上半年净利润同比{updown}{n}%",
    "{co}拟{n}亿元收购{co2}",
    "{city}{month}新房成交量环比{updown}{n}%",
    "{team}主场{a}比{b}{won}{team2}",
    "{name}{won2}{event}冠军",
    "{city}出台新政：{policy}",
    "专家：{thing}价格短期内难以{updown2}",
    "{co}发布新款{thing}，售价{n}00元起",
    "{month}高考{subject}试题难度{subjadj}",
    "{name}新片票房突破{n}亿",
    "{city}一{place}发生{accident}，{n}人受伤",
    "央行{month}开展{n}00亿元逆回购操作",
    "沪指{move}{n}点，{sector}板块领{move2}",
    "{game}新版本{month}上线，新增{n}种玩法",
    "{name}宣布退役：感谢{team}",
    "{city}地铁{n}号线开通试运营",
    "外交部回应{topic}问题",
    "{co}回应{thing}质量问题：已召回{n}万台",
    "{city}{n}中考录取分数线公布",
    "四六级{subject}备考：{n}个高频考点",
    "{sector}股尾盘拉升，{co}涨停",
    "{co}被罚{n}0万元，涉嫌{crime}",
    "{name}与{name2}婚讯曝光，经纪人否认",
    "{city}二手房均价{updown}，{place}附近房源走俏",
    "{name}因伤缺席{team}对{team2}的比赛",
    "{game}玩家晒装备：{n}级一身红",
    "研究发现：{food}不宜多吃",
]
_FILL: dict[str, str] = {
    "city": "北京 上海 广州 深圳 杭州 成都 武汉 西安 南京 天津 重庆 青岛 长沙 郑州 厦门 昆明 大连 合肥 济南 福州",
    "month": "一月 三月 五月 六月 八月 九月 十月 年底 本周 下周 今年 明年",
    "updown": "增长 下降 上涨 下滑 回升 减少",
    "updown2": "回落 上涨 反弹 下调",
    "won": "战胜 不敌 逆转 战平 惜败 大胜",
    "won2": "夺得 卫冕 无缘 获",
    "event": "全运会 世锦赛 公开赛 亚锦赛 大奖赛",
    "policy": "首套房首付比例下调 购车补贴延长 取消落户限制 提高最低工资标准 加强食品安全检查 推进老旧小区改造",
    "thing": "手机 笔记本 汽车 猪肉 黄金 空调 平板 大豆 铁矿石 相机",
    "subject": "语文 数学 英语 综合 写作 听力",
    "subjadj": "适中 偏难 稳中有变 与去年持平",
    "place": "工厂 小区 商场 学校 公交站 景区 地铁站",
    "accident": "火灾 追尾 坠楼 燃气泄漏 停电",
    "move": "跌 涨 收跌 高开 低开",
    "move2": "涨 跌",
    "sector": "银行 地产 有色 煤炭 医药 券商 芯片 白酒",
    "game": "剑侠 仙境 三国志 魔域 星际 幻想 征途 天途",
    "topic": "半岛 贸易摩擦 领土 气候谈判 制裁",
    "crime": "虚假宣传 信息披露违规 垄断 内幕交易",
    "food": "油炸食品 隔夜菜 咖啡 红肉 坚果 甜点",
}
_SURNAME, _GIVEN = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗",
    "伟芳娜敏静强磊军洋勇艳杰娟涛明超秀霞平刚桂英文辉鑫宇博晨雪",
)
_BRAND, _KIND = (
    "华联科新天东方中信德宝金隆海盛达安泰恒润通瑞",
    ["集团", "股份", "科技", "银行", "地产", "电器", "药业", "汽车", "证券", "航空", "能源", "传媒"],
)


def sentences(count: int, seed: int = 0) -> Iterator[str]:
    """`count` composed texts, reviews most, in a fixed order."""
    draw = random.Random(f"phrases-{seed}")
    kinds: list[Callable[[random.Random], str]] = [review, request, headline]
    for _ in range(count):
        yield draw.choices(kinds, weights=(60, 22, 18))[0](draw)


def review(draw: random.Random) -> str:
    """One to six clauses about one thing, mostly of one mood, joined as people write them."""
    names, aspects = draw.choice(list(THINGS.items()))
    name = draw.choice(names.split("|"))
    good = draw.random() < 0.5
    parts = []
    if draw.random() < 0.35:
        parts.append(draw.choice(_WHEN) + draw.choice(_ACT) + draw.choice(["", "这家", "这款", "的"]) + name)
    for place in range(draw.choice([1, 1, 2, 2, 3, 4, 5])):
        turn = place > 0 and draw.random() < 0.25
        good = not good if turn else good
        word = draw.choice(_BUT) if turn else draw.choice(_AND) if place and draw.random() < 0.3 else ""
        if place == 0 and draw.random() < 0.2:
            word = draw.choice(
                ["虽然", "这" + draw.choice(["家", "个", "款", "次"]) + name, name, "感觉", "觉得", "说实话，"]
            )
        parts.append(word + clause(draw, draw.choice(list(aspects.items())), good))
    if draw.random() < 0.4:
        parts.insert(draw.choice([0, len(parts)]), draw.choice(_OPEN_GOOD if good else _OPEN_BAD))
    comma = draw.choice(["，", "，", "，", "。", " ", "！", ","])
    return comma.join(parts) + draw.choice(_END)


def clause(draw: random.Random, aspect: tuple[str, tuple[str, str]], good: bool) -> str:
    """An aspect with a degree and an adjective; a third of them say it by denying the opposite."""
    names, adjectives = aspect
    deny = draw.random() < 0.33
    adjective = draw.choice(adjectives[(not good) ^ deny].split())
    if deny and adjective.startswith("不"):
        deny, adjective = False, adjective.removeprefix("不")
    degree = draw.choice(_DENY if deny else _DEGREE)
    name = draw.choice(names.split("|"))
    tail = "了" if degree in {"太", "最"} and draw.random() < 0.7 else draw.choice(["", "", "", "的", "啊"])
    if draw.random() < 0.12:
        return f"{degree or '很'}{adjective}的{name}"
    return name + draw.choice(["", "", "也", "都", "真的", "确实", "还是", "实在"]) + degree + adjective + tail


def request(draw: random.Random) -> str:
    """A question or a complaint to a service."""
    names, forms = next(iter(_ASK.items()))
    text = draw.choice(forms).format(draw.choice(names.split("|")), draw.choice(_ASK_DO), draw.choice(_ASK_STATE))
    if draw.random() < 0.3:
        text = draw.choice(["你好，", "您好，", "请问一下，", "我想问问，", "急！", "客服在吗？"]) + text
    return text + draw.choice(["", "？", "?", "。", "，谢谢", "呢", "！"])


def headline(draw: random.Random) -> str:
    """A headline with invented names."""
    values = {key: draw.choice(words.split()) for key, words in _FILL.items()}
    for key in ("name", "name2"):
        values[key] = draw.choice(_SURNAME) + "".join(draw.sample(_GIVEN, draw.choice([1, 2])))
    for key in ("co", "co2"):
        values[key] = "".join(draw.sample(_BRAND, 2)) + draw.choice(_KIND)
    for key in ("team", "team2"):
        values[key] = draw.choice(_FILL["city"].split()) + draw.choice(["队", "男篮", "女排", ""])
    values |= {"n": str(draw.randint(2, 99)), "a": str(draw.randint(0, 4)), "b": str(draw.randint(0, 4))}
    return draw.choice(_HEAD).format(**values)
