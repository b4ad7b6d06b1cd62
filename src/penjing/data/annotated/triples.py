"""Triples in columns: head, tail, relation, text; the rows of one text become one text with all its relations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from penjing.core.errors import DataError, shown
from penjing.data.annotated.document import AnnotatedText, LabelledRelation, LabelledSpan
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault
from penjing.data.fields import match_header
from penjing.data.read import Reading, open_table

ENTITY = "entity"
_COLUMNS = ("head", "tail", "relation")


@dataclass
class _Text:
    """What the rows of one text say so far."""

    row: int
    spans: list[LabelledSpan] = field(default_factory=list)
    relations: list[LabelledRelation] = field(default_factory=list)

    def place_of(self, span: LabelledSpan) -> int:
        """The place of a span in the list, where it is put if it is new."""
        if span not in self.spans:
            self.spans.append(span)
        return self.spans.index(span)


def read(given: Given) -> Iterator[AnnotatedText | Fault]:
    """The texts in the order of their first rows. Head and tail are found in the text, as spans `entity`.

    Where one of them is in the text several times, its first place is taken, and counted in a note: the file does not
    say which is meant. Raises as `open_table` does, and DataError for a file without the columns.
    """
    wanted = (*_COLUMNS, given.text)
    opened = open_table(given.file, Reading(given.encoding, columns=given.columns), wanted)
    given.found = opened.encoding
    texts: dict[str, _Text] = {}
    faults: list[Fault] = []
    several: list[int] = []
    for row, cells in opened.rows(faults, wanted):
        found = match_header(wanted, tuple(cells)).found
        if len(found) < len(wanted):
            absent = next(name for name in wanted if name not in found)
            fix = "name the columns of a file without a header: `columns: [head, tail, relation, text]` under `data:`"
            raise DataError(f"there is no column `{absent}`", where=f"{opened.where}:{row}", fix=fix)
        head, tail, relation, text = (cells[found[name]].strip() for name in wanted)
        lost = [end for end in (head, tail) if not end or end not in text]
        if lost or not relation:
            what = f"`{shown(lost[0], 40)}` is not in the text of its row" if lost else "a row without a relation"
            faults.append(Fault(row, what, "write head and tail as they are in the text, and their relation"))
            continue
        several += [row] * any(text.count(end) > 1 for end in (head, tail))
        now = texts.setdefault(text, _Text(row))
        ends = [now.place_of(LabelledSpan(text.index(end), text.index(end) + len(end), ENTITY)) for end in (head, tail)]
        now.relations.append(LabelledRelation(ends[0], ends[1], relation))
    given.notes += opened.notes
    if several:
        given.notes.append(
            f"{len(several):,} rows whose head or tail is in the text several times, the first in row {several[0]}: "
            "the first place is taken"
        )
    yield from faults
    for text, each in texts.items():
        yield AnnotatedText(each.row, text, tuple(each.spans), tuple(each.relations))
