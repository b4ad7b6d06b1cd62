"""Regular expressions of rules: searched in linear time by RE2, in the folded text, bounded in length and memory."""

from __future__ import annotations

import re
from typing import Any

from penjing.core.errors import MissingPackageError, RuleError
from penjing.data.fold import Folding, fold_width

MAX_PATTERN = 500  # characters
# Time on a text grows with steps times characters: 20,000 characters take 0.2 s at worst.
MAX_STEPS = 2_500
MAX_MEMORY = 1 << 20  # bytes of one compiled expression
_FULL_SIGNS = re.compile(r"[（）［］｛｝＊＋？．＾＄｜＼]")
_REASONS = (
    (re.compile(r"\(\?<?[=!]"), "RE2 has no look-ahead and no look-behind"),
    (re.compile(r"\\[1-9]|\\g<|\(\?P=|\\k"), "RE2 has no references back to a group"),
    (re.compile(r"\(\?>|[*+?}]\+"), "RE2 has no atomic groups and no possessive repeats"),
    (re.compile(r"\{(?:\d*,)?\d{4,},?\}"), "RE2 repeats at most 1,000 times"),
    (re.compile(r"\(\?\("), "RE2 has no conditions in a pattern"),
)


def prepare_pattern(written: str, folding: Folding, where: str) -> str:
    """A pattern in the form that is sealed: its letters folded as the texts are. Raises RuleError.

    Capitals match small letters: patterns are compiled without case, since the folded text has none.
    """
    if len(written) > MAX_PATTERN:
        fix = "split it into rows, or use a word list: `contains @NAME`"
        raise RuleError(f"a pattern of {len(written)} characters; at most {MAX_PATTERN}", where=where, fix=fix)
    if wide := _FULL_SIGNS.search(written):
        half = fold_width(wide[0])
        fix = f"write `{half}` for the sign of a pattern, or `\\{half}` for the character"
        raise RuleError(f"the pattern has `{wide[0]}` in full width, which has two meanings", where=where, fix=fix)
    pattern = _folded(written, folding)
    found = compile_pattern(pattern, where)
    if found.search("") is not None:
        fix = "leave the cell empty, or make a part of the pattern necessary: `+` instead of `*`"
        raise RuleError(f"the pattern {written[:80]!r} is found in every text", where=where, fix=fix)
    if found.programsize > MAX_STEPS:
        what = f"the pattern {written[:80]!r} is compiled to {found.programsize:,} steps; at most {MAX_STEPS:,}"
        raise RuleError(what, where=where, fix="let it repeat less often: `{0,50}` instead of `{0,500}`")
    return pattern


def options() -> Any:
    """The options by which every pattern is compiled: without case, bounded memory, nothing written to stderr."""
    found = _re2().Options()
    found.case_sensitive = False
    found.max_mem = MAX_MEMORY
    found.log_errors = False
    return found


def compile_pattern(pattern: str, where: str | None = None) -> Any:
    """A compiled expression. Raises RuleError with what RE2 lacks."""
    re2 = _re2()
    try:
        return re2.compile(pattern, options())
    except re2.error as error:
        raised = error.args[0]
        said = raised.decode("utf-8", "replace") if isinstance(raised, bytes) else str(raised)
        reason = next((why for sign, why in _REASONS if sign.search(pattern)), None)
        what = f"the pattern {pattern[:80]!r} cannot be compiled: {reason or said}"
        fix = "write it as RE2 reads it (https://github.com/google/re2/wiki/Syntax); `\\` before a sign means the sign"
        raise RuleError(what, where=where, fix=fix) from None


def _re2() -> Any:
    try:
        import re2
    except ImportError:
        raise MissingPackageError(
            "rules with `matches` need the package google-re2, which is not installed here",
            fix="pip install google-re2",
        ) from None
    return re2


def _folded(pattern: str, folding: Folding) -> str:
    """The pattern with every other than ASCII character replaced by what it is folded to, as plain characters."""
    parts: list[str] = []
    inside = False
    for place, character in enumerate(pattern):
        escaped = place > 0 and pattern[place - 1] == "\\" and not _is_escaped(pattern, place - 1)
        if not escaped and character in "[]":
            inside = character == "["
        folded = character if character.isascii() else folding(character)
        if folded == character or not folded.strip():
            parts.append(character)
        elif len(folded) == 1 or not inside:
            plain = re.escape(folded)
            parts.append(plain if len(folded) == 1 else f"(?:{plain})")
        else:
            parts.append(character)
    return "".join(parts)


def _is_escaped(pattern: str, place: int) -> bool:
    before = pattern[:place]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
