"""What the names of columns say, compounds included."""

from __future__ import annotations

import pytest

from penjing.data.names import names_column, role_of


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("投诉内容", "text"), ("客户留言", "text"), ("Customer Comment", "text"), ("review_body", "text"),
        ("text_a", "text"),
        ("issueDescription", "text"), ("内容(必填)", "text"), ("诉求描述", "text"),
        ("问题类型", "label"), ("处理类别", "label"), ("Issue Type", "label"), ("issue_category", "label"),
        ("归口部门", "label"),
        ("label_name", "label"), ("ＬＡＢＥＬ", "label"),
        ("处理意见", "after"), ("客服回复", "after"), ("Agent Notes", "after"), ("备注", "after"),
        ("处理结果", "after"),
        ("是否会员", "side"), ("is_member", "side"), ("受理渠道", "side"), ("category_id", "side"),
        ("创建时间", "side"),
        ("Ticket ID", "side"), ("客户姓名", "side"), ("customer name", "side"), ("Month", "side"),
        ("是否欺诈", "label"), ("is_fraud", "label"), ("isSpam", "label"), ("情感倾向", "label"),
        ("Failure Mode", "label"),
        ("维修措施", "after"), ("商品名称", "side"),
        ("foo", None), ("2026", None), ("内容很差的一次购物体验，再也不来了", None),
    ],
)  # fmt: skip
def test_the_last_word_says_it(name: str, role: str | None) -> None:
    assert role_of(name) == role


def test_columns_of_texts_and_labels() -> None:
    assert names_column(" Text ")
    assert names_column("投诉内容")
    assert not names_column("是否会员")
