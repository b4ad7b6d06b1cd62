"""Triples in columns: head, tail, relation, text; the rows of one text become one text with all its relations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from penjing.core.errors import DataError, shown
from penjing.data.annotated.document import AnnotatedText, LabelledRelation
from penjing.data.annotated.json_spans import several_note
from penjing.data.annotated.lines import Given
from penjing.data.annotated.words import Word, place_words
from penjing.data.cells import Fault
from penjing.data.fields import match_header
from penjing.data.read import Reading, open_table
from penjing.data.relations import columns_of_triples

_COLUMNS = ("head", "tail", "relation")


@dataclass
class _Text:
    """What the rows of one text say so far."""

    row: int
    words: list[Word] = field(default_factory=list)
    relations: list[LabelledRelation] = field(default_factory=list)

    def place_of(self, word: Word) -> int:
        """The place of a word in the list, where it is put if it is new."""
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word)


def read(given: Given) -> Iterator[AnnotatedText | Fault]:
    """The texts in the order of their first rows. Head and tail are found in the text, as spans `entity`.

    Where one of them is in the text several times, its first free place is taken, and counted in a note: the file does
    not say which is meant. Raises as `open_table` does, and DataError for a file without the columns.
    """
    opened = open_table(given.file, Reading(given.encoding, columns=given.columns), (*_COLUMNS, given.text))
    given.found = opened.encoding
    # Rows of JSON have their own names.
    names = opened.names or next((tuple(cells) for _, cells in opened.rows([])), ())
    named = columns_of_triples(names)
    wanted = (*(named or _COLUMNS), given.text)
    texts: dict[str, _Text] = {}
    faults: list[Fault] = []
    for row, cells in opened.rows(faults, wanted):
        found = match_header(wanted, tuple(cells)).found
        if len(found) < len(wanted):
            raise _no_column(wanted, found, f"{opened.where}:{row}")
        head, tail, relation, text = (cells[found[name]].strip() for name in wanted)
        lost = [end for end in (head, tail) if not end or end not in text]
        if lost or not relation:
            what = f"`{shown(lost[0], 40)}` is not in the text of its row" if lost else "a row without a relation"
            faults.append(Fault(row, what, "write head and tail as they are in the text, and their relation"))
            continue
        now = texts.setdefault(text, _Text(row))
        ends = [now.place_of(Word(end)) for end in (head, tail)]
        now.relations.append(LabelledRelation(ends[0], ends[1], relation))
    given.notes += opened.notes
    placed = [(text, each, *place_words(text, each.words)) for text, each in texts.items()]
    if several := [each.row for _, each, _, often in placed if often]:
        given.notes.append(several_note(several))
    yield from faults
    for text, each, spans, _ in placed:
        yield AnnotatedText(each.row, text, tuple(spans), tuple(each.relations))


def _no_column(wanted: Sequence[str], found: Mapping[str, str], where: str) -> DataError:
    absent = next(name for name in wanted if name not in found)
    fix = "name the columns of a file without a header: `columns: [head, tail, relation, text]` under `data:`"
    return DataError(f"there is no column `{absent}`", where=where, fix=fix)
