"""What an unknown heading of a rules file may mean: a near name, a kind of masking, or a field with its type."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penjing.core.errors import RuleError
from penjing.core.options import nearest
from penjing.data.fold import fold_name, fold_width
from penjing.decide.cells import truth_of
from penjing.decide.keywords import COLUMNS, FACTS, OF_LABEL, Language, split_form
from penjing.decide.listed import HAN
from penjing.decide.quantities import parse_date_form, parse_number_form
from penjing.decide.schema import FactSchema

_GROUP = re.compile(r"(p|pii|概率|脱敏)\s*[.。．·]\s*(.+)", re.IGNORECASE | re.DOTALL)
# Usual words for what is masked.
_MASKED = (
    (r"手机|mobile|cell", ("mobile",)),
    (r"座机|固话|固定电话|landline", ("landline",)),
    (r"电话|phone|tel", ("mobile", "landline")),
    (r"身份|证件|identity|id", ("id_card",)),
    (r"银行|bank|account|账号|帐号", ("bank_card",)),
    (r"卡|card", ("bank_card", "id_card")),
    (r"邮|mail", ("email",)),
    (r"车|plate", ("plate",)),
    (r"ip", ("ip",)),
)


def hint_of(written: str, header: Sequence[str], cells: Sequence[str], schema: FactSchema) -> str:
    """What to do about a heading that is no column. cells: of its column."""
    if len(header) == 1 and any(mark in written for mark in "，；、"):
        return "separate the columns by commas: save the sheet as CSV UTF-8"
    kinds = schema.kinds()
    folded = fold_name(written)
    if folded in ("label", "标签") and "value" in kinds:
        return "the answers of this task are no labels: write `value`"
    if (group := _GROUP.fullmatch(fold_width(written))) and (found := _in_group(group[1], group[2], schema)):
        return found
    chinese = [form for words in (*COLUMNS.values(), *FACTS.values()) for form in words.zh]
    known = chinese if HAN.search(written) else [*COLUMNS, *kinds]
    hint = nearest(written, known)
    if "did you mean" in hint:
        return hint
    hint = nearest(written, [*COLUMNS, *kinds])
    return f"declare it under `data:` in the recipe, `fields: {{{written[:40]}: {type_of(cells)}}}`; {hint}"


def _in_group(group: str, name: str, schema: FactSchema) -> str:
    """Of `p.NAME` the nearest label, of `pii.NAME` the nearest kinds; "" where the task has no labels."""
    language: Language = "zh" if HAN.search(group) else "en"
    if group.lower() in ("p", "概率"):
        hint = nearest(name, schema.labels) if schema.labels else ""
        return re.sub("`([^`]*)`", rf"`{OF_LABEL.of(language)[0]}\1`", hint)
    kinds = next((kinds for pattern, kinds in _MASKED if re.search(pattern, name, re.IGNORECASE)), ())
    known = [words.of(language)[0] for fact, words in FACTS.items() if fact.startswith("pii.")]
    if not kinds:
        return nearest(f"{group}.{name}", known)
    meant = [f"`{FACTS[f'pii.{kind}'].of(language)[0]}`" for kind in kinds]
    return f"did you mean {' or '.join(meant)}?"


def type_of(cells: Sequence[str]) -> str:
    """The type of a field that all cells of a column fit, `str` where none does."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    forms = [split_form(fold_width(cell), joined=True) for cell in filled]
    rests = [form.rest for form in forms if form.key not in ("empty", "not empty")]
    if not rests:
        return "str"
    if all(truth_of(rest) is not None for rest in rests):
        return "bool"
    try:
        for form in forms:
            if form.rest:
                parse_number_form(form, "", "float", "")
        return "float" if any(re.search(r"\d\.\d|(?<![.\d])\.\d", rest) for rest in rests) else "int"
    except RuleError:
        pass
    try:
        for form in forms:
            if form.rest:
                parse_date_form(form, "")
    except RuleError:
        return "str"
    return "date"
