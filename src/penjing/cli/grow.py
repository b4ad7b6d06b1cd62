"""`penjing grow`: a base out of corpora by pre-training, cached and resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command `grow`."""
    app.command("grow")(grow)


def grow(
    recipe: Annotated[Path, typer.Argument(help="the grow recipe (YAML)")],
    out: Annotated[Path | None, typer.Option(help="folder of the results; default: `out` beside the recipe")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the card of the base as JSON")] = False,
) -> None:
    """Pre-train a base on corpora: OUT/base, OUT/report.html, OUT/log.jsonl.

    OUT/base is a folder in Hugging Face form, which the `base:` of a recipe of `penjing make` takes.
    """
    from penjing.cli.follow import follow_file
    from penjing.cli.interrupts import stopping
    from penjing.cli.show import Bar, out_json, tell
    from penjing.cli.show import out as print_line
    from penjing.make.grow import grow_base

    follow_file(recipe)
    folder = out if out is not None else recipe.parent / "out"
    with stopping() as stop, Bar() as bar:
        made = grow_base(recipe, folder, bar, stop)
    card = made.artifact.card
    if as_json:
        out_json({"id": made.artifact.id, **card.model_dump(mode="json")})
        return
    for domain, values in made.perplexity.items():
        before = "–" if values["before"] is None else f"{values['before']:.2f}"
        after = f"{values['after']:.2f}"
        if card.notes.get("family") == "encoder":
            error = f"{100 * (values.get('error') or 0):.0f}"
            print_line(f"pseudo-perplexity of held-out text, {domain}: {before} before, {after} after (± {error} %)")
        else:
            print_line(f"perplexity of held-out text, {domain}: {before} before, {after} after")
    print_line(f"base    {made.artifact.folder}  {made.artifact.id[:12]}")
    print_line(f"report  {folder / 'report.html'}")
    if card.notes.get("family") == "encoder":
        tell(f"next: write `base: {made.artifact.folder}` in a recipe, and `penjing make` it")
