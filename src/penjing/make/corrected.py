"""Corrected copies of the files of a recipe, a log of what was changed, and what the recipe must say to use them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from penjing.core.errors import UsageError
from penjing.core.folder import replaced_file
from penjing.core.recipe import Data, RecipeFile
from penjing.core.task import Reader, SetReader
from penjing.data.formula_cells import defuse
from penjing.data.rewrite import Rewritten, rewrite
from penjing.data.source import suffix_of
from penjing.make.label_fix import Correction
from penjing.tasks import reader_of

LOG = "changes.csv"
LOG_COLUMNS = ("file", "row", "old", "new", "reviewer", "note", "same_text_as_row", "time")
REMOVED = "(removed)"
_JSON = (".json", ".jsonl", ".ndjson")
# What the recipe says of a file that the copy, CSV in UTF-8 with a header in its first row, does not need.
_OF_OTHER_FORMS = ("encoding", "sheet", "header", "columns")


@dataclass(frozen=True)
class Corrected:
    """The copies by the names of their sources in the recipe, the log, and the lines for the recipe, under `data:`."""

    copies: Mapping[str, Rewritten]
    log: Path
    recipe_lines: tuple[str, ...]
    take_out: tuple[str, ...]


def write_corrected(file: RecipeFile, corrections: Sequence[Correction], folder: Path) -> Corrected:
    """Write into a folder a copy of each file that has corrections, and `changes.csv`; the sources stay as they are.

    Raises UsageError for a folder that holds anything, and as `rewrite`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "this folder is not empty, and nothing is overwritten"
        raise UsageError(what, where=str(folder), fix="name a new folder: --out DIR")
    folder.mkdir(parents=True, exist_ok=True)
    reader, copies = reader_of(file), dict[str, Rewritten]()
    for name in dict.fromkeys(each.file for each in corrections):
        source = file.resolve(name)
        lists = suffix_of(source) in _JSON
        changes = {each.row: _as_cell(each.new, reader, lists=lists) for each in corrections if each.file == name}
        copies[name] = rewrite(source, _read_by(file, name), changes, folder)
    log = folder / LOG
    _write_log(log, corrections)
    forms = [name for name in _OF_OTHER_FORMS if name in file.recipe.data.model_fields_set]
    changed_form = any(not copy.kept_form for copy in copies.values())
    return Corrected(copies, log, _recipe_lines(file, copies), tuple(forms) if changed_form else ())


def _read_by(file: RecipeFile, name: str) -> Data:
    """How a file is read; layout and encoding of those under `add:` are detected."""
    data = file.recipe.data
    if name not in data.add:
        return data
    return data.model_copy(update={"encoding": "auto", "sheet": None, "header": None, "columns": None})


def _as_cell(label: str | None, reader: Reader, *, lists: bool) -> str | None:
    """A label as a cell of the data; of a set where the file may hold lists, the JSON of a list."""
    if label is None or not lists or not isinstance(reader, SetReader):
        return label
    return json.dumps(list(reader.parts(label)), ensure_ascii=False)


def _write_log(path: Path, corrections: Sequence[Correction]) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with replaced_file(path) as target, target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(LOG_COLUMNS)
        for each in corrections:
            new = REMOVED if each.new is None else each.new
            cells = [each.file, each.row, each.old, new, each.reviewer, each.note, each.same_as or "", now]
            writer.writerow([defuse(str(cell)) for cell in cells])


def _recipe_lines(file: RecipeFile, copies: Mapping[str, Rewritten]) -> tuple[str, ...]:
    """The entries `files:` and `add:` of the recipe that have copies, by paths from the recipe's folder."""

    def named(name: str) -> str:
        if name not in copies:
            return _scalar(name)
        path = os.path.relpath(copies[name].path.resolve(), file.path.parent.resolve())
        return _scalar(Path(path).as_posix())

    files, added, lines = file.recipe.data.files, file.recipe.data.add, list[str]()
    if isinstance(files, str):
        lines = [f"files: {named(files)}"] if files in copies else []
    elif copies.keys() & {*files.values()}:
        lines = ["files:", *(f"  {part}: {named(name)}" for part, name in files.items())]
    if copies.keys() & {*added}:
        lines.append(f"add: [{', '.join(map(named, added))}]")
    return tuple(lines)


def _scalar(path: str) -> str:
    """A path in YAML: in quotes, which is always right."""
    return json.dumps(path, ensure_ascii=False)
