"""Translates the program's sentences from English to Chinese; a sentence without a translation stays English.

The tables are `zh/*.json`. In an English sentence `{name}` is a part that differs, `{name*}` a part that is translated
itself, and `{is|are}` one of several words. Of several sentences that fit, the one with the most fixed words is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import product

_FIELD = re.compile(r"\{(\w+)(\*?)\}")
_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_NUMBERS = "[-0-9](?:[-0-9.,  …]*[0-9…])?(?: to [0-9]+)?"
# What a part of this name may be; any other may be anything.
_KINDS = dict.fromkeys(("rows", "count", "number", "total", "least", "cut", "seconds", "done"), _NUMBERS) | {
    "fact": r"[\w.]+",
    "key": r"(?:not )?\S+(?: all)?",
    "numbered": r"[0-9]+ \([^)]*\)(?:, [0-9]+ \([^)]*\))*",
    "remark": "[^:,;]*",
    "ticked": "`[^`]*`",
    "compared": r"\S+ [<>=]+ \S+",
    "compared2": r"\S+ [<>=]+ \S+",
    "ticks": "`[^`]*`(?:, `[^`]*`)*",
    "quoted": "'.*'|\".*\"",
    "facts": "`.*`",
    "masked": r"\w+",
}
# Parts of these names have words of a rules file in them, which are in these sections.
_TERMS = ("facts", "ends", "keywords")
# A pattern with fewer letters than this fits almost any text: it is used only if its parts are sentences or names.
_FEW_LETTERS, _FEW_LETTERS_AFTER_A_PART = 4, 8
_NAME = re.compile(r"[`'\"].*|\S*", re.DOTALL)
_QUOTED = re.compile("`[^`]*`|'[^']*'|\"[^\"]*\"")
_RUN = re.compile(r"(?<![\w/.\\-])[A-Za-z]+(?: [A-Za-z]+)+(?![\w/\\-])")
_SMALL_WORDS = re.compile(
    r"\b(an?|and|are|as|at|be|because|but|by|can|cannot|do|does|for|from|has|have|if|in|into|is|it|its|more|most|no|not|of"
    r"|on|one|only|or|that|the|their|them|there|these|they|this|to|was|were|what|where|which|while|with|without)\b",
    re.IGNORECASE,
)
_MOST_LOOKUPS, _DEEPEST = 300, 8
_BEGINNING = 3
_STARTED = " ..."  # behind the title of a piece of work that has begun
_LONGEST = 4000  # characters of a sentence that is looked up; a longer one is shown as it is
# Comparisons have the same signs in both languages.
_PLAIN = re.compile(r"\S+ [<>=]+ \S+(?:, \S+ [<>=]+ \S+)*")
_FACT = re.compile(r"(?:(?<=, )|(?<=<= )|^)[^\s,]+(?= [<>=]+ )|(?<=<= )[^\s,]+$")
_TICKED_FACT = re.compile(r"(?:(?<=, )|(?<= and )|^)`([\w.]+)(?=[ `])")
_KEYWORD = re.compile(r"(?:(?<=^`)|^)(?:not )?(?:contains all|contains|starts|matches|in|empty)(?=[ `]|$)")
_ROWS = re.compile(r"(?:(?P<file>\S+) )?(?P<rows>rows? [0-9]+(?:, [0-9]+)*(?: and [0-9,]+ more)?)")
# Names in backticks, or numbers, one after another: they get the comma of a Chinese list.
_ITEMS = re.compile(r"`[^`]*`(?:, `[^`]*`)+|[0-9][0-9,]*(?:, [0-9][0-9,]*)+")
_CONDITION = re.compile(
    r"[\w.]+ (?:[<>=]+|is|contains|starts with|matches|does not (?:contain|start with|match)) [^;]+"
)
# At the boundaries (NUL) between a sentence and its parts: no space between Chinese characters, one before Latin ones.
_HAN = "\u4e00-\u9fff"
_NO_SPACE = re.compile(f"(?<=[{_HAN}])(?: \0|\0 )(?=[{_HAN}])")
_SPACE = re.compile(f"(?<=[{_HAN}])\0(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])\0(?=[{_HAN}])")


def chinese(text: str) -> str:
    """A sentence of the program, or several lines of them, in Chinese."""
    return "\n".join(_Search().line(line) for line in text.split("\n"))


def is_english(text: str) -> bool:
    """Whether a text has words of an English sentence: two in a row, one of them a word such as `the` or `is`.

    What is in quotes or in backticks, paths and codes are no words.
    """
    runs = _RUN.findall(_QUOTED.sub("`", text))
    return any(map(_SMALL_WORDS.search, runs))


def chinese_word(text: str) -> str:
    """One word of the program, such as the heading of a column, in Chinese."""
    return _Search().match(text, "words") or text


@dataclass(frozen=True)
class _Pattern:
    """An English sentence with parts that differ, and its Chinese form."""

    english: str
    form: str

    @cached_property
    def fixed(self) -> list[str]:
        """The fixed words before, between and behind the parts."""
        return _FIELD.sub("\0", self.english).split("\0")

    @cached_property
    def letters(self) -> int:
        """How many letters are fixed."""
        return sum(letter.isalpha() for words in self.fixed for letter in words)

    @cached_property
    def whole(self) -> re.Pattern[str]:
        """The sentence with any parts."""
        parts, last = [], 0
        for found in _FIELD.finditer(self.english):
            parts += [re.escape(self.english[last : found.start()]), f"(?P<{found[1]}>{_KINDS.get(found[1], '.*?')})"]
            last = found.end()
        return re.compile("".join([*parts, re.escape(self.english[last:])]), re.DOTALL)

    def fill(self, text: str, part: Callable[[str], str | None], *, placed: bool) -> str | None:
        """The Chinese form with the parts of `text`; None where the text is no such sentence.

        part: translates a part; placed: whether the text may begin with a part that names a place, as `row 3: ` does.
        The title of a piece of work may have a place in any case.
        """
        first, *between, last = self.fixed
        if not (text.startswith(first) and text.endswith(last)) or not all(each in text for each in between):
            return None
        if not (found := self.whole.fullmatch(text)):
            return None
        if not (placed or first or "title" in found.groupdict()) and ": " in _QUOTED.sub("`", found[1]):
            return None
        inner = {name: part(found[name]) for name, star in _FIELD.findall(self.english) if star}
        # Half a sentence in each language is worse than English; the message of another program stays as it is.
        if any(form is None and name != "error" and is_english(found[name]) for name, form in inner.items()):
            return None
        few = self.letters < (_FEW_LETTERS if first else _FEW_LETTERS_AFTER_A_PART)
        if few and any(is_english(each) for name, each in found.groupdict().items() if name not in inner):
            return None
        if inner and few:
            strange = [name for name, form in inner.items() if form is None and not self._is_name(found[name])]
            if strange or not any(inner.values()):
                return None
        filled = _FIELD.sub(lambda each: f"\0{inner.get(each[1]) or _term(each[1], found[each[1]])}\0", self.form)
        return _NO_SPACE.sub("", _SPACE.sub(" ", filled)).replace("\0", "")

    @staticmethod
    def _is_name(part: str) -> bool:
        """Whether a part without a translation may stay in a sentence of few letters: a name or a comparison."""
        return bool(_NAME.fullmatch(part) or _PLAIN.fullmatch(part))


def _term(name: str, text: str) -> str:
    """A part that has words of a rules file in it, as such a file has them in Chinese; any other part as it is.

    fact, end: one fact or column, one end; keyword: one comparison; cell: a cell of a rules file; compared: a fact with
    a number; facts: any number of facts or conditions, each in backticks; order: facts between signs; masked: what is
    masked; list: items of any form, which get the comma of a list, as names in backticks and numbers do everywhere.
    """
    match name.rstrip("0123456789"):
        case "list":
            return text.replace(", ", "、")
        case "fact":
            return _word_of("facts", text, ".")
        case "masked":
            return _word_of("facts", f"pii.{text}", ".").rpartition(".")[2]
        case "end":
            return _word_of("ends", text, " ")
        case "keyword":
            return _word_of("keywords", text, "")
        case "cell":
            return _KEYWORD.sub(lambda each: _word_of("keywords", each[0], ""), text)
        case "compared" | "order":
            return _compared(text)
        case "facts":
            named = _TICKED_FACT.sub(lambda each: f"`{_word_of('facts', each[1], '.')}", text)
            return named.replace(" and ", " 且 ").replace("`, `", "`、`")
    return text.replace(", ", "、") if _ITEMS.fullmatch(text) else text


def _compared(text: str) -> str:
    """Comparisons of facts with numbers, or facts in their order, with the Chinese names of the facts."""
    return _FACT.sub(lambda each: _word_of("facts", each[0], "."), text)


def _word_of(section: str, text: str, mark: str) -> str:
    """The Chinese word for a text, or for its beginning up to a mark; the text itself where there is none."""
    terms = _tables()[section].plain
    head, found, rest = text.partition(mark) if mark else (text, "", "")
    return terms.get(text) or (terms[head + found] + rest if head + found in terms else text)


class _Section:
    """Sentences as they are, and those with parts that differ: the ones with the most fixed letters first."""

    def __init__(self, plain: dict[str, str], patterns: list[_Pattern]) -> None:
        self.plain = plain
        self._begun: dict[str, list[_Pattern]] = {}
        self._sorted: dict[str, list[_Pattern]] = {}
        for pattern in patterns:
            beginning = pattern.fixed[0][:_BEGINNING]
            self._begun.setdefault(beginning if len(beginning) == _BEGINNING else "", []).append(pattern)

    def that_may_fit(self, text: str) -> list[_Pattern]:
        """The patterns that begin as the text does, and those that begin with a part."""
        beginning = text[:_BEGINNING] if text[:_BEGINNING] in self._begun else ""
        if beginning not in self._sorted:
            found = self._begun.get("", []) + (self._begun[beginning] if beginning else [])
            self._sorted[beginning] = sorted(found, key=lambda pattern: -pattern.letters)
        return self._sorted[beginning]


@cache
def _tables() -> dict[str, _Section]:
    plain: dict[str, dict[str, str]] = {name: {} for name in ("words", "lines", *_TERMS)}
    patterns: dict[str, list[_Pattern]] = {name: [] for name in plain}
    for name, english, form in read_tables():
        for each in choices(english):
            if _FIELD.search(each):
                patterns[name].append(_Pattern(each, form))
            else:
                plain[name][each] = form
    sections = {name: _Section(plain[name], patterns[name]) for name in plain}
    return sections | {"parts": _Section(plain["lines"] | plain["words"], [*patterns["words"], *patterns["lines"]])}


def read_tables() -> Iterator[tuple[str, str, str]]:
    """(section, English, Chinese) of every sentence in the tables."""
    for path in sorted(files("penjing.core").joinpath("zh").iterdir(), key=lambda each: each.name):
        for name, rows in json.loads(path.read_text(encoding="utf-8")).items():
            for english, form in rows.items():
                yield name, english, form


def choices(english: str) -> list[str]:
    """The sentences with each of the words in `{is|are}`."""
    fixed = _CHOICE.split(english)  # text, words, text, words, ..., text
    words = [each.split("|") if place % 2 else [each] for place, each in enumerate(fixed)]
    return ["".join(each) for each in product(*words)]


class _Search:
    """The translation of one line; it stops after a fixed number of lookups, whatever the text is."""

    def __init__(self) -> None:
        self._left = _MOST_LOOKUPS
        self._deep = 0
        self._parts: dict[str, str | None] = {}

    def line(self, line: str) -> str:
        """A line with its indentation; unchanged if no sentence fits."""
        plain = line.lstrip(" ")
        if len(plain) > _LONGEST:
            return line
        said = self.sentence(plain.removesuffix(_STARTED)) if plain.endswith(_STARTED) else None
        said = self.sentence(plain) if said is None else f"{said}……"
        return line if said is None else line[: len(line) - len(plain)] + said

    def sentence(self, text: str, name: str = "lines") -> str | None:
        """A sentence with a hint in brackets, without one, or after the place that it is about."""
        return (
            self._with_hint(text)
            or self._before_rows(text)
            or self.match(text, name, placed=False)
            or self._behind_place(text)
            or self.match(text, name)
        )

    def match(self, text: str, name: str, *, placed: bool = True) -> str | None:
        """The Chinese form of a text as it is in a table."""
        self._left -= 1
        section = _tables()[name]
        if (found := section.plain.get(text)) is not None or self._left < 0:
            return found
        filled = (each.fill(text, self._part, placed=placed) for each in section.that_may_fit(text))
        return next((form for form in filled if form is not None), None)

    def _with_hint(self, text: str) -> str | None:
        start = text.find(" (") if text.endswith(")") else -1
        while start > 0 and self._left > 0:
            hint = self.match(text[start + 2 : -1], "lines")
            if hint and (said := self.match(text[:start], "lines", placed=False) or self._behind_place(text[:start])):
                return f"{said}（{hint}）"
            start = text.find(" (", start + 1)
        return None

    def _behind_place(self, text: str) -> str | None:
        start = text.find(": ")
        while start > 0 and self._left > 0:
            if message := self.match(text[start + 2 :], "lines", placed=False):
                place = self.match(text[:start], "parts")
                if place or not is_english(text[:start]):
                    return f"{place or text[:start]}: {message}"
            start = text.find(": ", start + 1)
        return None

    def _before_rows(self, text: str) -> str | None:
        """A sentence followed by the rows that it is about."""
        said, mark, rows = text.rpartition(": ")
        places = [found for each in rows.split("; ") if (found := _ROWS.fullmatch(each))] if mark else []
        if not places or len(places) < rows.count("; ") + 1:
            return None
        message = self.sentence(said)
        return f"{message}：{'；'.join(map(self._rows, places))}" if message else None

    def _rows(self, found: re.Match[str]) -> str:
        """Row numbers, of a file where there are several."""
        said = self.match(found["rows"], "words") or found["rows"]
        return f"{found['file']} {said}" if found["file"] else said

    def _part(self, text: str) -> str | None:
        """A part of a sentence: a word, a sentence of its own, or a list of them."""
        if self._deep >= _DEEPEST or text in self._parts:
            return self._parts.get(text)
        self._deep += 1
        # Of conditions of a rule the first one would else take the others as its value.
        conditions = all(map(_CONDITION.fullmatch, text.split(", ")))
        found = (self._list(text) if conditions else None) or self.sentence(text.strip(), "parts") or self._list(text)
        if found is None and _PLAIN.fullmatch(text) and (named := _compared(text)) != text:
            found = named.replace(", ", "、")
        self._deep -= 1
        self._parts[text] = found
        return found

    def _list(self, text: str) -> str | None:
        pieces = text.split(", ") if self._left > 0 else []
        known = [self.match(each, "parts") for each in pieces[:_MOST_LOOKUPS]] if len(pieces) > 1 else []
        strange = (form is None and not _PLAIN.fullmatch(each) for form, each in zip(known, pieces, strict=False))
        if not any(known) or any(strange) or len(known) < len(pieces):
            return None
        return "、".join(form or _compared(each) for form, each in zip(known, pieces, strict=True))
