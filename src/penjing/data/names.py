"""What the name of a column says of it: texts, labels, what was written afterwards, or something beside them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from penjing.data.fold import compose

Role = Literal["text", "label", "after", "side"]

# Words that alone, as a whole name, settle it.
EXACT: dict[str, Role] = {
    **dict.fromkeys(
        (
            "label", "labels", "标签", "category", "class", "intent", "sentiment", "类别", "分类", "意图", "情感",
            "正/负面", "正负面", "department", "科室", "部门", "target", "topic", "type", "tag", "cat", "y",
        ),
        "label",
    ),
    **dict.fromkeys(("text", "text_a", "content", "sentence", "文本", "内容", "正文"), "text"),
}  # fmt: skip
# Words at the end of a compound: the last word of a name says what the column is.
_WORDS: dict[Role, tuple[str, ...]] = {
    "label": (
        "标签", "类别", "分类", "类型", "种类", "意图", "情感", "情绪", "科室", "部门", "归口", "标注", "主题", "话题",
        "类目", "性质", "极性", "归类", "大类", "小类", "倾向", "栏目", "频道", "板块", "原因分类",
        "label", "labels", "category", "class", "intent", "sentiment",
        "topic", "type", "tag", "cat", "department", "target", "polarity", "emotion", "kind", "subcategory", "queue",
        "mode", "folder", "欺诈", "诈骗", "垃圾", "违规", "流失", "fraud", "spam", "toxic", "churn", "ham",
    ),
    "text": (
        "文本", "内容", "正文", "原文", "全文", "句子", "语料", "评论", "标题", "留言", "问题", "描述", "诉求", "反馈",
        "详情", "消息", "短信", "提问", "咨询", "投诉", "意见", "评价", "摘要", "说明", "对话", "原声", "弹幕", "建议",
        "来信", "工单", "text", "content", "sentence", "review", "comment", "comments", "message", "news", "question",
        "query", "title", "body", "utterance", "ask", "description", "feedback", "complaint", "post", "tweet",
        "document", "passage", "paragraph", "request", "headline", "abstract", "summary", "subject", "transcript",
        "sms", "narrative", "details", "issue", "problem", "inquiry", "enquiry", "verbatim",
    ),
    "after": (
        "回复", "答复", "办理", "解决", "结果", "备注", "批注", "跟进", "处置", "方案", "结论", "措施", "答案",
        "面谈记录", "reply", "response",
        "answer", "resolution", "action", "remark", "remarks", "note", "notes", "solution", "outcome",
        "measures",
    ),
    "side": (
        "渠道", "来源", "平台", "地区", "区域", "省份", "城市", "区县", "街道", "姓名", "性别", "年龄", "日期", "时间",
        "月份", "年份", "编号", "单号", "序号", "号码", "电话", "手机", "手机号", "地址", "坐席", "人员", "处理人",
        "受理人", "经办人", "负责人", "客服", "状态", "优先级", "会员", "门店", "品牌", "商品", "产品", "型号", "金额",
        "名称", "昵称", "商户", "学历", "流水", "资产", "asset", "merchant", "nickname",
        "channel", "source", "platform", "region", "city", "province", "state", "country", "gender", "age", "date",
        "time", "month", "year", "id", "ids", "no", "nr", "number", "phone", "address", "agent", "operator", "owner",
        "assignee", "status", "priority", "user", "customer", "email", "flag", "brand", "product", "store", "amount",
        "timestamp", "uid", "uuid", "index", "language", "lang",
    ),
}  # fmt: skip
# What the people who handled a case wrote: a compound that begins so is written afterwards.
_HANDLED = (
    "处理", "处置", "办理", "回复", "答复", "解决", "客服", "坐席", "跟进", "回访",
    "agent", "reply", "response", "resolution",
)  # fmt: skip
_BOOLEAN = ("是否", "有无", "is", "has", "was")
# Yes or no to one of these is what a model is asked.
_TARGETS = ("欺诈", "诈骗", "垃圾", "违规", "流失", "fraud", "spam", "toxic", "churn")
_ROLE = {word: role for role, words in _WORDS.items() for word in words}
_BRACKETS = re.compile(r"[(（\[【<].*?[)）\]】>]|[*:：\d_\s]+$")
_TOKENS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[\u4e00-\u9fff]+")


@lru_cache(maxsize=4096)
def role_of(name: str) -> Role | None:
    """What a column's name says, by its last known word; None where it says nothing."""
    plain = compose(name).strip()
    if plain.lower() in EXACT:
        return EXACT[plain.lower()]
    tokens = _TOKENS.findall(_BRACKETS.sub("", plain))
    tokens = [token.lower() for token in tokens if not token.isdigit()]
    if not tokens or len(tokens) > 4 or len(plain) > 30:
        return None
    if tokens[0].startswith(_BOOLEAN[:2]) or (len(tokens) > 1 and tokens[0] in _BOOLEAN):
        return "label" if _last_word(tokens[-1]) == "label" and tokens[-1].endswith(_TARGETS) else "side"
    if tokens[-1] == "name":
        if len(tokens) == 1:
            return "side"
        del tokens[-1]
    role = _last_word(tokens[-1])
    if role is None and len(tokens) > 1 and len(tokens[-1]) == 1:  # `text a`
        role = _last_word(tokens[-2])
    if role == "text" and tokens[0].startswith(_HANDLED) and _last_word(tokens[0]) != "text":
        return "after"
    if role == "text" and len(tokens) == 1 and tokens[0].startswith(_HANDLED) and tokens[0] not in _ROLE:
        return "after"
    return role


def names_column(name: str) -> bool:
    """Whether a cell is a name that a column of texts or labels has."""
    return name.strip().lower() in EXACT or role_of(name) in ("text", "label")


def _last_word(token: str) -> Role | None:
    if token in _ROLE:
        return _ROLE[token]
    if token >= "\u4e00":
        for length in range(min(4, len(token)), 1, -1):
            if token[-length:] in _ROLE:
                return _ROLE[token[-length:]]
    return None
