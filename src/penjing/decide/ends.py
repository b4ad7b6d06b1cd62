"""The column `then`: what follows where a row holds, read and written in English and Chinese."""

from __future__ import annotations

import re

from penjing.core.abilities import MarkedTask
from penjing.core.errors import RequestError, RuleError
from penjing.data.fold import fold_width
from penjing.data.mask import open_masking
from penjing.decide.condition import Then
from penjing.decide.keywords import ENDS, Language
from penjing.decide.schema import FactSchema
from penjing.decide.wordlists import refuse_masked

MAX_QUEUE = 60  # characters
_REVIEW_WORDS = {"人工", "人工处理", "人工审核", "复核", "审核", "human", "person", "manual"}
_MODEL_WORDS = {"模型", "由模型决定", "no rule", "default"}
_FORMS = {form: key for key, words in ENDS.items() for form in (*words.en, *words.zh)}
_WORD = re.compile(rf"({'|'.join(map(re.escape, _FORMS))})(?:\s+(.+))?", re.IGNORECASE | re.DOTALL)
_GLUED = re.compile(rf"({'|'.join(map(re.escape, _FORMS))})\s*[:=：＝]?\s*(.+)", re.IGNORECASE | re.DOTALL)


def parse_then(written: str, schema: FactSchema, where: str) -> Then:
    """`outcome LABEL`, `review`, `review QUEUE` or `model`. Raises RuleError."""
    written = written.strip()
    if not written:
        raise RuleError("nothing follows", where=where, fix=f"write {_known(schema)}")
    found = _WORD.fullmatch(fold_width(written))
    rest = written[found.start(2) :].strip() if found and found[2] else ""
    key = _FORMS[found[1].lower()] if found else ""
    if key == "review":
        return Then("review", _queue(rest, schema, where) if rest else "")
    if key == "model" and not rest:
        return Then("model")
    if key != "outcome" or not rest:
        raise RuleError(f"a rule cannot lead to {written[:80]!r}", where=where, fix=_fix(written, schema))
    try:
        outcome = schema.outcome(rest)
    except RequestError as error:
        raise RuleError(error.what, where=where, fix=error.fix) from None
    if outcome is None:
        noun = "label" if schema.labels else "outcome"
        raise RuleError(f"unknown {noun} {rest[:80]!r}", where=where, fix=schema.nearest_outcome(rest))
    if isinstance(schema.task, MarkedTask) and schema.task.pieces(outcome):
        what = "a rule cannot decide pieces of a text: they are at other places in every text"
        raise RuleError(what, where=where, fix="write `review`, or the outcome without any piece")
    return Then("outcome", outcome)


def write_then(then: Then, language: Language) -> str:
    """The cell that `parse_then` reads as this end."""
    return f"{ENDS[then.kind].of(language)[0]} {then.value}".strip()


def _queue(name: str, schema: FactSchema, where: str) -> str:
    if len(name) > MAX_QUEUE or "|" in fold_width(name):
        fix = f"name one queue by at most {MAX_QUEUE} characters, without a bar"
        raise RuleError(f"{name[:80]!r} cannot be the name of a queue", where=where, fix=fix)
    refuse_masked(name, open_masking(schema.masking), where)
    return name


def _fix(written: str, schema: FactSchema) -> str:
    plain = fold_width(written).strip()
    if plain.lower() in _REVIEW_WORDS:
        return "write `review`"
    if plain.lower() in _MODEL_WORDS:
        return "write `model`"
    if (glued := _GLUED.fullmatch(plain)) and (key := _FORMS[glued[1].lower()]) != "model":
        return f"write `{glued[1]} {glued[2].strip()[:80]}`" if key == "review" else _outcome(glued[2], schema)
    return _outcome(written, schema)


def _outcome(written: str, schema: FactSchema) -> str:
    try:
        meant = schema.outcome(written.strip())
    except RequestError:
        meant = None
    return f"write `outcome {meant}`" if meant else f"write {_known(schema)}"


def _known(schema: FactSchema) -> str:
    return f"`outcome {'LABEL' if schema.labels else 'VALUE'}`, `review`, `review QUEUE` or `model`"
