"""`penjing amend`: new rules on the same model, certified on rows that were never used."""

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
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads; 0: all cores")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print the certificate as JSON")] = False,
) -> None:
    """Seal a release with new rules on the same model; needs no torch.

    A new rule set voids the certificate, so it is made again on labelled rows that neither training nor an earlier
    certificate has seen; rows that were used are left out. With too few rows every case goes to review.
    """
    import time

    from penjing.cli.show import Bar, out_json, tell
    from penjing.cli.show import out as print_line
    from penjing.core.artifact import open_release
    from penjing.data.read import Reading
    from penjing.prove.amend import Columns
    from penjing.prove.amend import amend as run
    from penjing.prove.certify import misses_in_words
    from penjing.prove.periods import lines_in_words

    columns = Columns(text, label, Reading(encoding, sheet, header), time_zone)
    with Bar() as bar:
        done = run(open_release(release), rules, data, out, columns=columns, threads=threads, progress=bar)
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
