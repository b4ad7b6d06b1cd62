"""One cell of a rules file of the second edition -> a test of one fact, in English or Chinese keywords."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penjing.core.errors import RequestError, RuleError
from penjing.data.clean import clean
from penjing.data.fields import FieldError, parse_field
from penjing.data.fold import fold_name, fold_width, open_folding
from penjing.data.labels import match_label, nearest_label
from penjing.data.mask import open_masking
from penjing.decide.condition import Among, Contains, Empty, Is, Matches, Starts, Test
from penjing.decide.keywords import TRUTH, Form, names_lists, split_form
from penjing.decide.quantities import NUMERIC, parse_date_form, parse_number_form
from penjing.decide.regex import prepare_pattern
from penjing.decide.schema import FactSchema, Kind
from penjing.decide.wordlists import Lists, refuse_masked

MAX_VALUES = 200
_SIGN = re.compile(r"(?:<=|>=|=<|=>|≤|≥|⩽|⩾|≦|≧|<|>)")
_OF_WORDS = ("contains", "not contains", "contains all", "not contains all", "starts", "not starts")


def parse_cell(cell: str, fact: str, kind: Kind, schema: FactSchema, lists: Lists, where: str) -> Test | None:
    """The test of a cell, or None for an empty one. Raises RuleError that names the column."""
    where = f"{where} (column `{fact}`)"
    form = read_form(cell, fact, kind, schema, where)
    if form is None:
        return None
    if form.key in ("empty", "not empty"):
        return _empty(form, fact, schema, where)
    if kind in NUMERIC:
        return parse_number_form(form, fact, kind, where)
    if kind == "date":
        return parse_date_form(form, where, schema.zone)
    if kind == "bool":
        return _bool(form, where)
    if form.key in _OF_WORDS or form.key in ("matches", "not matches"):
        return _in_text(form, fact, kind, schema, lists, where)
    if kind == "text" and names_lists(form):
        return _in_text(Form(form.key.replace("in", "contains"), form.rest), fact, kind, schema, lists, where)
    if kind == "text":
        raise RuleError(f"the text is compared by words in it, not by {cell.strip()[:80]!r}", where=where, fix=TEXT_FIX)
    return _values(form, fact, kind, schema, lists, where)


TEXT_FIX = "write `contains 词1|词2`, `not contains`, `contains all`, `starts` or `matches`"


def read_form(cell: str, fact: str, kind: Kind, schema: FactSchema, where: str) -> Form | None:
    """A cell as its keyword and the rest; None for an empty cell. A known value is never a keyword."""
    written = cell.strip()
    if not written:
        return None
    try:
        written = clean(written)
    except RequestError as error:
        raise RuleError(error.what, where=where, fix=error.fix) from None
    if written in schema.values(fact):
        return Form("", written)
    form = split_form(written, joined=kind == "text" or kind in NUMERIC)
    if form.key and form.key not in ("empty", "not empty") and not form.rest:
        raise RuleError(f"nothing follows `{written[:40]}`", where=where, fix="write what the fact is compared with")
    if form.key in ("empty", "not empty") and form.rest:
        fix = f"write `{form.key}` alone, or `={written[:80]}` for exactly that value"
        raise RuleError(f"{written[:80]!r} has words behind `{form.key}`", where=where, fix=fix)
    return form


def _empty(form: Form, fact: str, schema: FactSchema, where: str) -> Empty:
    if fact not in schema.fields and fact not in schema.pieces:
        raise RuleError(f"`{fact}` always has a value", where=where, fix="only a declared field can be empty")
    return Empty(negated=form.key == "not empty")


def _in_text(form: Form, fact: str, kind: Kind, schema: FactSchema, lists: Lists, where: str) -> Test:
    if kind not in ("text", "str"):
        fix = "compare it by `=`, `!=`, `in a|b` or `not in a|b`"
        raise RuleError(f"`{fact}` has listed values, which are compared whole", where=where, fix=fix)
    negated = form.key.startswith("not ")
    if form.key.endswith("matches"):
        return Matches(prepare_pattern(form.rest, open_folding(schema.folding), where), negated)
    every = form.key.endswith("all")
    parts = split_bars(form.rest, where)
    words = [part for part in parts if not part.startswith("@")]
    names = [part[1:] for part in parts if part.startswith("@")]
    folded = tuple(dict.fromkeys(_word(each, schema, where) for each in words))
    if form.key.endswith("starts"):
        if names:
            fix = "write the words, or `matches ^(?:a|b)`"
            raise RuleError("`starts` takes no word list", where=where, fix=fix)
        return Starts(folded, negated)
    if every and names:
        fix = "use a column of the same name for each: `contains @NAME`"
        raise RuleError("`contains all` takes no word list", where=where, fix=fix)
    if every and len(folded) == 1:
        return _all_of_one(form, folded[0], where)
    for name in names:
        lists.find(name, where)
    return Contains(folded, tuple(dict.fromkeys(names)), every, negated)


def _all_of_one(form: Form, word: str, where: str) -> Contains:
    """`contains all X`: one word, or the phrase `all X`? `contains all all X` means the phrase."""
    if re.match(r"(?:all\s|全部\s)", form.rest, re.IGNORECASE):
        return Contains((word,), negated=form.key.startswith("not "))
    key = form.key.removesuffix(" all")
    fix = f"write `{key} {form.rest[:80]}`, or `{form.key} all {form.rest[:80]}` for the phrase that begins with `all`"
    raise RuleError(f"`{form.key}` needs several words", where=where, fix=fix)


def _word(written: str, schema: FactSchema, where: str) -> str:
    refuse_masked(written, open_masking(schema.masking), where)
    folded = open_folding(schema.folding)(written)
    if not folded.strip():
        raise RuleError(f"the word {written!r} is empty when it is compared", where=where, fix="write another word")
    return folded


def _values(form: Form, fact: str, kind: Kind, schema: FactSchema, lists: Lists, where: str) -> Among:
    negated = form.key in ("!=", "not in")
    if form.key in ("in", "not in"):
        parts = split_bars(form.rest, where)
        plain = [part for part in parts if not part.startswith("@")]
        names = [part[1:] for part in parts if part.startswith("@")]
    else:
        plain, names = [form.rest], []
        if not form.key:
            _refuse_bare(form.rest, fact, where)
    values = [_value(value, fact, schema, where) for value in plain]
    found = [lists.find(name, where) for name in names]
    folding = open_folding(schema.folding)
    if kind == "str":
        return Among(tuple(dict.fromkeys(map(folding, values))), tuple(dict.fromkeys(names)), negated)
    # The values of labels and of listed fields are known: those on a list are named.
    for each in found:
        listed = [value for value in schema.values(fact) if folding(value) in set(each.words)]
        if not listed:
            fix = f"the values are {', '.join(f'`{value[:40]}`' for value in schema.values(fact)[:8])}"
            raise RuleError(f"no value of `{fact}` is on the word list `{each.name}`", where=where, fix=fix)
        values += listed
    return Among(tuple(dict.fromkeys(values)), (), negated)


def _refuse_bare(written: str, fact: str, where: str) -> None:
    plain = fold_width(written)
    if _SIGN.match(plain):
        fix = "write a value, or `in a|b|c`"
        raise RuleError(f"{written[:80]!r} needs a number, and `{fact}` is not one", where=where, fix=fix)
    if "|" in plain:
        fix = f"write `in {plain[:80]}` for one of them, or `={written[:80]}` for exactly that"
        raise RuleError(f"{written[:80]!r} holds a bar", where=where, fix=fix)
    if plain.startswith("@"):
        fix = f"write `in {plain[:80]}` for the word list, or `={written[:80]}` for exactly that"
        raise RuleError(f"{written[:80]!r} begins like a word list", where=where, fix=fix)


def _value(written: str, fact: str, schema: FactSchema, where: str) -> str:
    known = schema.values(fact)
    if not known:
        refuse_masked(written, open_masking(schema.masking), where)
        return written
    if fact == "label":
        found = match_label(written, known, schema.read_as)
    else:
        same = [value for value in known if fold_name(value) == fold_name(written)]
        found = written if written in known else same[0] if len(same) == 1 else None
    if found is None:
        noun = "label" if fact == "label" else "value"
        raise RuleError(f"unknown {noun} {written[:80]!r}", where=where, fix=nearest_label(written, known))
    return found


def _bool(form: Form, where: str) -> Is:
    try:
        value = parse_field(fold_width(form.rest), "bool") if form.key in ("", "=", "!=") else None
    except FieldError:
        value = None
    if not isinstance(value, bool):
        said = f"{form.key} {form.rest}".strip()[:80]
        raise RuleError(f"{said!r} is neither true nor false", where=where, fix="write `true` or `false`")
    return Is(value != (form.key == "!="))


def truth_of(written: str) -> bool | None:
    """The truth value that a cell of a yes-or-no fact writes, for `fmt`."""
    folded = fold_width(written).strip().lower()
    return next((value for value, words in TRUTH.items() if folded in (*words.en, *words.zh)), None)


def split_bars(rest: str, where: str) -> Sequence[str]:
    """The parts between bars of either width, each once. Raises RuleError for an empty one, or too many."""
    parts = [part.strip() for part in rest.replace("｜", "|").replace("＠", "@").split("|")]
    if not all(parts):
        raise RuleError("a value between two bars is empty", where=where, fix="write `a|b|c`, without a bar at the end")
    if len(parts) > MAX_VALUES:
        fix = "write them into `words/NAME.txt`, one a line, and name the list: `@NAME`"
        raise RuleError(f"{len(parts)} values in one cell; at most {MAX_VALUES} can be read", where=where, fix=fix)
    return tuple(dict.fromkeys(parts))
