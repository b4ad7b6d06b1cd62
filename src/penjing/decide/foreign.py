"""Cells of texts and values written as in SQL, Excel, Python or plain words, refused with the form that means the same.

Such a cell could be read as a word or a value of exactly these characters, which never occurs. No form that is offered
has the opposite meaning. A sealed release keeps the rules that it was proven with; `=X` means exactly X.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from penjing.core.errors import RequestError, RuleError
from penjing.data.clean import clean
from penjing.data.fields import FieldError, parse_field
from penjing.data.fold import fold_width
from penjing.decide.denials import BUT, FLAGS, HOLDS_NOT, MAY_DENY, TAIL, TEXT_NOT, VALUE_NOT, known_in
from penjing.decide.foreign_numbers import in_date, in_number
from penjing.decide.keywords import COMPARISONS, Form, Language, names_lists, split_form
from penjing.decide.listed import HAN, inside, join_of, joined, looks_regular, parts_of, unquoted
from penjing.decide.plainly import Hint, settled
from penjing.decide.quantified import in_quantity
from penjing.decide.quantities import NUMERIC, parse_date_form, parse_number_form
from penjing.decide.schema import FactSchema, Kind

_ANOTHER = "is how another tool writes it"
_LITERAL = "holds signs that would be searched literally"
_REGULAR = "holds a regular expression, which would be searched literally"
# Comparisons of texts in other words, and the keyword for each; the first that fits counts.
_TEXTS = tuple(
    (re.compile(pattern, FLAGS), key)
    for pattern, key in (
        (
            rf"(?:!~|not\s+(?:rlike|regexp?|similar\s+to|match(?:es)?)|(?:does\s+not|doesn'?t)\s+match(?:es)?){TAIL}",
            "not matches",
        ),
        (r"不以\s*(.+?)\s*(?:开头|开始)", "not starts"),
        (rf"不(?:是)?开头是{TAIL}", "not starts"),
        (rf"(?:not|does\s+not|doesn'?t)\s*(?:start|begin)\w*(?:\s+with)?{TAIL}", "not starts"),
        (r"不以\s*(.+?)\s*(?:结尾|结束)", "not ends"),
        (rf"(?:not|does\s+not|doesn'?t)\s*end\w*(?:\s+with)?{TAIL}", "not ends"),
        (HOLDS_NOT.pattern, "not contains"),
        (TEXT_NOT.pattern, "not contains"),
        (rf"(?:regexp?|rlike|match|=~|正则(?:表达式)?)(?![a-z]){TAIL}", "matches"),
        (r"以\s*(.+?)\s*(?:开头|开始)", "starts"),
        (rf"(?:(?:start|begin)s?\s*with|(?:start|begin)ning\s+with|begins|开头为?){TAIL}", "starts"),
        (r"以\s*(.+?)\s*(?:结尾|结束)", "ends"),
        (rf"(?:ends?\s*with|ending\s+with|ends|结尾是?){TAIL}", "ends"),
        (
            r"(?:contain(?:ing)?|contains|includ(?:es?|ing)|has|holds|i?like|in|one\s+of|any\s+of|is|equals?(?:\s+to)?|eq"
            rf"|==?|包含|含有?|包括|提到|提及|出现|等于|属于)(?![a-z]){TAIL}",
            "contains",
        ),
    )
)
_HOLDS = re.compile(r"contain(?:ing)?|contains|includ(?:es?|ing)|has|holds|i?like|(?:包|含)", re.IGNORECASE)
_DENIED = re.compile(
    r"!\s*(?=\S)|not\s+contains?\s+|not\s+like\s+|[不未]\s*(?:包含|含有?)\s*|-(?=[\u4e00-\u9fff])", re.IGNORECASE
)
# All words behind a keyword denied at once; `not` before a Latin word may belong to a phrase.
_DENIED_ALL = re.compile(r"(?:NOT\s+|[nN]ot?\s+(?=[\u4e00-\u9fff])|[nN]one\s+of\s+)(.+)", re.DOTALL)
_FENCED = re.compile(r"/(.+)/[a-z]*", re.DOTALL)
_LOOKS_AWAY = re.compile(r"\(\?<?!([^()]*)\)")
_LOOKS = re.compile(r"\(\?<?[=!]")
_SAME = re.compile(r"(?:==+|=~|is\s+(?:in\s+)?|equals?\s+(?:to\s+)?|eq\s+|one\s+of\s+|any\s+of\s+)\s*(.+)", FLAGS)
_NULL = re.compile(
    r"(is\s+not|not|!=|<>)?\s*(?:is\s*)?(?:null|nil|nan|blank|missing|empty)|(notnull|exists|有值|不空)|isnull|空值?|是空(?:的|值)?|缺失",
    re.IGNORECASE,
)
_NOT_TRUE = re.compile(r"(?:!==*|<>|≠|!(?!=)|not\s+|is\s+not\s+|isn'?t\s+|不是|非|不)\s*(.+)", re.IGNORECASE)
_BARE = re.compile(r"contains?|in|not|not\s+in|like|includes?|matches|starts|包含|含有|属于", re.IGNORECASE)


def refuse_foreign(cell: str, fact: str, kind: Kind, schema: FactSchema, where: str) -> None:
    """Raise RuleError, with the form to write, for a cell that is clearly in another syntax."""
    try:
        written = clean(cell.strip())
    except RequestError:
        return  # the parser reports its error
    known = schema.values(fact)
    plain = fold_width(written)
    if not written or written in known:
        return
    if kind != "bool" and (hint := in_quantity(plain, kind, known, write)):
        found: Hint | None = hint
    elif kind == "text":
        found = _in_text(plain)
    elif kind == "bool":
        found = _in_truth(plain)
    elif kind in NUMERIC or kind == "date":
        found = None if _is_ours(plain, fact, kind) else in_date(plain) if kind == "date" else in_number(plain, kind)
    else:
        found = _in_value(plain, kind, known)
    if kind in ("text", "str", "enum", "label"):
        found = settled(found, plain, of_text=kind == "text")
    if found:
        what, fix = found
        raise RuleError(f"{written[:60]!r} {what}", where=f"{where} (column `{fact}`)", fix=fix)


def _is_ours(plain: str, fact: str, kind: Kind) -> bool:
    """A number or a date that is read cannot be taken for something else by mistake."""
    form = split_form(plain, joined=True)
    try:
        return bool(parse_date_form(form, "") if kind == "date" else parse_number_form(form, fact, kind, ""))
    except RuleError:
        return form.key in ("empty", "not empty")


def _in_text(plain: str) -> Hint | None:
    form = split_form(plain, joined=True)
    if names_lists(form):
        return None
    if form.key in ("=", "!=", "in", "not in", ""):
        return _other_words(plain, form)
    if form.key in ("empty", "not empty") or not form.rest:
        return None
    language = _language(plain, form)
    if form.key.endswith("matches"):
        return _in_pattern(form.key, form.rest, language)
    return _in_words(form.key, form.rest, language)


def _other_words(plain: str, form: Form) -> Hint | None:
    """A text that is compared in other words than those of a rules file."""
    if found := _FENCED.fullmatch(plain):
        return _in_pattern("matches", plain, "en")
    if _LOOKS.search(plain) and not form.key:
        return _in_pattern("matches", re.sub(r"^\W*(?:regexp?|match(?:es)?)\s+", "", plain, flags=FLAGS), "en")
    if wildcard := _wildcard("contains", plain, "en"):
        return _ANOTHER, wildcard
    if plain.startswith("~") and plain[1:].strip():
        return _two_ways(plain, "")
    if found := BUT.fullmatch(plain):
        return _ANOTHER, write("not contains", joined(found[1] or found[2]), "zh")
    for pattern, key in _TEXTS:
        if found := pattern.fullmatch(plain):
            head = plain[: found.start(1)] + plain[found.end(1) :]
            language: Language = "zh" if HAN.search(head) else "en"
            rest = inside(found[1])
            if key.endswith("ends"):
                words = "|".join(map(re.escape, parts_of(rest)))
                ending = f"(?:{words})$" if "|" in words else f"{words}$"
                return _ANOTHER, write(_with(key, "matches"), ending, language)
            if key.endswith("matches"):
                return _in_pattern(key, rest, language) or (_ANOTHER, write(key, unquoted(rest), language))
            if key.endswith("contains") and (fix := _wildcard(key, unquoted(rest), language)):
                return _ANOTHER, fix
            return _in_words(key, rest, language) or (_ANOTHER, write(key, joined(rest), language))
    return None


def _in_words(key: str, rest: str, language: Language) -> Hint | None:
    """The words behind `contains`, `starts` and the like."""
    negated = key.startswith("not ")
    if found := _DENIED_ALL.fullmatch(rest):
        return _say_once() if negated else (_LITERAL, write(f"not {key}", joined(found[1]), language))
    if _LOOKS.search(rest):
        return _in_pattern(_with(key, "matches"), rest, language)
    if denied := _denied(key, rest, language):
        return denied
    if looks_regular(rest) and not negated_parts(rest):
        return _REGULAR, write(_with(key, "matches"), rest, language)
    parts, join = parts_of(rest), join_of(rest)
    if not parts:
        return None
    if key.endswith("contains") and not key.endswith("all") and (fix := _wildcard(key, unquoted(rest), language)):
        return _LITERAL, fix
    if key.endswith("contains") and (join == "list" or (join == "all" and negated)):
        return _LITERAL, _either(key, parts, language)
    if key.endswith("contains") and join == "all":
        return "joins words by AND, which would be searched literally", write(f"{key} all", "|".join(parts), language)
    if join or any(unquoted(part) != part for part in (rest, *rest.split("|"))):
        return _LITERAL, write(key, "|".join(parts), language)
    return None


def _either(key: str, parts: Sequence[str], language: Language) -> str:
    """What a list may mean: each of the words, or all of them together."""
    one = write(key, "|".join(parts), language)
    more = f"`{_form(f'{key} all', '|'.join(parts), language)}`"
    if key.startswith("not "):
        return f"{one} where none of them may occur, {more} where one may be missing"
    return f"{one} for one of them, {more} for all of them"


def _denied(key: str, rest: str, language: Language) -> Hint | None:
    """Words of which some are negated, as in `contains !退款`."""
    marked = negated_parts(rest)
    if not marked:
        return None
    opposite = key.removeprefix("not ") if key.startswith("not ") else f"not {key}"
    wanted = [part for part, denied in marked if not denied]
    denied = [part for part, is_denied in marked if is_denied]
    if not wanted and not key.startswith("not "):
        return _LITERAL, write(opposite, "|".join(denied), language)
    one, other = _form(key, "|".join(wanted or denied), language), _form(opposite, "|".join(denied), language)
    if key.startswith("not "):
        return _say_once()
    if marked[0][1] and len(denied) == 1 and len(marked) > 1 and join_of(rest) != "all":
        none = write(opposite, "|".join(part for part, _ in marked), language)
        return _LITERAL, f"{none} where none of them may occur; else use a column `text` for each word"
    if join_of(rest) == "any" or "|" in rest:
        return _LITERAL, f"use two rows: `{one}` in one, `{other}` in the other"
    return _LITERAL, f"use two columns `text`: `{one}` and `{other}`"


def _say_once() -> Hint:
    return "denies twice", "say it once: `contains` for words that occur, `not contains` for words that do not"


def negated_parts(rest: str) -> list[tuple[str, bool]]:
    """The parts with whether each is negated; nothing where none is."""
    found = []
    for part in parts_of(rest):
        denied = _DENIED.match(part)
        found.append((part[denied.end() :].strip() if denied else part, denied is not None))
    return found if any(denied and part for part, denied in found) else []


def _in_pattern(key: str, rest: str, language: Language) -> Hint | None:
    """The pattern behind `matches`, with a fence, in quotes, or with what RE2 does not have."""
    fenced = _FENCED.fullmatch(rest)
    pattern = unquoted(fenced[1] if fenced else rest)
    if away := _LOOKS_AWAY.search(pattern):
        word = re.sub(r"[.*^$]", "", away[1])
        opposite = _with(key, "contains")
        opposite = opposite.removeprefix("not ") if opposite.startswith("not ") else f"not {opposite}"
        if word and not key.startswith("not ") and not looks_regular(word):
            return (
                "looks ahead, which RE2 cannot",
                f"use a column `text` of its own: `{_form(opposite, word, language)}`",
            )
        return "looks ahead, which RE2 cannot", "use `not contains` or `not matches` in a column of its own"
    return (_ANOTHER, write(key, pattern, language)) if pattern != rest else None


def _wildcard(key: str, rest: str, language: Language) -> str | None:
    """The form of `*退款*`, `退款%` and the like."""
    for mark in "*%":
        word = rest.strip(mark).strip()
        first, last = rest.startswith(mark), rest.endswith(mark)
        if len(rest) < 2 or not word or not (first or last) or (mark == "%" and word.isdigit()):
            continue
        if looks_regular(word) or (mark in word and "|" not in word):
            continue
        if first and last:
            return write(key, "|".join(part.strip(mark) for part in parts_of(word)), language)
        if "|" not in word:
            return (
                write(_with(key, "starts"), word, language)
                if last
                else write(_with(key, "matches"), f"{re.escape(word)}$", language)
            )
    return None


def _in_value(plain: str, kind: Kind, known: Sequence[str]) -> Hint | None:
    exact = f"; `={plain[:60]}` means exactly that" if not known else ""
    form = split_form(plain)
    if form.key in ("empty", "not empty"):
        return None
    if form.key in ("=", "!=") and form.rest:
        if form.key == "!=" and form.rest not in known and ("|" in form.rest or join_of(form.rest)):
            return "is no list of values", write("not in", "|".join(parts_of(form.rest)), _language(plain, form))
        return None
    if form.key in ("contains", "not contains", "contains all", "not contains all", "starts", "not starts"):
        if known and form.key.startswith("not ") and (given := known_in(plain, known)):
            return _ANOTHER, write("not in" if len(given) > 1 else "!=", "|".join(given), _language(plain, form))
        return None if known or not form.rest else _in_words(form.key, form.rest, _language(plain, form))
    if form.key in ("matches", "not matches"):
        return None if known or not form.rest else _in_pattern(form.key, form.rest, _language(plain, form))
    if form.key in ("in", "not in") and form.rest:
        return _in_list(plain, form)
    if null := _NULL.fullmatch(plain):
        negated = bool(null[1] or null[2])
        empty = write("not empty" if negated else "empty", "", "zh" if HAN.search(plain) else "en")
        return "asks whether there is a value in other words", f"{empty}{exact}"
    if denied := _denied_value(plain, known):
        return denied[0], denied[1] + (exact if not known else "")
    if _BARE.fullmatch(plain):
        return "is a comparison without a value", f"write the value{exact}"
    return _bare_value(plain, kind, exact)


def _in_list(plain: str, form: Form) -> Hint | None:
    bracketed = inside(form.rest) != form.rest.strip()
    quoted = any(unquoted(part) != part for part in (form.rest, *form.rest.split("|")))
    listed = "|" not in form.rest and join_of(form.rest)
    if not (bracketed or quoted or listed):
        return None
    return "is no list of values", write(form.key, "|".join(parts_of(form.rest)), _language(plain, form))


def _two_ways(plain: str, exact: str) -> Hint:
    """`~` is a match in some tools, and a negation in others."""
    word = plain[1:].lstrip("*").strip()
    return "has two meanings", f"write `matches {word}`, or `not matches {word}` where it must not be found{exact}"


def _denied_value(plain: str, known: Sequence[str]) -> Hint | None:
    if not known and HOLDS_NOT.fullmatch(plain):
        return _other_words(plain, Form("", plain))
    if known:
        given = known_in(plain, known)
        language: Language = "zh" if HAN.search(re.sub("|".join(map(re.escape, known)), "", plain)) else "en"
        return (_ANOTHER, write("not in" if len(given) > 1 else "!=", "|".join(given), language)) if given else None
    found = VALUE_NOT.fullmatch(plain) or BUT.fullmatch(plain)
    if not found:
        return None
    operand = next(part for part in found.groups() if part)
    given = parts_of(operand)
    head = plain.replace(operand, "", 1)
    if not given or _NULL.fullmatch(operand):
        return None
    return _ANOTHER, write("not in" if len(given) > 1 else "!=", "|".join(given), "zh" if HAN.search(head) else "en")


def _bare_value(plain: str, kind: Kind, exact: str) -> Hint | None:
    if (word := unquoted(plain)) != plain:
        return "is in quotes, which would be part of the value", f"write `{word}`{exact}"
    if found := _SAME.fullmatch(plain):
        given = parts_of(found[1])
        return _ANOTHER, f"{write('in' if len(given) > 1 else '=', '|'.join(given), 'en')}{exact}"
    if kind == "str" and (glued := split_form(plain, joined=True)).key and glued.rest:
        rest = joined(glued.rest) if glued.key in ("in", "not in") else glued.rest
        return "has no space behind its keyword", f"{write(glued.key, rest, 'zh')}{exact}"
    if kind == "str" and plain.startswith("~") and plain[1:].strip():
        return _two_ways(plain, exact)
    if kind == "str":
        for pattern, key in _TEXTS:
            found = pattern.fullmatch(plain)
            if found and (_HOLDS.match(plain) or key.endswith(("starts", "ends", "matches"))) and key != "not contains":
                if key == "contains" and found.start(1) and not plain[: found.start(1)].strip()[-1:].isascii():
                    return "has no space behind its keyword", f"{write(key, joined(found[1]), 'zh')}{exact}"
                hint = _other_words(plain, Form("", plain))
                return None if hint is None else (hint[0], hint[1] + exact)
        if fix := _wildcard("contains", plain, "en"):
            return "holds a pattern, and values are compared whole", f"{fix}{exact}"
        if (denied := MAY_DENY.fullmatch(plain)) and ("|" in plain or join_of(plain)):
            one, none = "|".join(parts_of(plain)), "|".join(parts_of(denied[1]))
            either = f"write `in {one}` for one of these values, or `not in {none}` for none of those"
            return "is no list of values", either
        if looks_regular(plain):
            return "holds a pattern, and values are compared whole", f"{write('matches', plain, 'en')}{exact}"
    elif looks_regular(plain) or (len(plain) > 1 and "*" in (plain[0], plain[-1])):
        return "holds a pattern, and values are compared whole", "write the values: `in a|b`"
    if inside(plain) != plain or ("|" not in plain and join_of(plain)):
        return "is no list of values", f"{write('in', '|'.join(parts_of(plain)), 'en')} for one of them{exact}"
    return None


def _in_truth(plain: str) -> Hint | None:
    form = split_form(plain)
    if form.key in ("empty", "not empty") or (form.key in ("=", "!=") and _truth(form.rest) is not None):
        return None
    if null := _NULL.fullmatch(plain):
        return "asks whether there is a value in other words", write(
            "not empty" if null[1] or null[2] else "empty", "", "en"
        )
    if found := _NOT_TRUE.fullmatch(plain):
        truth = _truth(found[1])
        right = "`true` or `false`" if truth is None else "`false`" if truth else "`true`"
        return _ANOTHER, f"write {right}"
    if found := re.fullmatch(r"(?:==+|is\s+)\s*(.+)", plain, re.IGNORECASE):
        return _ANOTHER, f"write `{found[1].strip()}`"
    if (word := unquoted(plain)) != plain:
        return _ANOTHER, f"write `{word}`"
    return None


def _truth(written: str) -> bool | None:
    try:
        value = parse_field(unquoted(written), "bool")
    except FieldError:
        return None
    return value if isinstance(value, bool) else None


def _with(key: str, word: str) -> str:
    """Another comparison of the same sense: that word, negated where the key is."""
    return f"not {word}" if key.startswith("not ") else word


def _language(plain: str, form: Form) -> Language:
    return "zh" if HAN.search(plain[: len(plain) - len(form.rest)]) else "en"


def _form(key: str, rest: str, language: Language) -> str:
    word = COMPARISONS[key].of(language)[0]
    if key == "=":
        return rest
    return f"{word}{rest}" if key == "!=" and language == "en" else f"{word} {rest}".strip()


def write(key: str, rest: str, language: Language) -> str:
    """The advice to write that form."""
    return f"write `{_form(key, rest[:200], language)}`"
