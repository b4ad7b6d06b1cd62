"""Named word lists: files `words/NAME.txt` beside the rules file, one word a line, sealed with the release."""

from __future__ import annotations

import re
from pathlib import Path

from penjing.core.errors import RequestError, RuleError
from penjing.core.options import nearest
from penjing.data.clean import clean
from penjing.data.fold import open_folding
from penjing.data.mask import Masking, open_masking
from penjing.decide.condition import WordList
from penjing.decide.grid import decode
from penjing.decide.schema import FactSchema

FOLDER = "words"
MAX_WORDS = 100_000
MAX_BYTES = 10_000_000
MAX_CHARACTERS = 200  # of one word
NAME = re.compile(r"\w[\w.-]{0,59}")
# Every kind of number that is masked has a digit (in any script) or an @; other words cannot hold one alone.
_MAY_BE_MASKED = re.compile("[@＠]|艾特|[aA][tT]")


class Lists:
    """The word lists beside one rules file, each read at its first use; `used` are those that were.

    sealed: those of a release.
    """

    def __init__(self, rules: Path, schema: FactSchema, *, sealed: bool = False) -> None:
        self.folder = rules.parent / FOLDER
        self.schema, self.sealed = schema, sealed
        self.used: dict[str, WordList] = {}

    def find(self, name: str, where: str) -> WordList:
        """The list of that name. where: the cell that names it. Raises RuleError, with the line of a wrong word."""
        if name not in self.used:
            if not NAME.fullmatch(name):
                fix = "name it by letters, digits, `-`, `_` and `.`, at most 60 of them: `in @NAME`"
                raise RuleError(f"{name[:80]!r} cannot be the name of a word list", where=where, fix=fix)
            path = self.folder / f"{name}.txt"
            if not path.is_file():
                raise RuleError(f"there is no word list `{name}`", where=where, fix=self._nearest(name, path))
            self.used[name] = read_list(path, self.schema, sealed=self.sealed)
        return self.used[name]

    def _nearest(self, name: str, path: Path) -> str:
        known = sorted(each.stem for each in self.folder.glob("*.txt")) if self.folder.is_dir() else []
        hint = f"write its words into {path}, one a line"
        near = nearest(name, known) if known else ""
        return f"{hint}; {near}" if near else hint


def read_list(path: Path, schema: FactSchema, *, sealed: bool = False) -> WordList:
    """One file of words; `sealed` as of `decode`. Raises RuleError with the line of a word that cannot be compared."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        what = f"the word list cannot be read: {error.strerror}"
        raise RuleError(what, where=str(path), fix="make the file readable") from None
    if len(raw) > MAX_BYTES:
        fix = "split the list, and name both: `in @a|@b`"
        raise RuleError(f"the file has {len(raw):,} bytes; at most {MAX_BYTES:,}", where=str(path), fix=fix)
    folding, masking = open_folding(schema.folding), open_masking(schema.masking)
    words: dict[str, int] = {}
    for number, line in enumerate(decode(raw, path, sealed=sealed).splitlines(), start=1):
        if line.strip():
            word = _word(line, masking, f"{path}:{number}")
            if not (folded := folding(word)).strip():
                fix = "delete the line"
                raise RuleError("the word is empty when it is compared", where=f"{path}:{number}", fix=fix)
            words.setdefault(folded, number)
            if len(words) > MAX_WORDS:
                fix = "split the list, and name both: `in @a|@b`"
                raise RuleError(f"more than {MAX_WORDS:,} words", where=f"{path}:{number}", fix=fix)
    if not words:
        raise RuleError("the word list has no words", where=str(path), fix="write one word a line")
    return WordList(name=path.stem, words=tuple(words), raw=raw)


def _word(line: str, masking: Masking, where: str) -> str:
    try:
        word = clean(line.strip())
    except RequestError as error:
        raise RuleError(error.what, where=where, fix=error.fix) from None
    if len(word) > MAX_CHARACTERS:
        fix = "write one word a line"
        raise RuleError(f"a word of {len(word):,} characters; at most {MAX_CHARACTERS}", where=where, fix=fix)
    if _MAY_BE_MASKED.search(word) or any(character.isnumeric() for character in word):
        refuse_masked(word, masking, where)
    return word


def refuse_masked(word: str, masking: Masking, where: str) -> None:
    """Raise RuleError for a word that no masked text can hold."""
    counts = masking(word).counts
    kind = next((kind for kind in counts if counts[kind]), None)
    if kind is not None:
        what = f"{word[:80]!r} holds a personal number ({kind}), which is masked before any rule sees it"
        fact = f"pii.{kind}"
        raise RuleError(what, where=where, fix=f"use the column `{fact}`, e.g. `>=1`")
