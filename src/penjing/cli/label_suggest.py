"""`penjing label suggest`: which unlabelled texts a person should label next, as a file to fill in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from penjing.cli.texts import Encoding, Header, Lines, Sheet, TextColumn

if TYPE_CHECKING:
    from penjing.cases.suggest import Suggested, Unlabelled
    from penjing.cli.show import Bar
    from penjing.core.nouns import Release
    from penjing.data.cells import Fault
    from penjing.data.read import Reading
    from penjing.decide.schema import FactSchema
    from penjing.runtime.session import Session

Name = TypeVar("Name", bound=str)


def register_in(group: typer.Typer) -> None:
    """Add the command `label suggest` to the group `label`."""
    group.command("suggest")(suggest)


def suggest(
    release: Annotated[Path, typer.Argument(help="the folder of a release, or the OUT of `penjing make`")],
    files: Annotated[list[str], typer.Argument(help="unlabelled texts: csv, tsv, jsonl, xlsx or plain lines")],
    out: Annotated[Path, typer.Option(help="the file to write: .csv, .xlsx, or .json for Label Studio")],
    count: Annotated[int, typer.Option(min=1, max=100_000, help="how many texts")] = 100,
    by: Annotated[str, typer.Option(help="margin, entropy, badge, diversity or rare")] = "margin",
    form: Annotated[str, typer.Option(help="review or labelstudio")] = "review",
    recipe: Annotated[
        Path | None, typer.Option(help="the recipe of the release: texts like its labelled rows are left out")
    ] = None,
    text: TextColumn = None,
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
    lines: Lines = False,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of the engine; 0: all cores")] = 0,
) -> None:
    """Choose the texts that a person should label next, and write them with an empty column for the label.

    Texts are masked. Of texts that are nearly the same one is kept. Fill the column in, and name the file in the recipe
    as `add: [FILE]` under `data:`: its rows train the next model, and never test one.

    A row that cannot be read is left out and named; the command then exits 3.
    """
    from penjing.cases.label_queue import FORMS, write_queue
    from penjing.cases.suggest import LabelRequest
    from penjing.cases.suggest import suggest as choose_texts
    from penjing.cli.follow import follow_release
    from penjing.cli.language import language
    from penjing.cli.show import Bar
    from penjing.cli.written import output_file
    from penjing.core.artifact import open_release
    from penjing.data.read import Reading
    from penjing.data.table import refusal
    from penjing.decide.policy import load_policy
    from penjing.runtime.choose_texts import METHODS
    from penjing.runtime.open import open_served
    from penjing.store.case_file import is_workbook

    method = _one_of(by, METHODS, f"there is no method `{by[:40]}`")
    shape = _one_of(form, FORMS, f"there is no form `{form[:40]}`")
    opened = open_release(_inside(release))
    how = Reading(encoding, sheet, header, lines=lines)
    follow_release(opened, Path(files[0]), how, text or opened.info.columns.get("text"))
    session = open_served(opened, threads=threads)
    schema = load_policy(opened).schema if opened.artifact.card.features else None
    with Bar() as bar:
        known = _labelled(recipe, session, bar) if recipe else _Labelled()
        rows = known.rows or (_counted(opened) if method == "rare" else {})
        source = _Source(opened, session, schema, how, text)
        faults: dict[str, list[Fault]] = {}
        bar.start("reading", None)
        found = [one for file in files for one in source.read(file, faults.setdefault(file, []))]
        chosen = choose_texts(session, found, LabelRequest(method, count, rows, known.texts), bar)
    with output_file(out) as target:
        workbook, chinese = is_workbook(out), language() == "zh"
        write_queue(chosen, opened, session.task, target, shape, workbook=workbook, chinese=chinese)
    _tell(chosen, out, opened, recipe, shape)
    for file, found_there in faults.items():
        if found_there:
            raise refusal(Path(file), sorted(found_there, key=lambda fault: fault.row))


@dataclass(frozen=True)
class _Labelled:
    """The masked texts that have a label, and the rows of each label."""

    texts: Sequence[str] = ()
    rows: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Source:
    """How the files of unlabelled texts are read: as `predict` reads them."""

    release: Release
    session: Session
    schema: FactSchema | None
    reading: Reading
    column: str | None

    def read(self, file: str, faults: list[Fault]) -> Iterator[Unlabelled]:
        """The texts of a file, masked; rows that cannot be read or are empty go to `faults`."""
        from penjing.cases.suggest import Unlabelled
        from penjing.cli.show import tell
        from penjing.cli.texts import notify_missing, read_texts
        from penjing.core.errors import RequestError
        from penjing.data.cells import Fault
        from penjing.data.pair_text import empty_text

        info = self.release.info
        rows = read_texts(file, self.column, info=info, reading=self.reading, faults=faults, notify=tell)
        if self.schema is not None:
            rows = notify_missing(rows, self.schema, tell)
        name = "-" if file == "-" else Path(file).name
        for row, raw, cells in rows:
            try:
                masked = self.session.prepare(raw)
                if not masked.text:
                    raise empty_text(raw, self.session.task)
                fields = self.schema.from_strings(cells) if self.schema else {}
            except RequestError as error:
                faults.append(Fault(row, error.what, error.fix or ""))
                continue
            yield Unlabelled(name, row, masked.text, fields, self._shown(cells))

    def _shown(self, cells: Mapping[str, str]) -> dict[str, str]:
        """The cells of declared fields, by the names of their columns where the release was made."""
        from penjing.cases.label_queue import QueueColumns
        from penjing.data.fields import match_header

        declared = QueueColumns.of(self.release).fields
        found = match_header(declared, tuple(cells)).found if declared else {}
        return {name: cells[given] for name, given in found.items()}


def _one_of(given: str, known: Sequence[Name], unknown: str) -> Name:
    """The name that was given. Raises UsageError, which says `unknown`, for another."""
    from penjing.core.errors import UsageError
    from penjing.core.options import nearest

    found = next((each for each in known if each == given), None)
    if found is None:
        raise UsageError(unknown, fix=nearest(given, list(known)))
    return found


def _inside(folder: Path) -> Path:
    """The folder of the release; of the OUT of `penjing make` the newest in it."""
    from penjing.core.certificate import INFO

    inside = folder / "release"
    return inside if (inside / INFO).is_file() and not (folder / INFO).exists() else folder


def _labelled(recipe: Path, session: Session, bar: Bar) -> _Labelled:
    """The labelled rows of a recipe, masked as the release masks."""
    from penjing.core.recipe import load_recipe
    from penjing.core.task import SetReader
    from penjing.data.intake import take_in
    from penjing.tasks import reader_of

    file = load_recipe(recipe)
    bar.start("reading the labelled rows", None)
    reader = reader_of(file)
    table = take_in(file, reader, session.masking).table
    golds = table.labels or ()
    names = [part for gold in golds for part in reader.parts(gold)] if isinstance(reader, SetReader) else None
    return _Labelled(table.texts, Counter(reader.strata(golds) if names is None else names))


def _counted(opened: Release) -> Mapping[str, int]:
    """The rows of each label by the report beside the release. Raises UsageError where it has none."""
    from penjing.core.errors import UsageError
    from penjing.report.contract import read_report

    path = opened.folder.parent / "report.json"
    if path.is_file():
        report = read_report(path)
        if report.release == opened.id:
            return report.data.labels
    what = "`--by rare` needs the rows of each label, and there is no report of this release beside it"
    raise UsageError(what, where=str(opened.folder), fix="name the recipe: --recipe RECIPE")


def _tell(found: Suggested, out: Path, opened: Release, recipe: Path | None, form: str) -> None:
    """What was chosen, and what to do with it."""
    from penjing.cases.label_queue import QueueColumns
    from penjing.cli.show import tell
    from penjing.cli.written import named, tell_exported

    left = {"texts": found.texts, "labelled_before": found.labelled, "repeated": found.repeated}
    tell_exported(out, len(found.chosen), left | {"out_of_scope": found.out_of_scope})
    if not found.chosen:
        tell("no text is left to label: all are like a labelled one")
        return
    if recipe is None:
        tell("texts that are labelled already cannot be left out: name the recipe with --recipe RECIPE")
    if found.out_of_scope:
        tell(f"{found.out_of_scope:,} of them are out of scope: they may fit no label")
    if form == "labelstudio":
        tell("correct it in Label Studio, and add the export (JSON) to the recipe, under `data:`: add: [EXPORT]")
        return
    columns = ", ".join(f"`{name}`" for name in QueueColumns.of(opened).labels)
    tell(f"fill in {columns}, then add to the recipe, under `data:`: add: [{named(out)}]")
