"""The Chinese form of the program's sentences, which the code holds in English; a sentence without one stays English.

The tables are `zh/*.json`. In an English sentence `{name}` is a part that differs, `{name*}` a part that is translated
itself, and `{is|are}` one of several words. Of several sentences that fit, the one with the most fixed words counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from itertools import product

_FIELD = re.compile(r"\{(\w+)(\*?)\}")
_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_NUMBERS = "[-0-9.,  …]+?(?: to [0-9]+)?"
# What a part of this name may be; any other may be anything.
_KINDS = dict.fromkeys(("rows", "count", "number", "total", "least", "cut", "seconds"), _NUMBERS) | {
    "fact": r"[\w.]+",
    "ticked": "`[^`]*`",
    "ticks": "`[^`]*`(?:, `[^`]*`)*",
    "quoted": "'.*'|\".*\"",
}
# A pattern with fewer letters than this fits almost any text: it counts only where its parts are sentences, or names.
_FEW_LETTERS = 8
_NAME = re.compile(r"[`'\"].*|\S*", re.DOTALL)
_DEEPEST = 8
_LONGEST = 4000  # characters of a sentence that is looked up; a longer one is shown as it is
# At the seams (NUL) between a sentence and its parts: no space between Chinese characters, one before Latin ones.
_HAN = "\u4e00-\u9fff"
_NO_SPACE = re.compile(f"(?<=[{_HAN}])(?: \0|\0 )(?=[{_HAN}])")
_SPACE = re.compile(f"(?<=[{_HAN}])\0(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])\0(?=[{_HAN}])")


def chinese(text: str) -> str:
    """A sentence of the program, or several lines of them, in Chinese."""
    return "\n".join(map(_line, text.split("\n")))


def chinese_word(text: str) -> str:
    """One word of the program, such as the heading of a column, in Chinese."""
    return _match(text, "words", 0) or text


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
        return sum(letter.isalpha() for letter in _FIELD.sub("", self.english))

    @cached_property
    def whole(self) -> re.Pattern[str]:
        """The sentence with any parts."""
        parts, last = [], 0
        for found in _FIELD.finditer(self.english):
            parts += [re.escape(self.english[last : found.start()]), f"(?P<{found[1]}>{_KINDS.get(found[1], '.*?')})"]
            last = found.end()
        return re.compile("".join([*parts, re.escape(self.english[last:])]), re.DOTALL)

    def fill(self, text: str, deep: int, *, placed: bool) -> str | None:
        """The Chinese form with the parts of `text`; None where the text is no such sentence.

        placed: whether the text may begin with a part that names a place, as `row 3: ` does.
        """
        first, *between, last = self.fixed
        if not (text.startswith(first) and text.endswith(last)) or not all(each in text for each in between):
            return None
        if not (found := self.whole.fullmatch(text)):
            return None
        if not (placed or first) and ": " in found[1]:
            return None
        inner = {name: _part(found[name], deep + 1) for name, star in _FIELD.findall(self.english) if star}
        if self.letters < _FEW_LETTERS and inner:
            strange = [name for name, form in inner.items() if form is None and not _NAME.fullmatch(found[name])]
            if strange or not any(inner.values()):
                return None
        filled = _FIELD.sub(lambda each: f"\0{inner.get(each[1]) or found[each[1]]}\0", self.form)
        return _NO_SPACE.sub("", _SPACE.sub(" ", filled)).replace("\0", "")


@dataclass
class _Section:
    """Sentences as they are, and those with parts that differ: the ones with the most fixed letters first."""

    plain: dict[str, str] = field(default_factory=dict)
    patterns: list[_Pattern] = field(default_factory=list)


@cache
def _tables() -> dict[str, _Section]:
    sections = {"words": _Section(), "lines": _Section()}
    for name, english, form in read_tables():
        for each in choices(english):
            if _FIELD.search(each):
                sections[name].patterns.append(_Pattern(each, form))
            else:
                sections[name].plain[each] = form
    parts = _Section(sections["lines"].plain | sections["words"].plain)
    parts.patterns = [*sections["words"].patterns, *sections["lines"].patterns]
    for section in (*sections.values(), parts):
        section.patterns.sort(key=lambda pattern: -pattern.letters)
    return sections | {"parts": parts}


def read_tables() -> Iterator[tuple[str, str, str]]:
    """(section, English, Chinese) of every sentence in the tables."""
    for path in sorted(files("penjing.core").joinpath("zh").iterdir(), key=lambda each: each.name):
        for name, rows in json.loads(path.read_text(encoding="utf-8")).items():
            for english, form in rows.items():
                yield name, english, form


def choices(english: str) -> list[str]:
    """The sentences that `{is|are}` stands for."""
    fixed = _CHOICE.split(english)  # text, words, text, words, ..., text
    words = [each.split("|") if place % 2 else [each] for place, each in enumerate(fixed)]
    return ["".join(each) for each in product(*words)]


def _line(line: str) -> str:
    plain = line.lstrip(" ")
    if len(plain) > _LONGEST:
        return line
    return line[: len(line) - len(plain)] + (_sentence(plain, 0) or plain)


def _sentence(text: str, deep: int, name: str = "lines") -> str | None:
    """A sentence with its hint in brackets, a whole one, or one behind the place that it is about; None for none."""
    return (
        _with_hint(text, deep)
        or _match(text, name, deep, placed=False)
        or _behind_place(text, deep)
        or _match(text, name, deep)
    )


def _with_hint(text: str, deep: int) -> str | None:
    start = text.find(" (") if text.endswith(")") and deep < _DEEPEST else -1
    while start > 0:
        hint = _match(text[start + 2 : -1], "lines", deep + 1)
        if hint and (said := _sentence(text[:start], deep + 1)):
            return f"{said}（{hint}）"
        start = text.find(" (", start + 1)
    return None


def _behind_place(text: str, deep: int) -> str | None:
    start = text.find(": ")
    while start > 0 and deep < _DEEPEST:
        if message := _sentence(text[start + 2 :], deep + 1):
            return f"{_match(text[:start], 'parts', deep + 1) or text[:start]}: {message}"
        start = text.find(": ", start + 1)
    return None


def _part(text: str, deep: int) -> str | None:
    """A part of a sentence: a word or a sentence of its own."""
    return None if deep > _DEEPEST else _sentence(text.strip(), deep, "parts")


def _match(text: str, name: str, deep: int, *, placed: bool = True) -> str | None:
    """The Chinese form of a text as it is in a table."""
    section = _tables()[name]
    if (found := section.plain.get(text)) is not None:
        return found
    filled = (each.fill(text, deep, placed=placed) for each in section.patterns)
    return next((form for form in filled if form is not None), None)
