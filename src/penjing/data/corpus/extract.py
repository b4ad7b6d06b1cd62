"""The plain text of markdown, of a web page, and of a row of JSON; a stored text in parts of a bounded length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from penjing.core.errors import MissingPackageError

LONGEST = 20_000  # characters of a document; a longer one is divided
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*$")
_FRONT = re.compile(r"\A\ufeff?---\r?\n.*?^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>")
_IMAGE = re.compile(r"!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])")
_LINK = re.compile(r"\[([^\[\]\n]*)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\]\n]*\])")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]\n]+\]:\s+\S+.*$", re.MULTILINE)
_AUTO_LINK = re.compile(r"<(?:https?|mailto):[^>\s]*>")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_UNDERLINE = re.compile(r"^ {0,3}(?:=+|-{2,}|\*{3,}|_{3,}|(?:[*_-] ){2,}[*_-])[ \t]*$", re.MULTILINE)
_QUOTE = re.compile(r"^(?: {0,3}> ?)+", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]*[*+-][ \t]+(?:\[[ xX]\][ \t]+)?", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$", re.MULTILINE)
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_EMPHASIS = re.compile(r"(?<![\w*])([*_])(?=[^\s*_])([^*_\n]+?)(?<=\S)\1(?![\w*])")
_CODE = re.compile(r"`([^`\n]+)`")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")
_SENTENCE = re.compile(r"(?<=[。！？；!?;])|(?<=[.])(?=\s)")


def markdown_text(source: str) -> str:
    """Markdown as text: headings, paragraphs, lists and cells of tables are kept; code blocks, pictures, link targets,
    HTML and front matter are not."""
    text = _FRONT.sub("", source)
    text = _COMMENT.sub("", "\n".join(_without_code(text.splitlines())))
    text = _REFERENCE.sub("", _LINK.sub(r"\1", _IMAGE.sub("", text)))
    text = _AUTO_LINK.sub("", text)
    text = _TAG.sub("", text)
    text = _QUOTE.sub("", text)
    for pattern in (_TABLE_RULE, _UNDERLINE, _BULLET):
        text = pattern.sub("", text)
    text = _HEADING.sub(r"\1", text)
    text = _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text))
    text = _CODE.sub(r"\1", text)
    lines = [_cells(line) if line.lstrip().startswith("|") else line for line in text.split("\n")]
    return _ESCAPED.sub(r"\1", "\n".join(lines))


def _without_code(lines: Sequence[str]) -> Iterator[str]:
    """The lines outside fenced blocks; a block that is never closed is text."""
    fence, held = "", list[str]()
    for line in lines:
        found = _FENCE.match(line)
        if fence:
            held.append(line)
            if found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence, held = "", []
        elif found:
            fence, held = found[1], [line]
        else:
            yield line
    yield from held[1:]


def _cells(line: str) -> str:
    return " ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())


def html_text(page: str) -> str:
    """The main text of a web page by trafilatura (Barbaresi, 2021), without menus, footers and comments; "" if none.

    Raises MissingPackageError.
    """
    try:
        import trafilatura
    except ImportError:
        raise MissingPackageError(
            "web pages (.html) need the package `trafilatura`", fix="pip install 'penjing[train]'"
        ) from None
    found: str | None = trafilatura.extract(page, include_comments=False, include_tables=True, deduplicate=False)
    return found or ""


def json_text(line: bytes, columns: Sequence[str]) -> str | None:
    """The text of a JSON row: of each column the words in it, also inside lists and objects; None if it is no row."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    parts = [_words(row.get(column)) for column in columns]
    return "\n".join(part for part in parts if part)


def _words(value: object, depth: int = 0) -> str:
    if isinstance(value, str):
        return value.strip()
    if depth > 20:
        return ""
    if isinstance(value, list):
        return "\n".join(part for each in value if (part := _words(each, depth + 1)))
    if isinstance(value, dict):  # a message of a conversation
        inner = next((value[key] for key in ("content", "text", "value", "utterance") if key in value), None)
        if inner is not None:
            return _words(inner, depth + 1)
        return "\n".join(part for each in value.values() if (part := _words(each, depth + 1)))
    return ""


def divide(text: str, longest: int = LONGEST) -> list[str]:
    """Parts of at most `longest` characters: cut at line ends, within a long line at sentence ends, else anywhere."""
    if len(text) <= longest:
        return [text]
    parts: list[str] = []
    now: list[str] = []
    size = 0
    for piece in _pieces(text, longest):
        if now and size + len(piece) > longest:
            parts.append("".join(now))
            now, size = [], 0
        now.append(piece)
        size += len(piece)
    return [part.strip() for part in [*parts, "".join(now)]]


def _pieces(text: str, longest: int) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        if len(line) <= longest:
            yield line
            continue
        for sentence in _SENTENCE.split(line):
            for start in range(0, len(sentence), longest):
                yield sentence[start : start + longest]
