"""`penjing make`: all steps of a recipe, cached and resumable, to a sealed release and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the command `make`."""
    app.command("make")(make)


def make(
    recipe: Annotated[Path, typer.Argument(help="the recipe (YAML)")],
    out: Annotated[Path | None, typer.Option(help="folder of the results; default: `out` beside the recipe")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
    texts: Annotated[bool, typer.Option("--texts/--no-texts", help="whether the report shows texts of rows")] = True,
    lang: Annotated[
        Literal["en", "zh"] | None, typer.Option(help="language of the report; default: Chinese where the texts are")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="measure and seal again, even if nothing has changed")] = False,
) -> None:
    """Make a sealed release from a recipe: OUT/release/, OUT/report.html, OUT/report.json.

    Exits 4 where a gate is broken, or unproven and refused; the report is written all the same.
    """
    from penjing.cli.follow import follow_file, follow_recipe
    from penjing.cli.interrupts import stopping
    from penjing.cli.language import asked, language
    from penjing.cli.show import Bar, out_json, tell
    from penjing.cli.show import out as print_line
    from penjing.core.errors import GateError
    from penjing.core.recipe import load_recipe
    from penjing.make.plan import step_faults
    from penjing.make.run import make_release
    from penjing.prove.gates import in_words
    from penjing.report.verdict import note_in, verdict
    from penjing.report.ways_out import terminal_lines

    follow_file(recipe)
    file = load_recipe(recipe, step_faults)
    follow_recipe(file)
    lang = lang or asked()
    folder = out if out is not None else recipe.parent / "out"
    with stopping() as stop, Bar() as bar:
        result = make_release(recipe, folder, bar, texts=texts, language=lang, stop=stop, again=again)
    report = result.report
    if as_json:
        out_json(report.model_dump(mode="json"))
    else:
        if result.unchanged:
            tell("nothing has changed since this was made; `--again` measures anew")
        headline, sentences = verdict(report, language())
        print_line(("" if language() == "zh" else " ").join([headline, *sentences]))
        for gate in report.gates:
            print_line(f"  {in_words(gate, lambda rows: report.data.labelled_rows(rows, 'test'))}")
        for note in report.notes:
            print_line(f"  {note_in(note, language())}")
        for line in terminal_lines(report, language()):
            print_line(f"  {line}")
        for variant in report.variants:
            more = f": {variant.because}" if variant.because else ""
            print_line(
                f"  {variant.name}: {variant.size_mb:.1f} MB, p50 {variant.p50_ms:.2f} ms, {variant.state}{more}"
            )
        print_line(f"report  {folder / 'report.html'}")
        if result.release is not None:
            print_line(f"release {result.release.folder}  {result.release.id[:12]}")
            tell(f"next: penjing serve {result.release.folder}")
    if result.release is None:
        raise GateError(
            "nothing was sealed: " + "; ".join(result.refused),
            where=str(recipe),
            fix=result.advice,
        )
