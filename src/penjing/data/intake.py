"""Reads, cleans and masks the rows of a recipe's files; rows that cannot be used are listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from penjing.core.alike import kind_of
from penjing.core.errors import DataError, RequestError
from penjing.core.nouns import Scalar, Table
from penjing.core.pair import join_texts
from penjing.core.recipe import PARTS, Data, Recipe, RecipeFile
from penjing.core.task import PairReader, PartsReader, Reader, SetReader, read_words, words_of
from penjing.data.added import open_added
from penjing.data.audit import SMALL_LABEL, FileAudit, Problem, Rows
from penjing.data.cells import Fault
from penjing.data.fields import match_header
from penjing.data.labels import alike, as_yaml, read_as, read_label, unite
from penjing.data.mask import KINDS, Masking
from penjing.data.masked import Masked
from penjing.data.pair_text import prepare_texts
from penjing.data.read import Opened, Reading, open_table
from penjing.data.table import load_table, open_labelled, unknown_column

_SHOWN_FAULTS = 20  # different ones, of one file
_OTHERS = ("other rows that cannot be read",)
_EXAMPLES = 3
_FEW_ROWS = "nothing to do; a label of few rows is found less often, and its figures are rough"


@dataclass(frozen=True)
class Intake:
    """All usable rows in one table, the part and the file of each row, and the problems that were found.

    added: positions of the rows of files that only train (`add:`).
    """

    table: Table
    parts: tuple[str, ...]
    names: tuple[str, ...]
    files: list[FileAudit]
    masked: dict[str, int]
    empty: int
    no_label: int
    problems: list[Problem]
    added: frozenset[int] = frozenset()


def take_in(file: RecipeFile, reader: Reader, masking: Masking) -> Intake:
    """Read every file of a recipe. Raises UsageError (no such file) or DataError (cannot be read at all)."""
    data = file.recipe.data
    given = (
        {"train": data.files} if isinstance(data.files, str) else {str(part): name for part, name in data.files.items()}
    )
    collector = _Collector(file.recipe, reader, masking)
    files = []
    for part in PARTS:
        if part in given:
            path = file.resolve(given[part])
            files.append(collector.read(path, given[part], part))
    own = len(collector.texts)
    files += [collector.add(file.resolve(name), name) for name in data.add]
    collector.unite()
    return Intake(
        table=Table(
            collector.texts,
            collector.labels,
            collector.rows,
            collector.groups if data.group else None,
            collector.fields,
        ),
        parts=tuple(collector.parts),
        names=tuple(collector.names),
        files=files,
        masked={kind: collector.masked[kind] for kind in KINDS},
        empty=sum(map(len, collector.empty.values())),
        no_label=sum(map(len, collector.unlabelled.values())),
        problems=collector.problems(),
        added=frozenset(range(own, len(collector.texts))),
    )


def take_unlabelled(file: RecipeFile, reader: Reader, masking: Masking) -> list[str]:
    """Texts without labels, cleaned and masked, empty and refused ones left out. Raises as `take_in` does."""
    return [text for name in file.recipe.data.unlabelled for text in _texts_of(file, name, reader, masking)]


def take_outside(file: RecipeFile, reader: Reader, masking: Masking) -> dict[str, list[str]]:
    """Texts that fit no label by the name of their set, each once. Raises as `take_in`, and for a file without any."""
    found = {}
    for name, path in file.recipe.data.outside.items():
        found[name] = list(dict.fromkeys(_texts_of(file, path, reader, masking)))
        if not found[name]:
            where = file.where("data", "out_of_scope")
            raise DataError(f"no text can be read in `{path[:80]}`", where=where, fix="name a file with texts")
    return found


def _texts_of(file: RecipeFile, name: str, reader: Reader, masking: Masking) -> list[str]:
    data, texts = file.recipe.data, []
    path = file.resolve(name)
    faults: list[Fault] = []
    reading = Reading(data.encoding, data.sheet)
    further = tuple(data.further().values())
    wanted = (data.text, *further)
    for _, cells in open_table(path, reading, wanted).rows(faults, (*wanted, "text")):
        names = match_header(wanted, tuple(cells))
        column = names.found.get(data.text, "text")
        if column not in cells or (further and len(names.found) < len(wanted)):
            raise unknown_column(str(path), names, list(cells), data)
        try:
            text = _prepared(masking, reader, [cells[column], *(cells[names.found[name]] for name in further)]).text
        except RequestError:
            continue
        if text:
            texts.append(text)
    return texts


def _prepared(masking: Masking, reader: Reader, texts: Sequence[str]) -> Masked:
    """The texts of a case masked; one text, which `join_texts` may have made of several."""
    if isinstance(reader, PairReader):
        return prepare_texts(masking, join_texts(*texts) if len(texts) > 1 else texts[0], reader)
    return masking.prepare(texts[0])


def _fault_problems(name: str, faults: Sequence[Fault]) -> list[Problem]:
    """One error for each kind of fault of a file: values of a field that are wrong in the same way are one kind.

    So are messages that differ only in what they quote and count.
    """
    kinds: dict[tuple[str, ...], list[Fault]] = {}
    for fault in faults:
        kind: tuple[str, ...] = (kind_of(fault.what),) if fault.about is None else (fault.about[0], fault.about[2])
        kinds.setdefault(kind if kind in kinds or len(kinds) < _SHOWN_FAULTS else _OTHERS, []).append(fault)
    found = []
    for kind, same in kinds.items():
        what, fix = _alike(same) if len(kind) == 1 else _wrong_values(same)
        if kind == _OTHERS:
            what = _OTHERS[0]
        rows = {name: [fault.row for fault in same]}
        found.append(Problem(severity="error", code="rows", message=what, rows=rows, fix=fix))
    return found


def _alike(faults: Sequence[Fault]) -> tuple[str, str]:
    """Message and fix for faults of one kind: those of the first, and how many rows have the like."""
    first = faults[0]
    others = len({fault.row for fault in faults if fault.what != first.what} - {first.row})
    if not others:
        return first.what, first.fix
    return f"{first.what}, and the like in {others:,} more row{'s' * (others != 1)}", first.fix


def _wrong_values(faults: Sequence[Fault]) -> tuple[str, str]:
    """Message and fix for wrong values of one field, with a few of the values."""
    fixes = {fault.about[1]: fault.fix for fault in faults if fault.about is not None}
    if len(fixes) == 1 or faults[0].about is None:
        return faults[0].what, faults[0].fix
    field, first, reason = faults[0].about
    examples = ", ".join(list(fixes)[:_EXAMPLES])
    what = f"{len(faults):,} values of the field `{field}` are {reason}, such as {examples}"
    return what, fixes[first] if len(set(fixes.values())) == 1 else f"where it is {first}: {fixes[first]}"


class _Collector:
    """Collects rows over files."""

    def __init__(self, recipe: Recipe, reader: Reader, masking: Masking) -> None:
        self.data, self.reads_text = recipe.data, recipe.reads_text
        self.reader = reader
        self.masking = masking
        self.reads = read_as(recipe.data)
        self.merged: Counter[str] = Counter()
        self.united: dict[str, str] = {}
        self.texts: list[str] = []
        self.labels: list[str] = []
        self.rows: list[int] = []
        self.groups: list[str] = []
        self.fields: dict[str, list[Scalar]] = {name: [] for name in recipe.data.fields}
        self.parts: list[str] = []
        self.names: list[str] = []
        self.masked: Counter[str] = Counter()
        self.empty: Rows = {}
        self.unlabelled: Rows = {}
        self.faults: dict[str, list[Fault]] = {}
        self.notes: dict[str, list[str]] = {}

    def read(self, path: Path, name: str, part: str) -> FileAudit:
        return self._read(open_labelled(path, self.data), self.data, path, name, part)

    def add(self, path: Path, name: str) -> FileAudit:
        """Read a file of rows that only train. A cell that was left empty there is no label of any task."""
        return self._read(*open_added(path, self.data, self.reader), path, name, "train", blank=False)

    def _read(self, opened: Opened, data: Data, path: Path, name: str, part: str, *, blank: bool = True) -> FileAudit:
        """blank: whether an empty cell is read as gold, which some tasks do."""
        faults: list[Fault] = []
        table = load_table(opened, data, faults, lists=self.reader.golds_are_lists)
        self.notes[name] = opened.notes
        for place in range(len(table)):
            if not blank and not (table.labels and read_label(table.labels[place])):
                self.unlabelled.setdefault(name, []).append(table.rows[place])
            else:
                self._take(table, place, name, part, faults)
        if faults:
            self.faults[name] = sorted(faults, key=lambda fault: fault.row)
        elif not len(table):
            raise DataError("the file has no rows", where=str(path), fix="name a file with a header and rows of text")
        return FileAudit(name=name, part=part, rows=len(table), encoding=opened.encoding)

    def _take(self, table: Table, place: int, name: str, part: str, faults: list[Fault]) -> None:
        row = table.rows[place]
        try:
            masked = self._prepare(table.texts[place])
            if not masked.text and self.reads_text:
                self.empty.setdefault(name, []).append(row)
                return
            label = read_label(table.labels[place]) if table.labels else ""
            gold = self.reader.read(read_words(self.reader, label, self.reads) if label else "", masked)
            fields = {key: self._field(column[place], key) for key, column in table.fields.items()}
        except (RequestError, DataError) as error:
            faults.append(Fault(row, error.what, error.fix or ""))
            return
        if not gold:
            self.unlabelled.setdefault(name, []).append(row)
        else:
            self.texts.append(masked.text)
            self.merged.update(words_of(self.reader, label) if label else ())
            self.labels.append(gold)
            self.rows.append(row)
            self.parts.append(part)
            self.names.append(name)
            self.masked.update(masked.counts)
            self.groups.append(table.groups[place] if table.groups else "")
            for key, value in fields.items():
                self.fields[key].append(value)

    def _prepare(self, raw: str) -> Masked:
        return _prepared(self.masking, self.reader, [raw])

    def _field(self, value: Scalar, name: str) -> Scalar:
        """Free text in a declared field is cleaned and masked as the text itself."""
        return self.masking.prepare(value).text if isinstance(value, str) and self.data.fields[name] == "str" else value

    def unite(self) -> None:
        """Make one label of those that write the same value (`1`, `1.0`), over all files."""
        if not self.reader.golds_are_names:
            return
        train = Counter(label for label, part in zip(self.labels, self.parts, strict=True) if part == "train")
        self.united = unite(Counter(self.labels), train)
        self.labels = [self.united.get(label, label) for label in self.labels]

    def problems(self) -> list[Problem]:
        found = []
        for name, notes in self.notes.items():
            found += [Problem(severity="warning", code="layout", message=f"{name}: {note}") for note in notes]
        for name, faults in self.faults.items():
            found += _fault_problems(name, faults)
        if self.empty:
            message, fix = "empty texts, left out", "nothing to do, or fill them in"
            found.append(Problem(severity="warning", code="empty", message=message, rows=self.empty, fix=fix))
        if self.unlabelled:
            message, fix = "rows without a label, left out", "label them, or list the file under `unlabelled:`"
            if isinstance(self.reader, SetReader):
                fix = "label them; where an empty cell means no label, write `task: {type: several, empty: none}`"
            found.append(Problem(severity="warning", code="no_label", message=message, rows=self.unlabelled, fix=fix))
        if isinstance(self.reader, SetReader) and self.labels:
            found.append(_set_problem(self.reader, self.labels))
        if isinstance(self.reader, PartsReader):
            found += _parts_problems(self.reader, self.labels)
        return [*found, *self._label_problems()]

    def _names(self, gold: str) -> tuple[str, ...]:
        """The labels of a gold: itself, those of a set, or none where it is no name."""
        if isinstance(self.reader, SetReader):
            return self.reader.parts(gold)
        return (gold,) if self.reader.golds_are_names else ()

    def _label_problems(self) -> list[Problem]:
        """Labels that were merged, that may be the same, and merges of the recipe that match no row."""
        found = []
        if self.united:
            listed = ", ".join(f"`{label}` as `{kept}`" for label, kept in list(self.united.items())[:12])
            message, fix = f"labels of the same value, read as one: {listed}", "nothing to do, or write one of them"
            found.append(Problem(severity="warning", code="same_labels", message=message, fix=fix))
        counts = Counter(label for gold in self.labels for label in self._names(gold))
        if like := alike(counts):
            pairs = [f"`{label}` ({counts[label]:,}) and `{kept}` ({counts[kept]:,})" for label, kept in like.items()]
            more = f", and {len(pairs) - 12} more" if len(pairs) > 12 else ""
            message = f"labels that people hardly tell apart: {', '.join(pairs[:12])}{more}"
            rows: Rows = {}
            for label, name, row in zip(self.labels, self.names, self.rows, strict=True):
                if not like.keys().isdisjoint(self._names(label)):
                    rows.setdefault(name, []).append(row)
            reads = {written: like.get(label, label) for written, label in self.reads.items()} | like
            fix = f"where they are the same label, write under `data:` in the recipe: {as_yaml(reads)}"
            found.append(Problem(severity="warning", code="alike_labels", message=message, rows=rows, fix=fix))
        if idle := [label for label in self.reads if label not in self.merged]:
            listed = ", ".join(f"`{label[:60]}`" for label in idle[:12])
            message = f"`labels:` names labels that no row has: {listed}"
            fix = "write it as the rows do, or take it out"
            found.append(Problem(severity="warning", code="idle_labels", message=message, fix=fix))
        return found


def _set_problem(reader: SetReader, golds: Sequence[str]) -> Problem:
    """The rows of each label, where a text has several and counts in the table under one."""
    listed, few = _rows_of_each(reader.parts(gold) for gold in golds)
    message = (
        f"a text counts in this table under the rarest of its labels; the rows of each label are: {listed}; "
        f"{few} labels have fewer than {SMALL_LABEL} rows"
    )
    return Problem(severity="warning", code="sets", message=message, fix=_FEW_ROWS)


def _parts_problems(reader: PartsReader, golds: Sequence[str]) -> list[Problem]:
    """The rows of each type or relation, where a text has several and counts in the table under one."""
    named = [reader.names_in(gold) for gold in golds]
    if all(len(each) < 2 for each in named):
        return []
    listed, few = _rows_of_each(named)
    message = (
        f"a text counts in this table under what is rarest in it; the rows with each are: {listed}; "
        f"{few} of them are in fewer than {SMALL_LABEL} rows"
    )
    return [Problem(severity="warning", code="sets", message=message, fix=_FEW_ROWS)]


def _rows_of_each(named: Iterable[Sequence[str]]) -> tuple[str, int]:
    """The names with their rows, the most frequent first, and how many names have few rows."""
    counts = Counter(name for each in named for name in each)
    listed = ", ".join(f"`{name}` {rows:,}" for name, rows in counts.most_common(12))
    more = f", and {len(counts) - 12} more" if len(counts) > 12 else ""
    return listed + more, sum(rows < SMALL_LABEL for rows in counts.values())
