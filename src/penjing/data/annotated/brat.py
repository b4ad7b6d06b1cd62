"""Brat standoff: a folder or a zip archive of pairs, `a.txt` with the text and `a.ann` with its annotations."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from penjing.core.errors import DataError, UsageError, shown
from penjing.core.paths import local_path, no_such_file
from penjing.data.annotated.document import AnnotatedText, LabelledRelation, LabelledSpan, checked
from penjing.data.annotated.lines import Given, split_lines
from penjing.data.cells import Fault
from penjing.data.source import BROKEN_ZIP, MOST_INPUT

_SPAN = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")
_RELATION = re.compile(r"(R\S+)\t(\S+) \w+:(T\S+) \w+:(T\S+)\s*")
_LEFT = "EAMN#*"  # events, attributes (two letters), normalizations, notes, equivalences


def read(given: Given) -> Iterator[AnnotatedText | Fault]:
    """One text for each pair, numbered from 1 by the order of their names; a fault names its file and line.

    Events, attributes and notes are counted in a note, and not read. Raises UsageError (neither a folder nor a zip
    archive) and DataError (damaged, or without texts).
    """
    files = _files(local_path(given.file))
    stems = sorted({name.removesuffix(".txt") for name in files if name.endswith(".txt")})
    if not stems:
        raise DataError("no `.txt` file is in it", where=str(given.file), fix="name the folder of the pairs")
    left: Counter[str] = Counter()
    for row, stem in enumerate(stems, start=1):
        if f"{stem}.ann" not in files:
            yield Fault(row, f"`{stem}.txt` has no `{stem}.ann`", "add it, empty where nothing is annotated")
            continue
        text = given.decoded(files[f"{stem}.txt"], f"{stem}.txt")
        lines = split_lines(given.decoded(files[f"{stem}.ann"], f"{stem}.ann"))
        try:
            yield _document(row, stem, text, lines, left)
        except DataError as error:
            yield Fault(row, f"`{stem}.ann`, {error.where}: {error.what}", error.fix or "")
    for lone in sorted(name for name in files if name.endswith(".ann") and name.removesuffix(".ann") not in stems):
        given.notes.append(f"`{lone}` has no text beside it: not read")
    if left:
        listed = ", ".join(f"`{kind}` {count:,}" for kind, count in sorted(left.items()))
        given.notes.append(f"lines of other kinds in the annotations, not read: {listed}")


def _document(row: int, stem: str, text: str, lines: list[str], left: Counter[str]) -> AnnotatedText:
    """Raises DataError, whose `where` is the line."""
    spans: list[LabelledSpan] = []
    ids: dict[str, int] = {}
    links: list[tuple[int, str, str, str]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if found := _SPAN.fullmatch(line):
            if found[1] in ids:
                fix = "give each span of a text an id of its own"
                raise DataError(f"two spans have the id `{shown(found[1], 40)}`", where=f"line {number}", fix=fix)
            ids[found[1]] = len(spans)
            spans.append(_span(row, text, number, found))
        elif linked := _RELATION.fullmatch(line):
            links.append((number, linked[2], linked[3], linked[4]))
        elif line[0] in _LEFT:
            left[line[0]] += 1
        else:
            fix = "write `T1`, a tab, the label with start and end, a tab, the text there"
            raise DataError(f"`{shown(line, 60)}` is no annotation", where=f"line {number}", fix=fix)
    for number, _, head, tail in links:
        if lost := next((end for end in (head, tail) if end not in ids), None):
            fix = "add the span, or take the relation out"
            raise DataError(f"the relation names `{lost}`, which is not there", where=f"line {number}", fix=fix)
    relations = tuple(LabelledRelation(ids[head], ids[tail], label) for _, label, head, tail in links)
    return AnnotatedText(row, text, tuple(spans), relations, id=stem)


def _span(row: int, text: str, number: int, found: re.Match[str]) -> LabelledSpan:
    if ";" in found[3]:
        what = f"the span `{found[1]}` has several pieces ({found[3]})"
        raise DataError(what, where=f"line {number}", fix="annotate one piece, from the first character to the last")
    start, end = map(int, found[3].split())
    surface = found[4]
    # Brat writes a line end of the text as a blank.
    there = text[start:end]
    if surface is not None and re.sub(r"[\r\n]", " ", there).split() == surface.split():
        surface = there
    span = LabelledSpan(start, end, found[2], surface)
    fault = checked(AnnotatedText(row, text, (span,)))
    if isinstance(fault, Fault):
        raise DataError(fault.what, where=f"line {number}", fix=fault.fix)
    return span


def _files(path: Path) -> dict[str, bytes]:
    """The content of each `.txt` and `.ann` file by its path inside."""
    if path.is_dir():
        inside = sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())
        return {name: (path / name).read_bytes() for name in inside if _is_of_brat(name)}
    if not path.exists():
        raise no_such_file(path)
    if not zipfile.is_zipfile(path):
        fix = "name the folder, or a zip archive, with the `.txt` and `.ann` files"
        raise UsageError("this is one file, and brat writes pairs of files", where=str(path), fix=fix)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [each for each in archive.infolist() if _is_of_brat(each.filename)]
            if sum(each.file_size for each in entries) > MOST_INPUT:
                what = f"a zip archive with more than {MOST_INPUT >> 20} MB"
                raise DataError(what, where=str(path), fix="unpack it and name the folder")
            return {each.filename: archive.read(each) for each in entries}
    except BROKEN_ZIP as error:
        raise DataError(f"a damaged zip archive: {error}", where=str(path), fix="copy it again") from None


def _is_of_brat(name: str) -> bool:
    """Whether a file is a text or its annotations. Hidden ones are not: archives of macOS have `__MACOSX/._a.txt`."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix in (".txt", ".ann") and not hidden
