"""`penjing amend`: new rules or another catalogue on the same model, certified on rows that were never used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penjing.cli.texts import Encoding, Header, Sheet


def register(app: typer.Typer) -> None:
    """Add the command `amend`."""
    app.command("amend")(amend)


def amend(
    release: Annotated[Path, typer.Argument(help="the release whose model is kept")],
    rules: Annotated[Path, typer.Option(help="the new rules file (CSV)")],
    data: Annotated[Path, typer.Option(help="labelled rows that were never used (csv, tsv, jsonl, xlsx)")],
    out: Annotated[Path, typer.Option(help="folder of the new release")],
    text: Annotated[
        str | None, typer.Option(help="column of the texts; default: the one that the release was made with")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="column of the labels; default: the one that the release was made with")
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            help="whose clock the days of rules are by, such as `Asia/Shanghai`; default: as the release has it"
        ),
    ] = None,
    catalogue: Annotated[
        Path | None,
        typer.Option(help="other entries for a `nearest` release of `tune.linear`; default: those that it has"),
    ] = None,
    entry: Annotated[str, typer.Option(help="column of the texts of these entries")] = "text",
    identity: Annotated[str, typer.Option("--id", help="column of their ids; left out, the texts are the ids")] = "",
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads; 0: all cores")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print the certificate as JSON")] = False,
) -> None:
    """Seal a release with new rules on the same model; needs no torch.

    A new rule set voids the certificate, so it is made again on labelled rows that neither training nor an earlier
    certificate has seen; rows that were used are left out. With too few rows every case goes to review. The same holds
    of another catalogue (`--catalogue`).
    """
    import time

    from penjing.cli.show import Bar, out_json, tell
    from penjing.cli.show import out as print_line
    from penjing.core.artifact import open_release
    from penjing.data.read import Reading
    from penjing.prove.amend import Columns
    from penjing.prove.amend import amend as run
    from penjing.prove.amend_catalogue import CatalogueFile, amend_catalogue
    from penjing.prove.certify import misses_in_words
    from penjing.prove.periods import lines_in_words

    columns = Columns(text, label, Reading(encoding, sheet, header), time_zone)
    changed = None
    with Bar() as bar:
        if catalogue is None:
            done = run(open_release(release), rules, data, out, columns=columns, threads=threads, progress=bar)
        else:
            file = CatalogueFile(catalogue, entry, identity)
            done, changed = amend_catalogue(
                open_release(release), file, rules, data, out, columns=columns, progress=bar
            )
    if changed is not None:
        tell(f"catalogue: {changed.kept:,} entries kept, {changed.added:,} new, {changed.removed:,} taken out")
    if changed is not None and changed.unknown:
        tell(f"{changed.unknown:,} new entries have no word that the model knows: only `penjing make` learns new words")
    for finding in done.findings:
        tell(f"{finding.where}: {finding.what}")
    left = done.rows - done.used - done.repeated
    tell(f"{done.rows:,} rows given, {done.used:,} used before, {done.repeated:,} repeated or empty: {left:,} certify")
    if as_json:
        hashes = {"calibration", "used"}
        certificate = done.certificate.model_dump(mode="json", exclude=hashes)
        out_json({"release": done.release.id, "folder": str(done.release.folder), "certificate": certificate})
        return
    for line in lines_in_words(done.certificate, int(time.time())):
        print_line(line)
    if misses := misses_in_words(done.certificate):
        print_line(misses)
    print_line(f"release {done.release.folder}  {done.release.id[:12]}")
