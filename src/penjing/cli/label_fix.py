"""`penjing label fix`: labels that are perhaps wrong, out to a person and back as a corrected copy of the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penjing.cli.texts import Encoding, Header, Sheet

if TYPE_CHECKING:
    from penjing.core.recipe import RecipeFile
    from penjing.data.read import Reading
    from penjing.make.corrected import Corrected


def register_in(group: typer.Typer) -> None:
    """Add the command `label fix` to the group `label`."""
    group.command("fix")(fix)


def fix(
    recipe: Annotated[Path, typer.Argument(help="the recipe (YAML)")],
    out: Annotated[
        Path,
        typer.Option(help="the CSV or workbook (.xlsx) of questions to write; with --answers the folder of the copies"),
    ],
    answers: Annotated[Path | None, typer.Option(help="the filled file of questions")] = None,
    new_labels: Annotated[
        bool, typer.Option("--new-labels", help="take answers that are labels which no row has")
    ] = False,
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
) -> None:
    """Write the rows that are perhaps labelled wrongly for a person, and take the answers back as a corrected copy.

    Fill in `answer` with the right label, or with `remove` to take the row out; what stays empty is not changed. The
    data itself is never changed: the copies and a log of every change are written into a new folder.

    All answers are taken or, where one is wrong, none; the command then exits 3 and names the rows.
    """
    from penjing.cli.follow import follow_file, follow_recipe
    from penjing.core.recipe import load_recipe
    from penjing.data.read import Reading
    from penjing.make.plan import step_faults

    follow_file(recipe)
    file = load_recipe(recipe, step_faults)
    follow_recipe(file)
    if answers is None:
        _ask(file, out)
    else:
        _correct(file, answers, Reading(encoding, sheet, header), out, new_labels=new_labels)


def _ask(file: RecipeFile, out: Path) -> None:
    """Write the questions, and say how to answer them."""
    from penjing.cli.language import language
    from penjing.cli.show import Bar, tell
    from penjing.cli.written import named, output_file, tell_exported
    from penjing.core.errors import DataError
    from penjing.data.prepare import prepare
    from penjing.make.doubted import find_doubts
    from penjing.make.label_fix import CHINESE_COLUMNS, COLUMNS, write_questions
    from penjing.store.case_file import is_workbook
    from penjing.tasks import reader_of

    with Bar() as bar:
        data = prepare(file, reader_of(file), bar)
        found = find_doubts(file, data, bar, whole=True)
    if found.skipped:
        what = f"labels that are perhaps wrong are not looked for: {found.skipped}"
        raise DataError(what, where=file.where("data"), fix="look at the labels without this list")
    labels = tuple(data.audit.label_rows or data.audit.labels)
    chinese = language() == "zh"
    with output_file(out) as target:
        write_questions(found, labels, target, workbook=is_workbook(out), chinese=chinese)
    tell_exported(out, len(found.doubts), {"found": found.count, "rows": found.looked})
    column = (CHINESE_COLUMNS if chinese else COLUMNS)[COLUMNS.index("answer")]
    if found.doubts:
        tell(f"fill in `{column}` with the right label, or with `remove` to take the row out")
        tell(f"then: penjing label fix {file.path} --answers {named(out)} --out DIR")


def _correct(file: RecipeFile, answers: Path, reading: Reading, out: Path, *, new_labels: bool) -> None:
    """Write the corrected copies, and say what the recipe must name."""
    from penjing.cli.show import out_json, tell
    from penjing.make.corrected import write_corrected
    from penjing.make.label_fix import read_answers

    taken = read_answers(file, answers, reading, new_labels=new_labels)
    removed = sum(each.new is None for each in taken.corrections)
    counts = {"changed": len(taken.corrections) - removed, "removed": removed}
    counts |= {"confirmed": taken.confirmed, "without_answer": taken.blank}
    if not taken.corrections:
        out_json(counts)
        tell("no answer changes a label: nothing was written")
        return
    done = write_corrected(file, taken.corrections, out)
    out_json(counts | {"files": [str(copy.path) for copy in done.copies.values()], "log": str(done.log)})
    _tell_recipe(file, done)


def _tell_recipe(file: RecipeFile, done: Corrected) -> None:
    """What to write in the recipe, and what to take out of it."""
    from penjing.cli.show import tell

    tell(f"in {file.path}, write under `data:`, in place of what is there")
    for line in done.recipe_lines:
        tell(f"  {line}")
    for copy in done.copies.values():
        if not copy.kept_form:
            tell(f"{copy.path} is CSV in UTF-8, with the header in its first row")
    if done.take_out:
        tell(
            "take out of `data:`, for the copy does not need them: " + ", ".join(f"`{each}`" for each in done.take_out)
        )
