"""An unknown heading: the type of the field that its cells have, the nearest label, the nearest kinds of masking."""

from __future__ import annotations

import pytest

from penjing.core.chinese import chinese, is_english
from penjing.decide.headings import hint_of, type_of
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(("退款", "投诉"), {"amount": "float"})


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([">10000", "", "1..5"], "int"),
        (["<0.5", ">=3"], "float"),
        (["属于 1|2", "不等于 5"], "int"),
        ([">=2026-01-05", "within 30 days", "empty"], "date"),
        (["最近30天", "2026/1/5"], "date"),
        (["true", "否"], "bool"),
        (["app", "in web|phone"], "str"),
        (["5", "app"], "str"),
        (["", "empty"], "str"),
    ],
)
def test_the_type_is_that_which_all_cells_fit(cells: list[str], kind: str) -> None:
    assert type_of(cells) == kind
    assert f"fields: {{涉案金额: {kind}}}" in hint_of("涉案金额", ["name", "涉案金额"], cells, SCHEMA)


@pytest.mark.parametrize(
    ("heading", "hint"),
    [
        ("p.退货款", "did you mean `p.退款`?"),
        ("概率.投述诉", "did you mean `概率.投诉`?"),
        ("概率.表扬", "known are: `概率.退款`, `概率.投诉`"),
        ("脱敏.电话", "did you mean `脱敏.手机` or `脱敏.座机`?"),
        ("pii.phone", "did you mean `pii.mobile` or `pii.landline`?"),
        ("脱敏.身份证号", "did you mean `脱敏.身份证`?"),
        ("pii.e-mail", "did you mean `pii.email`?"),
    ],
)
def test_probabilities_and_masking_have_their_own_names(heading: str, hint: str) -> None:
    assert hint_of(heading, ["name", heading], [], SCHEMA) == hint
    assert not is_english(chinese(f"r.csv:1:2: unknown column `{heading}`\n  fix: {hint}").replace("r.csv", ""))
