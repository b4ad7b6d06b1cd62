"""The role of a column by its name: texts, labels, a level (perhaps the label), written afterwards, or other facts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from penjing.data.fold import compose

Role = Literal["text", "label", "level", "after", "side"]

# Whole names that determine the role.
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
        "verdict", "decision", "gold", "annotation", "判定", "定性", "事由", "案由",
    ),
    "level": (
        "等级", "级别", "程度", "满意度", "评分", "打分", "得分", "分数", "星级", "评级", "优先级", "紧急度", "风险",
        "severity", "priority", "level", "grade", "rating", "ratings", "score", "stars", "risk", "tier", "urgency",
        "rank", "satisfaction",
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
        "受理人", "经办人", "负责人", "客服", "状态", "会员", "门店", "品牌", "商品", "产品", "型号", "金额",
        "名称", "昵称", "商户", "学历", "流水", "资产", "asset", "merchant", "nickname",
        "channel", "source", "platform", "region", "city", "province", "state", "country", "gender", "age", "date",
        "time", "month", "year", "id", "ids", "no", "nr", "number", "phone", "address", "agent", "operator", "owner",
        "assignee", "status", "user", "customer", "email", "flag", "brand", "product", "store", "amount",
        "timestamp", "uid", "uuid", "index", "language", "lang",
    ),
}  # fmt: skip
# What the people who handled a case wrote: a compound that begins so is written afterwards.
_HANDLED = (
    "处理", "处置", "办理", "回复", "答复", "解决", "客服", "坐席", "跟进", "回访",
    "agent", "reply", "response", "resolution",
)  # fmt: skip
# What a model predicted: not a label to learn from, because people's labels are usually in another column.
_MODELS = ("预测", "模型", "机器", "算法", "predicted", "prediction", "pred", "model")
# Results of these are judgements, and so labels; those of `_HANDLED` are what was done afterwards.
_JUDGED = ("审核", "检测", "判定", "鉴定", "质检", "识别", "分类", "标注", "评审", "诊断", "研判", "核查")
# A level of these says who somebody is, not what the text is.
_WHO = ("会员", "客户", "用户", "商户", "门店", "店铺", "member", "customer", "user", "vip")
_ASSIGNED = ("承办", "责任", "主办", "归属", "转办", "受理")
_BOOLEAN = ("是否", "有无", "is", "has", "was")
_MARK = re.compile(r"(标记|标志|标识)$")
_MARKS = ("flag", "indicator", "mark")
# A column that says yes or no to one of these is a label.
_TARGETS = (
    "欺诈", "诈骗", "涉诈", "洗钱", "垃圾", "违规", "流失", "投诉", "有害", "敏感", "异常", "逾期", "违约", "刷单",
    "fraud", "fraudulent", "spam", "toxic", "churn", "churned", "abuse", "abusive", "phishing", "scam", "hate",
    "harmful", "complaint", "anomaly", "default", "sarcastic",
)  # fmt: skip
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
        return "label" if tokens[-1].endswith(_TARGETS) else "side"
    if tokens[-1] in _MARKS or _MARK.search(tokens[-1]):
        marked = tokens[-2] if len(tokens) > 1 and tokens[-1] in _MARKS else _MARK.sub("", tokens[-1])
        return "label" if marked.endswith(_TARGETS) else "side"
    if tokens[-1] == "name":
        if len(tokens) == 1:
            return "side"
        del tokens[-1]
    return _of_compound(tokens)


def _of_compound(tokens: list[str]) -> Role | None:
    """The role of the last word, as the words before it change it."""
    role, first = _last_word(tokens[-1]), tokens[0]
    if role is None and len(tokens) > 1 and len(tokens[-1]) == 1:  # `text a`
        role = _last_word(tokens[-2])
    if len(tokens) > 1 and tokens[-1] in ("text", "str", "string") and EXACT.get(tokens[-2]) == "label":
        role = "label"  # `label_text`: the label in words
    if role in ("label", "level") and first.startswith(_MODELS) and first not in _ROLE:
        return "after"
    if role == "level" and first.startswith(_WHO):
        return "side"
    if first.startswith(_JUDGED) and tokens[-1].endswith(("结果", "结论")):
        return "label"
    if first.startswith(_ASSIGNED) and tokens[-1].endswith(("单位", "机构")):
        return "label"
    if role == "text" and first.startswith(_HANDLED) and _last_word(first) != "text":
        return "after"
    if role == "text" and len(tokens) == 1 and first.startswith(_HANDLED) and first not in _ROLE:
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
