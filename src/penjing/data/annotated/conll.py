"""CoNLL: a token and its tag a line, a blank line between texts; the first column is the token, the last the tag.

Where the first column counts the tokens of every text from 1, as that of GermEval does, the second is the token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from penjing.core.errors import DataError, shown
from penjing.data.annotated.document import AnnotatedText, LabelledSpan
from penjing.data.annotated.lines import Given
from penjing.data.annotated.tags import find_scheme, spans_of, split_tag
from penjing.data.cells import Fault

_BEGINNING = "-DOCSTART-"
_BLANKS = re.compile(r"[ \t]+")
# Scripts that are written without blanks: Han with its punctuation, kana, full-width forms.
_UNSPACED = re.compile("[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_COLUMNS = "write one token a line: the token, a tab or a blank, its tag"


@dataclass(frozen=True)
class _Token:
    """A line: its first cell as the token, its last as the tag; second: the cell after the first, if it is no tag."""

    line: int
    text: str
    tag: str
    second: str = ""


def read(given: Given) -> Iterator[AnnotatedText | Fault]:
    """The texts of a file, each one's tokens joined: by nothing in Chinese and Japanese, else by one blank.

    `I-` without `B-` begins an entity, which is counted in a note. Raises DataError for a file without tags, and for
    one whose tags are of two schemes.
    """
    sentences = _without_numbers(list(_sentences(given.lines(), str(given.file))), given.notes)
    tokens = [token for each in sentences if not isinstance(each, Fault) for token in each]
    scheme = find_scheme(((token.line, token.tag) for token in tokens), str(given.file))
    unspaced = is_unspaced([token.text for token in tokens])
    how = "without blanks" if unspaced else "with one blank"
    if tokens:
        given.notes.append(f"read as CoNLL, tags {scheme}; tokens are joined {how}")
    odd: list[int] = []
    for each in sentences:
        if isinstance(each, Fault):
            yield each
            continue
        text, places = join([token.text for token in each], unspaced)
        found, unfit = spans_of([token.tag for token in each], scheme)
        odd += [each[place].line for place in unfit]
        spans = tuple(LabelledSpan(places[start][0], places[end - 1][1], label) for start, end, label in found)
        yield AnnotatedText(each[0].line, text, spans)
    if odd:
        given.notes.append(
            f"{len(odd):,} tags do not go on from the tag before them, the first in line {odd[0]}: an entity begins "
            "where none was open, and ends where another tag follows"
        )


def _without_numbers(sentences: list[list[_Token] | Fault], notes: list[str]) -> list[list[_Token] | Fault]:
    """The texts as they are; with the second column as the token where the first one counts the tokens."""
    read = [each for each in sentences if not isinstance(each, Fault)]
    counted = all(token.text == str(number) for each in read for number, token in enumerate(each, start=1))
    if not counted or not all(token.second for each in read for token in each) or all(len(each) == 1 for each in read):
        return sentences
    notes.append("the first column counts the tokens of each text: the second column is read as the token")
    return [
        each if isinstance(each, Fault) else [replace(token, text=token.second) for token in each] for each in sentences
    ]


def join(tokens: Sequence[str], unspaced: bool) -> tuple[str, list[tuple[int, int]]]:
    """The text of tokens, and the [start, end) of each.

    unspaced: nothing is between two tokens, but for a blank between two words in letters or digits of other scripts.
    """
    text, places, before = "", [], ""
    for token in tokens:
        if before and not (unspaced and (min(len(before), len(token)) < 2 or _touches(before, token))):
            text += " "
        places.append((len(text), len(text) + len(token)))
        text += token
        before = token
    return text, places


def is_unspaced(tokens: Sequence[str]) -> bool:
    """Whether most tokens that begin with a letter are of a script without blanks."""
    letters = [token for token in tokens if token[0].isalpha()]
    return 2 * sum(_UNSPACED.match(token) is not None for token in letters) > len(letters)


def _touches(before: str, token: str) -> bool:
    ends = before[-1], token[0]
    return any(_UNSPACED.match(end) or not end.isalnum() for end in ends)


def _sentences(lines: Sequence[str], where: str) -> Iterator[list[_Token] | Fault]:
    """The tokens of each text, or the first line of it that cannot be read."""
    tabs = any("\t" in line.strip() for line in lines[:200])
    width = 0
    now: list[_Token] = []
    fault: Fault | None = None
    for number, line in enumerate([*lines, ""], start=1):
        cells = _cells(line, tabs) if line.strip() else []
        if not cells or cells[0] == _BEGINNING:
            if now or fault:
                yield fault or now
            now, fault = [], None
            continue
        if _is_comment(line, now):
            continue
        tag = cells[-1].strip()
        if len(cells) < 2:
            fault = fault or Fault(number, f"one column only, no tag: `{shown(line, 40)}`", _COLUMNS)
        elif width and len(cells) != width:
            what = f"{len(cells)} columns, but the lines above have {width}: `{shown(line, 40)}`"
            fault = fault or Fault(number, what, _COLUMNS)
        elif split_tag(tag) is None:
            if not width:
                what = f"`{shown(tag, 40)}` in the last column of line {number} is no tag, so this is not CoNLL"
                raise DataError(what, where=f"{where}:{number}", fix="tags are `O`, `B-ORG`, `I-ORG`: name the format")
            fix = "tags are `O`, or a letter of the scheme and the label: `B-ORG`"
            fault = fault or Fault(number, f"`{shown(tag, 40)}` is no tag", fix)
        else:
            width = len(cells)
            now.append(_Token(number, cells[0], tag, cells[1] if len(cells) > 2 else ""))


def _cells(line: str, tabs: bool) -> list[str]:
    """The cells of a line; a line that begins with its separator has a blank as its token."""
    if tabs:
        cells = line.split("\t")
        return [cells[0] or " ", *cells[1:]] if len(cells) > 1 else cells
    cells = _BLANKS.split(line.rstrip(" \t"))
    return [cells[0] or " ", *cells[1:]]


def _is_comment(line: str, now: Sequence[_Token]) -> bool:
    """A line `# …` above a text, as in CoNLL-U, which is no token `#` with a tag."""
    return not now and line.startswith(("# ", "#\t")) and split_tag(_BLANKS.split(line.strip())[-1]) is None
