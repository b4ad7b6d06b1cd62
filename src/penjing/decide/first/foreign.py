"""Cells of a rules file that are written as in SQL, Excel, Python or plain words, with the form to use instead.

Rules know `=`, `in a|b`, `<`, `>=`, `1..5` and `contains a|b`. A cell such as `!=北京` or `contains 律师、法院` could
be read as a value or a phrase of exactly these characters, which never occurs. So new rules with such a cell are
refused. A sealed release keeps the rules that it was proven with; they are never refused for this reason. `=X`
means exactly X.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from penjing.core.errors import RequestError, RuleError
from penjing.data.clean import clean
from penjing.data.fields import FieldError, parse_field, parse_number
from penjing.data.fold import fold_width
from penjing.decide.first.cells import contains_word, parse_cell
from penjing.decide.schema import FactSchema, Kind

_LISTED = re.compile(r"\s*[,，、;；]\s*")
_JOINED = re.compile(r"\s+(?:AND|OR)\s+|\s*(?:&&|\|\|)\s*|\s+(?:且|或|并且|或者|和)\s+")
# These also separate Chinese words: a Chinese value or phrase hardly ever contains one.
_CHINESE_JOINED = re.compile(
    r"(?<=[\u4e00-\u9fff])\s*(?:[/&+]|或者?|(?<=\s)(?:or|and)(?=\s))\s*(?=[\u4e00-\u9fff])", re.IGNORECASE
)
_NOT = re.compile(
    r"(?:!=+|<>|≠|!(?=\S)|NOT\s+(?:IN\s+)?|not\s+in\s+|not\s+(?=[\u4e00-\u9fff])|不是|不等于|不在|不为|不属于|排除"
    r"|(?:is\s+not|isn'?t|except(?:\s+for)?|other\s+than|anything\s+but|excluding|exclude)\s+)\s*(.+)"
    r"|除了?\s*(.+?)\s*(?:以外|之外|外)",
    re.DOTALL,
)
# Before a known value these are a negation; elsewhere they may be part of a word.
_NOT_KNOWN = re.compile(r"(?:非|不|无|no[nt]?[\s-]+|without\s+|-|~|\^)\s*(.+)", re.DOTALL | re.IGNORECASE)
_BARE = re.compile(r"contains?|in|not|not\s+in|like|includes?|包含|含有", re.IGNORECASE)
_FENCED = re.compile(r"/(.+)/[a-z]*", re.DOTALL)
_HOLDS_NOT = re.compile(
    r"(?:(?:is\s+)?not?\s+contain(?:s|ing)?|(?:does\s+not|doesn'?t|must\s+not|never|cannot)\s+(?:contains?|include|match|hold)"
    r"|!contains?|not\s+(?:like|in|match(?:es)?|includ(?:es|ing)|start\w*(?:\s+with)?|end\w*(?:\s+with)?)"
    r"|exclud(?:es?|ing)|without|lacks|(?:不|未|没有|没|不能|不要|无|禁止|不得)\s*(?:包含|含有?|包括|提到|提及|出现)|排除"
    r"|没有|!=+|<>|≠|!~|!|not\s)\s*[:：(]?\s*(.+)",
    re.DOTALL | re.IGNORECASE,
)
_DENIED = re.compile(r"!\s*\S|(?:NOT|not)\s+(?:contains?|like)\b|(?:不|未)(?:包含|含有?)(?=.)|-[\u4e00-\u9fff]")
_LOOKS_AWAY = re.compile(r"\(\?<?!")  # a negative lookahead of a regular expression
_HOLDS = re.compile(
    r"(?:contains?|includes?|like|match(?:es)?|regex|starts?\s?with|ends?\s?with|包含|含有|包括|等于|equals?|=~|~|==?)"
    r"\s*[:：(]?\s*(.+)",
    re.DOTALL | re.IGNORECASE,
)
_WHOLE_WORDS = re.compile(
    r"(?:contains?\s|like\s|包含|含有|等于|equals?\s|is\s|eq\s|=~)\s*(.+)", re.DOTALL | re.IGNORECASE
)
_REGEX = re.compile(r"\.[*+?]|(?<=[\u4e00-\u9fff])\$$|\\[dwsbDWSB]|\[\^|\[[^\]\s]-[^\]\s]\]|\(\?|^\^")
_QUOTED = re.compile("[\"'“‘「『](.+)[\"'”’」』]", re.DOTALL)
_NULL = re.compile(r"null|is\s+null|is\s+not\s+null|not\s+null|isnull|is\s+empty|为空|不为空|非空", re.IGNORECASE)
_SPAN = re.compile(r"(\S*\d\S*?)\s*(?:\.\.\.?|…|~|至|到|\sto\s|—|–)\s*(\S*\d\S*)")
_BRACKETED = re.compile(r"(?:in\s*)?[(\[{（【](.+)[)\]}）】]", re.DOTALL | re.IGNORECASE)
_DIGITS = r"[-+]?\d[\d,]*(?:\.\d+)?"
_BETWEEN = re.compile(
    rf"(?:between\s+|介于)?[\[(]?\s*({_DIGITS})\s*(?:-|~|—|–|to|and|至|到|和|,)\s*({_DIGITS})\s*[\])]?(?:之间)?",
    re.IGNORECASE,
)
_BOTH_SIDES = re.compile(rf">=?\s*({_DIGITS})\s*(?:AND|and|&&?|,|，|且|并且)\s*<=?\s*({_DIGITS})")
_SIGNS = {
    "大于等于": ">=", "不小于": ">=", "不少于": ">=", "不低于": ">=", "至少": ">=", "at least": ">=",
    "小于等于": "<=", "不大于": "<=", "不超过": "<=", "不高于": "<=", "至多": "<=", "最多": "<=", "at most": "<=",
    "no less than": ">=", "not less than": ">=", "minimum": ">=", "min": ">=",
    "no more than": "<=", "not more than": "<=", "up to": "<=", "maximum": "<=", "max": "<=", "不高过": "<=",
    "fewer than": "<", "不足": "<", "不到": "<", "未满": "<", "不满": "<", "未达": "<", "未超过": "<=",
    "> =": ">=", "< =": "<=", "大于": ">", "超过": ">", "高于": ">", "多于": ">", "more than": ">", "greater than": ">",
    "over": ">", "above": ">",
    "小于": "<", "低于": "<", "少于": "<", "less than": "<", "under": "<", "below": "<",
    "等于": "=", "equals": "=", "equal to": "=", "==": "=", "is": "=",
    "lte ": "<=", "le ": "<=", "lt ": "<", "gte ": ">=", "ge ": ">=", "gt ": ">", "eq ": "=",
}  # fmt: skip
_BY_LENGTH = "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True))
_SIGN = re.compile(rf"({_BY_LENGTH}|>=|<=|≥|≤|=<|=>|>|<|=)?\s*(.+)", re.IGNORECASE | re.DOTALL)
_CURRENCY = r"(?:[￥¥$€£]|RMB|CNY|USD|EUR|人民币)"
_UNIT = (
    rf"(?:{_CURRENCY}|元|块钱?|圆|角|分|次|个|件|天|日|岁|年|月|周|人|条|份|度|度电|户|台|套|笔|箱|斤|公斤|吨|米|公里|小时|分钟|秒钟?|%"
    r"|kg|km|g|m|h|s|d|hours?|days?|times?|years?|months?|weeks?|minutes?|seconds?|pcs|[a-z]{1,2})"
)
_AMOUNT = re.compile(rf"{_CURRENCY}?\s*({_DIGITS})\s*(千|万|亿|k)?\s*{_UNIT}?(?:人民币|整)?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,(?:\d{1,2}|\d{4,})")
# A comparison that is written after its number.
_BEHIND = re.compile(
    r"(.*?\d.*?)\s*(?:(?:及|或|和)?(以上)|(\+|起|or more|or above|and above|and more|and up)"
    r"|(?:及|或|和)?(以下|以内|之内)|(or less|or below|and below|at most))",
    re.IGNORECASE,
)
_TIMES = {"千": 1_000, "k": 1_000, "万": 10_000, "亿": 100_000_000}
_NOT_NUMBER = re.compile(
    r"(?:!=*|<>|≠|(?:is\s+)?not\s+(?!more|less)|isn'?t\s+|except\s+|other\s+than\s+|不等于|不是|不在|不为|非|除了?)"
    r"\s*(.+)",
    re.IGNORECASE,
)
_SHORT = {True: 12, False: 4}  # longest word in a list of words, in characters: Latin, other scripts
_SHOWN = 60


def refuse_foreign(cell: str, fact: str, kind: Kind, schema: FactSchema, where: str) -> None:
    """Raise RuleError, with the form to write, for a cell that is clearly in another syntax."""
    try:
        written = clean(cell.strip())
    except RequestError:
        return  # the parser reports its error
    known = schema.values(fact)
    if not written or written in known:
        return
    plain = fold_width(written)
    if kind == "date" or (kind in ("unit", "count", "int", "float") and _is_ours(cell, fact, kind, schema)):
        return  # a number or a date cannot be taken literally by mistake
    if kind == "text":
        found = _in_text(plain)
    elif kind == "bool":
        found = _in_truth(plain)
    elif kind in ("label", "enum", "str"):
        found = _in_value(plain, fact, known)
    else:
        found = _in_number(plain, kind)
    if found:
        what, fix = found
        raise RuleError(f"{written[:_SHOWN]!r} {what}", where=f"{where} (column `{fact}`)", fix=fix)


def _in_text(plain: str) -> tuple[str, str] | None:
    word, rest = contains_word(plain)
    if _LOOKS_AWAY.search(plain):
        return _no_negation("contains …")
    if word != "contains" or not rest:
        if found := _HOLDS_NOT.fullmatch(plain):
            return _no_negation(f"contains {_bars(found[1])}")
        if found := _FENCED.fullmatch(plain):
            return "is a regular expression, which rules do not have", f"write `contains {_literal(found[1])}`"
        if found := re.fullmatch(r"in\s+(.+)", plain, re.DOTALL | re.IGNORECASE):
            return "compares a text with values as a whole", f"write `contains {_bars(found[1])}`"
        if (found := _HOLDS.fullmatch(plain)) or (found := re.fullmatch(r"(\*.*|.*\*|%.*%)", plain, re.DOTALL)):
            return "is no comparison of a text", f"write `contains {_bars(found[1])}`"
        return None
    if any(_DENIED.match(part.strip()) for part in _parts(rest)):
        return _no_negation("contains …")
    if _REGEX.search(rest):
        fix = f"write the words as they occur in a text: `contains {_literal(rest)}`; for both, use two columns `text`"
        return "holds a regular expression, which would be searched literally", fix
    if re.search(r"\s+AND\s+|&&|\s+(?:且|并且|和)\s+", rest):
        parts = " and ".join(f"`contains {part}`" for part in _parts(rest))
        return "joins words by AND, which would be searched literally", f"use two columns `text`: {parts}"
    phrases = [part.strip() for part in rest.split("|")]
    quoted = any(_QUOTED.fullmatch(phrase) for phrase in phrases)
    starred = any(len(phrase) > 1 and (phrase[0] == "*" or phrase[-1] == "*") for phrase in phrases)
    liked = any(len(phrase) > 2 and phrase[0] == phrase[-1] == "%" for phrase in phrases)
    grouped = _BRACKETED.fullmatch(rest) and ("|" in rest or _LISTED.search(rest))
    if quoted or starred or liked or grouped or _JOINED.search(rest):
        return "holds signs that would be searched literally", f"write `contains {_bars(rest)}`"
    if (found := _CHINESE_JOINED.search(rest)) and all(map(_is_word, _CHINESE_JOINED.split(rest))):
        return (
            f"joins words by `{found[0].strip()}`, and would be searched as one phrase with it",
            f"write `contains {_bars(rest)}` for one of them; where both must be there, use two columns `text`",
        )
    if "、" in rest or (_LISTED.search(rest) and all(_is_word(part) for part in _LISTED.split(rest))):
        return (
            "lists words by a comma, and would be searched as one phrase with the comma in it",
            f"write `contains {_bars(rest)}` for one of them; for a phrase, a part of it without the comma",
        )
    return None


def _in_value(plain: str, fact: str, known: Sequence[str]) -> tuple[str, str] | None:
    exact = f"; `={plain[:_SHOWN]}` means exactly that" if not known else ""
    if plain.startswith("==") and plain[2:].strip():
        return "has one `=` too many", f"write `={plain.lstrip('=').strip()}`"
    if plain.startswith("=") and not plain.startswith("=~"):
        return None
    if _NULL.fullmatch(plain):
        fix = f"leave the cell empty: where a rule needs a field that is not given, the case goes to a person{exact}"
        return "asks whether there is a value, which rules cannot", fix
    if (found := _NOT.fullmatch(plain)) or (
        (found := _NOT_KNOWN.fullmatch(plain)) and any(part in known for part in _parts(_inside(found[1])))
    ):
        given = _parts(_inside(next(part for part in found.groups() if part)))
        others = [value for value in known if value not in given]
        if known and len(others) < len(known):
            return "is a negation, which rules do not have", f"list the others: `in {'|'.join(others[:20])}`"
        what, fix = _no_negation(f"in {'|'.join(given)}" if len(given) > 1 else (given or ["X"])[0])
        return what, fix + exact
    if _BARE.fullmatch(plain):
        return "is a comparison without a value", f"write the value{exact}"
    if found := _QUOTED.fullmatch(plain):
        return "is in quotes, which would be part of the value", f"write `{found[1]}`{exact}"
    if found := _WHOLE_WORDS.fullmatch(plain):
        return f"does not fit `{fact}`, which is compared whole", f"write `{_bars(found[1])}`{exact}"
    bars = re.match(r"in\s", plain, re.IGNORECASE) is not None and "|" in plain
    if _BRACKETED.fullmatch(plain) or (not bars and _is_joined(plain)):
        listed = re.sub(r"^in\s+", "", plain, flags=re.IGNORECASE)
        return "is no list of values", f"write `in {_bars(listed)}` for one of them{exact}"
    if _SPAN.fullmatch(plain):
        fix = f"declare `{fact}` as `int` or `float` (a day as 20260131), then write `20260101..20260131`{exact}"
        return f"is a range, and `{fact}` is not a number", fix
    if _REGEX.search(plain) or (len(plain) > 1 and "*" in (plain[0], plain[-1])) or re.fullmatch("%.+%", plain):
        return "holds a pattern, and values are compared whole", f"write the values: `in a|b`{exact}"
    return None


def _in_truth(plain: str) -> tuple[str, str] | None:
    if found := re.fullmatch(r"(!=+|<>|≠|!|not\s+|is\s+not\s+|isn'?t\s+|不是|非|不)\s*(.+)", plain, re.IGNORECASE):
        truth = _truth(found[2])
        right = "`true` or `false`" if truth is None else "`false`" if truth else "`true`"
        return "is a negation, which rules do not have", f"write {right}"
    if found := re.fullmatch(r"(?:==|is\s+)\s*(.+)", plain, re.IGNORECASE) or _QUOTED.fullmatch(plain):
        return "is neither true nor false", f"write `{found[1].strip()}`"
    return None


def _truth(written: str) -> bool | None:
    try:
        value = parse_field(_unquoted(written), "bool")
    except FieldError:
        return None
    return value if isinstance(value, bool) else None


def _in_number(plain: str, kind: Kind) -> tuple[str, str] | None:
    plain = re.sub(r"([<>])\s+=", r"\1=", plain)
    if found := _NOT_NUMBER.fullmatch(plain):
        number = _number(found[1], kind)
        return "is a negation, which rules do not have", f"write two rows: `<{number}` and `>{number}`" if number else (
            "write two rows: one below and one above the number"
        )
    if _NULL.fullmatch(plain):
        return "asks whether there is a value, which rules cannot", "leave the cell empty"
    if found := _BOTH_SIDES.fullmatch(plain):
        return "joins two comparisons", f"write `{found[1]}..{found[2]}`, which includes both ends"
    if (behind := _BEHIND.fullmatch(plain)) and (number := _number(behind[1], kind)) is not None:
        sign = ">=" if behind[2] or behind[3] else "<="
        return "is not a number that can be compared", f"write `{sign}{number}`"
    found = _SIGN.fullmatch(plain)
    if found and (number := _number(_unquoted(found[2]), kind)) is not None:
        right = f"{_SIGNS.get((found[1] or '').lower(), found[1] or '')}{number}"
        return ("is not a number that can be compared", f"write `{right}`") if right != plain else None
    listed = _parts(_inside(re.sub(r"^in\s*", "", plain, flags=re.IGNORECASE)))
    numbers = [_number(part, kind) for part in listed]
    bracketed = _BRACKETED.fullmatch(plain)
    if (
        plain[0] not in "<>="
        and (len(numbers) > 2 or (len(numbers) == 2 and not bracketed and "," in plain))
        and all(numbers)
    ):
        return "is no list of numbers", f"write `in {'|'.join(map(str, numbers))}`"
    if found := _BETWEEN.fullmatch(plain):
        return (
            "is no range",
            f"write `{found[1].replace(',', '')}..{found[2].replace(',', '')}`, which includes both ends",
        )
    return None


def _is_ours(cell: str, fact: str, kind: Kind, schema: FactSchema) -> bool:
    try:
        return parse_cell(cell, fact, kind, schema, "") is not None
    except RuleError:
        return False


def _number(written: str, kind: Kind) -> str | None:
    """The number in a text with a unit or a currency, in the form for a rules file."""
    written = written.strip()
    if _DECIMAL_COMMA.fullmatch(written):
        written = written.replace(",", ".")
    found = _AMOUNT.fullmatch(written)
    if not found:
        return None
    number = parse_number(found[1])
    if number is None or (written.endswith("%") and kind != "unit"):
        return None
    number *= Decimal(_TIMES.get((found[2] or "").lower(), 1)) / (100 if written.endswith("%") else 1)
    return f"{number.normalize():f}"


def _no_negation(above: str) -> tuple[str, str]:
    return (
        "is a negation, which rules do not have",
        f"put a row above this one with `{above}` and its outcome, and leave this cell empty",
    )


def _is_joined(plain: str) -> bool:
    return any(mark.search(plain) is not None for mark in (_LISTED, _JOINED, _CHINESE_JOINED))


def _parts(listed: str) -> list[str]:
    pieces = [_inside(listed)]
    for mark in (_JOINED, _CHINESE_JOINED, _LISTED):
        pieces = [piece for part in pieces for piece in mark.split(part)]
    pieces = [_unquoted(piece).strip("*%^$ ") for part in pieces for piece in part.split("|")]
    return [piece for piece in pieces if piece]


def _bars(listed: str) -> str:
    return "|".join(_parts(listed))[:200] or "a|b"


def _inside(written: str) -> str:
    found = _BRACKETED.fullmatch(written.strip())
    return found[1] if found else written.strip().removesuffix(")")


def _unquoted(written: str) -> str:
    found = _QUOTED.fullmatch(written.strip())
    return found[1] if found else written.strip()


def _literal(pattern: str) -> str:
    words = re.findall(r"[^\W_]+(?: [^\W_]+)*", re.sub(r"\\.|\[[^\]]*\]|\{[^}]*\}", " ", pattern))
    return "|".join(words) or "a|b"


def _is_word(part: str) -> bool:
    return 0 < len(part) <= _SHORT[part.isascii()] and " " not in part
