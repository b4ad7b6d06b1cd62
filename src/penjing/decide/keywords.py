"""Headers and keywords of a rules file in English and Chinese: the one table for reading and for `penjing rules fmt`.

Both languages are read everywhere, mixed too. A declared field keeps its name: where it is called `优先级`, that header
means the field, and the priority of a rule is headed `rule priority` or `规则优先级`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from penjing.data.fold import fold_name, fold_width

Language = Literal["en", "zh"]


@dataclass(frozen=True)
class Spellings:
    """A header or a keyword: how it is written in each language (the first form), and what else is read."""

    en: tuple[str, ...]
    zh: tuple[str, ...]

    def of(self, language: Language) -> tuple[str, ...]:
        """The forms of one language."""
        return self.zh if language == "zh" else self.en


# Columns that are no conditions.
COLUMNS: Mapping[str, Spellings] = {
    "name": Spellings(("name", "rule name"), ("名称", "规则名称", "规则名")),
    "then": Spellings(("then", "rule then"), ("则", "规则结论")),
    "why": Spellings(("why", "rule why"), ("理由", "规则理由")),
    "priority": Spellings(("priority", "rule priority"), ("优先级", "规则优先级")),
    "owner": Spellings(("owner", "rule owner"), ("负责人", "规则负责人")),
    "valid_from": Spellings(("valid_from", "rule valid_from"), ("生效日期", "规则生效日期")),
    "valid_to": Spellings(("valid_to", "rule valid_to"), ("失效日期", "规则失效日期")),
}
FACTS: Mapping[str, Spellings] = {
    "label": Spellings(("label",), ("标签",)),
    "p": Spellings(("p",), ("概率",)),
    "margin": Spellings(("margin",), ("概率差",)),
    "value": Spellings(("value",), ("数值",)),
    "low": Spellings(("low",), ("下限",)),
    "high": Spellings(("high",), ("上限",)),
    "text": Spellings(("text",), ("文本",)),
    "too_long": Spellings(("too_long",), ("文本超长",)),
    "out_of_scope": Spellings(("out_of_scope",), ("超出范围",)),
    "pii.id_card": Spellings(("pii.id_card",), ("脱敏.身份证",)),
    "pii.mobile": Spellings(("pii.mobile",), ("脱敏.手机",)),
    "pii.landline": Spellings(("pii.landline",), ("脱敏.座机",)),
    "pii.bank_card": Spellings(("pii.bank_card",), ("脱敏.银行卡",)),
    "pii.email": Spellings(("pii.email",), ("脱敏.邮箱",)),
    "pii.plate": Spellings(("pii.plate",), ("脱敏.车牌",)),
    "pii.ip": Spellings(("pii.ip",), ("脱敏.IP地址",)),
}
# `p.LABEL`: the probability of that label.
OF_LABEL = Spellings(("p.",), ("概率.",))

# Comparisons, by the sign or word that the parser uses. A bare value has none.
COMPARISONS: Mapping[str, Spellings] = {
    "contains": Spellings(("contains",), ("包含",)),
    "not contains": Spellings(("not contains",), ("不包含",)),
    "contains all": Spellings(("contains all",), ("包含全部",)),
    "not contains all": Spellings(("not contains all",), ("不全包含",)),
    "starts": Spellings(("starts", "starts with"), ("开头是",)),
    "not starts": Spellings(("not starts", "not starts with"), ("开头不是",)),
    "matches": Spellings(("matches",), ("匹配",)),
    "not matches": Spellings(("not matches",), ("不匹配",)),
    "=": Spellings(("=",), ("等于",)),
    "!=": Spellings(("!=",), ("不等于",)),
    "in": Spellings(("in",), ("属于",)),
    "not in": Spellings(("not in",), ("不属于",)),
    "empty": Spellings(("empty",), ("为空",)),
    "not empty": Spellings(("not empty",), ("不为空", "非空")),
}
TRUTH: Mapping[bool, Spellings] = {True: Spellings(("true",), ("是",)), False: Spellings(("false",), ("否",))}
# What `then` begins with.
ENDS: Mapping[str, Spellings] = {
    "outcome": Spellings(("outcome",), ("结论",)),
    "review": Spellings(("review",), ("转人工",)),
    "model": Spellings(("model",), ("交给模型",)),
}
# Ranges of days around the clock of the request, by whether they are negated and where they lie.
DAYS: Mapping[tuple[bool, str], Spellings] = {
    (False, ""): Spellings(("within {} days",), ("{}天内",)),
    (False, "last"): Spellings(("within last {} days",), ("最近{}天",)),
    (False, "next"): Spellings(("within next {} days",), ("未来{}天",)),
    (True, ""): Spellings(("not within {} days",), ("不在{}天内",)),
    (True, "last"): Spellings(("not within last {} days",), ("不在最近{}天",)),
    (True, "next"): Spellings(("not within next {} days",), ("不在未来{}天",)),
}


def column_of(header: str, facts: Collection[str]) -> str | None:
    """The column or the fact that a header means, or None: a name as it is, else a keyword, in any width and case.

    facts: the names of all facts, declared fields included. A column that has the name of a field is `rule NAME`.
    """
    if header in facts or header in COLUMNS:
        return header
    folded = fold_name(header)
    known: dict[str, list[str]] = {}
    for name in (*facts, *COLUMNS):
        known.setdefault(fold_name(name), []).append(name)
    if len(same := known.get(folded, [])) == 1:
        return same[0]
    found = _headers().get(folded)
    if found is not None:
        if found in COLUMNS:
            return f"rule {found}" if found in facts else found
        return found if found in facts else None
    beginning = next((fold_name(each) for each in OF_LABEL.zh if folded.startswith(fold_name(each))), None)
    if beginning is not None:
        label = header.partition(".")[2] or header.partition("．")[2]
        return column_of("p." + (label.strip() or folded.removeprefix(beginning)), facts)
    return None


def special_of(column: str, facts: Collection[str]) -> str:
    """The key of `COLUMNS` that a column has, as `column_of` names it; "" for a fact."""
    if column in facts:
        return ""
    name = column.removeprefix("rule ")
    return name if name in COLUMNS else ""


def header_of(column: str, language: Language, fields: Collection[str]) -> str:
    """How a column or a fact is headed; never by the name of a declared field that is something else."""
    if column in fields:
        return column
    words = COLUMNS.get(special_of(column, fields)) or FACTS.get(column)
    if words is None:
        return OF_LABEL.of(language)[0] + column.removeprefix("p.") if column.startswith("p.") else column
    taken = {fold_name(name) for name in fields}
    forms = (*words.of(language), *words.en, *words.zh)
    return next((form for form in forms if fold_name(form) not in taken), column)


def fact_in(fact: str, language: Language) -> str:
    """The name of a fact in a language; of a declared field, its own."""
    if fact in FACTS:
        return FACTS[fact].of(language)[0]
    return OF_LABEL.of(language)[0] + fact.removeprefix("p.") if fact.startswith("p.") else fact


def end_in(written: str, language: Language) -> str:
    """An end as `write_then` writes it in English, in a language."""
    key, mark, value = written.partition(" ")
    return ENDS[key].of(language)[0] + mark + value if key in ENDS else written


@dataclass(frozen=True)
class Form:
    """A cell as its comparison (a key of `COMPARISONS`; "" for a bare value) and what it compares with."""

    key: str
    rest: str = ""


def split_form(written: str, *, joined: bool = False) -> Form:
    """The comparison with which a cell begins, and the rest.

    joined: a Chinese keyword may be followed by its words without a space, as in `包含退款`.
    """
    plain = fold_width(written)
    found = _spaced().match(plain) or (_joined().match(plain) if joined else None)
    if found is None:
        return Form("", written)
    return Form(comparison_keys()[re.sub(r"\s+", " ", found[0]).lower()], written[found.end() :].strip())


@cache
def _headers() -> dict[str, str]:
    tables = (*COLUMNS.items(), *FACTS.items())
    return {fold_name(form): name for name, words in tables for form in (*words.en, *words.zh)}


@cache
def comparison_keys() -> Mapping[str, str]:
    """The comparison (a key of `COMPARISONS`) of every form in which it is written."""
    return {form: key for key, words in COMPARISONS.items() for form in (*words.en, *words.zh)}


@cache
def _spaced() -> re.Pattern[str]:
    """A keyword before a space or the end; a sign before anything but another sign."""
    words = sorted((form for form in comparison_keys() if form not in ("=", "!=")), key=len, reverse=True)
    listed = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)
    return re.compile(rf"(?:{listed})(?=\s|$)|!?=(?![<>=])", re.IGNORECASE)


@cache
def _joined() -> re.Pattern[str]:
    words = sorted((form for words in COMPARISONS.values() for form in words.zh), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)))


def names_lists(form: Form) -> bool:
    """Whether a cell is `in @NAME`, which of a text means that it has a word of that list in it."""
    parts = fold_width(form.rest).split("|")
    return form.key in ("in", "not in") and all(part.strip().startswith("@") for part in parts)
