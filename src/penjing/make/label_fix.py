"""Labels that are perhaps wrong, as a file of questions for a person, and the answers as corrections of the data.

A question names a row by its file and its number, and has a digest of its masked text and its label: an answer counts
only while the row is still what was asked about. Rows of the same file with the same text and the same label are
corrected together, because one text under two labels would be removed from the data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penjing.core.alike import first_of_each
from penjing.core.canon import digest
from penjing.core.errors import DataError, RequestError
from penjing.core.recipe import RecipeFile
from penjing.core.task import Reader, SetReader, read_words
from penjing.core.whole_number import whole_number
from penjing.data.cells import Fault, refuse_unreadable
from penjing.data.doubts import LabelDoubts
from penjing.data.fields import Names, match_header, unclear_names
from penjing.data.fold import fold
from penjing.data.intake import Intake, take_in
from penjing.data.labels import read_as, read_label
from penjing.data.mask import VERSION, open_masking
from penjing.data.read import Reading, open_table
from penjing.store.case_file import open_case_file
from penjing.tasks import reader_of

COLUMNS = (
    "file", "row", "text", "given", "suggested", "p", "labels", "answer", "reviewer", "note", "digest",
)  # fmt: skip
CHINESE_COLUMNS = (
    "文件", "行号", "文本", "所标", "建议", "概率", "可选标签", "答案", "复核人", "备注", "校验码",
)  # fmt: skip
REMOVE = ("remove", "删除")
_IN_CHINESE = dict(zip(COLUMNS, CHINESE_COLUMNS, strict=True))
_READ = ("file", "row", "answer", "reviewer", "note", "digest")
_NEEDED = ("row", "answer", "digest")
_MOST_LABELS = 100


@dataclass(frozen=True)
class Correction:
    """A label that a person corrected: `new` is None for a row that is removed; `same_as`: the row that was asked."""

    file: str
    row: int
    old: str
    new: str | None
    reviewer: str
    note: str
    same_as: int | None = None


@dataclass(frozen=True)
class Answers:
    """The corrections of a file of answers, how many rows were confirmed, and how many have no answer."""

    corrections: tuple[Correction, ...] = ()
    confirmed: int = 0
    blank: int = 0


@dataclass(frozen=True)
class _FilledRow:
    """One row of the file of answers; `place` is its row there."""

    place: int
    file: str
    row: str
    answer: str
    reviewer: str
    note: str
    digest: str


def write_questions(doubts: LabelDoubts, labels: Sequence[str], path: Path, *, workbook: bool, chinese: bool) -> None:
    """Write the rows for a person, the least probable label first, as `store/case_file.py` describes.

    labels: those that an answer may name. chinese: heading and lists are in Chinese; `read_answers` reads both.
    """
    with open_case_file(path, workbook=workbook) as add:
        add(CHINESE_COLUMNS if chinese else COLUMNS)
        more = ["…"] if len(labels) > _MOST_LABELS else []
        listed = ("、" if chinese else ", ").join([*labels[:_MOST_LABELS], *more])
        for each in doubts.doubts:
            asked = question_digest(each.text or "", each.given)
            cells = [each.file, each.row, each.text or "", each.given, each.suggested, each.p]
            add([*cells, listed, "", "", "", asked])


def question_digest(text: str, label: str) -> str:
    """What a row is recognised by: `q` and 16 hexadecimal digits of the SHA-256 of its masked text and its label."""
    return "q" + digest([text, label])[:16]


def read_answers(file: RecipeFile, path: Path, reading: Reading, *, new_labels: bool = False) -> Answers:
    """The corrections of a filled file of questions, for the rows as they are in the data now: all, or an error.

    new_labels: whether an answer may be a label that no row has. Raises DataError that lists the faulty rows: a row
    that is not in the data or has changed, two answers for one row, an unknown label.
    """
    reader = reader_of(file)
    known = _Known.of(file, reader, take_in(file, reader, open_masking(VERSION)), new_labels=new_labels)
    given: dict[int, tuple[str | None, _FilledRow]] = {}
    faults: list[str] = []
    blank, confirmed = 0, 0
    unread: list[Fault] = []
    for answered in _rows_of(path, reading, unread):
        if not answered.answer:
            blank += 1
            continue
        try:
            position = known.position(answered)
            if position in given:
                raise DataError(
                    f"a second answer for row {answered.row}; the first is in row {given[position][1].place}"
                )
            given[position] = known.read(answered.answer), answered
        except (DataError, RequestError) as error:
            faults.append(f"row {answered.place}: {error.what}")
    faults += [f"row {fault.row}: {fault.what}" for fault in unread]
    if faults:
        what = "\n    ".join(["answers that cannot be taken; nothing was changed", *first_of_each(faults)])
        raise DataError(what, where=str(path), fix="correct these rows and give the file again")
    confirmed = sum(new == known.golds[position] for position, (new, _) in given.items())
    return Answers(tuple(known.corrections(given)), confirmed, blank)


@dataclass(frozen=True)
class _Known:
    """The rows of the data as they are now, and how a label is read."""

    intake: Intake
    golds: Sequence[str]
    read_cell: Callable[[str], str]
    reads: Mapping[str, str]
    reader: Reader
    places: Mapping[tuple[str, int], int]
    labels: Collection[str]

    @classmethod
    def of(cls, file: RecipeFile, reader: Reader, intake: Intake, *, new_labels: bool) -> _Known:
        golds = intake.table.labels or ()
        read_cell = reader.read if new_labels else reader.learn(golds).read
        places = {key: position for position, key in enumerate(zip(intake.names, intake.table.rows, strict=True))}
        labels = {part for gold in golds for part in (reader.parts(gold) if isinstance(reader, SetReader) else (gold,))}
        return cls(intake, golds, read_cell, read_as(file.recipe.data), reader, places, labels)

    def position(self, answered: _FilledRow) -> int:
        """The position of the row that was asked about. Raises DataError where it is not there, or has changed."""
        files = list(dict.fromkeys(self.intake.names))
        name = answered.file or (files[0] if len(files) == 1 else "")
        if name not in files:
            listed = ", ".join(files)
            raise DataError(f"the data has no file `{name[:80]}`; it has {listed}")
        number = whole_number(answered.row)
        position = None if number is None else self.places.get((name, number))
        if position is None:
            raise DataError(f"`{name}` has no labelled row `{answered.row[:20]}`")
        if question_digest(self.intake.table.texts[position], self.golds[position]) != answered.digest:
            what = (
                f"what was asked about `{name}`, row {answered.row}, does not hold now: its text or label has changed"
            )
            raise DataError(what)
        return position

    def read(self, answer: str) -> str | None:
        """The label of an answer, None where it removes the row. Raises DataError, RequestError."""
        word = read_label(answer)
        if word.casefold() in REMOVE and word not in self.labels:
            return None
        try:
            gold = self.read_cell(read_words(self.reader, word, self.reads))
        except DataError as error:
            near = error.fix if error.fix and error.fix.startswith("did you mean") else "--new-labels takes it"
            raise DataError(f"{error.what} ({near})") from None
        if not gold:
            raise DataError(f"`{answer[:60]}` is no label")
        return gold

    def corrections(self, given: Mapping[int, tuple[str | None, _FilledRow]]) -> Iterator[Correction]:
        """What the answers change, in the order of the rows; rows of the same text and label with it."""
        table, names = self.intake.table, self.intake.names
        texts = [fold(text) for text in table.texts]
        alike: dict[tuple[str, str, str], list[int]] = {}
        for position, key in enumerate(zip(names, texts, self.golds, strict=True)):
            alike.setdefault(key, []).append(position)
        for position in sorted(given):
            new, answered = given[position]
            if new == self.golds[position]:
                continue
            for other in alike[names[position], texts[position], self.golds[position]]:
                if other == position or other not in given:
                    same = None if other == position else table.rows[position]
                    old, who = self.golds[other], (answered.reviewer, answered.note)
                    yield Correction(names[other], table.rows[other], old, new, *who, same)


def _rows_of(path: Path, reading: Reading, faults: list[Fault]) -> Iterator[_FilledRow]:
    """The rows of a file of answers, its columns by their English or Chinese names. Raises DataError."""
    opened = open_table(path, reading, ("row", "answer"), exported=True)
    for place, row in opened.rows(faults):
        names = _names(tuple(row))
        if names.unclear:
            what, fix = unclear_names(names.unclear)
            raise DataError(what, where=str(path), fix=fix)
        missing = [name for name in _NEEDED if name not in names.found]
        if missing:
            listed = ", ".join(f"`{name[:60]}`" for name in list(row)[:20])
            what = f"the column `{missing[0]}` is missing; the columns are {listed}"
            fix = "`penjing label fix RECIPE --out FILE` writes the columns " + ", ".join(COLUMNS)
            raise DataError(what, where=str(path), fix=fix)
        if odd := refuse_unreadable(row, list(names.found.values()), place):
            faults.append(odd)
            continue
        cells = {name: row.get(names.found.get(name, ""), "").strip() for name in _READ}
        yield _FilledRow(place=place, **cells)


def _names(header: tuple[str, ...]) -> Names:
    """The columns that are read, by their English names, else by their Chinese ones."""
    english, chinese = match_header(_READ, header), match_header(tuple(_IN_CHINESE[name] for name in _READ), header)
    found = dict(english.found)
    found |= {name: chinese.found[_IN_CHINESE[name]] for name in english.absent if _IN_CHINESE[name] in chinese.found}
    return Names(found, english.unclear, tuple(name for name in _READ if name not in found))
