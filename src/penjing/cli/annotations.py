"""`penjing export annotations`: texts with the answers of a release, for Label Studio or doccano."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penjing.cli.texts import Encoding, Header, Lines, Sheet, TextColumn

if TYPE_CHECKING:
    from penjing.cli.texts import Row
    from penjing.core.nouns import Scalar
    from penjing.data.annotated.document import AnnotatedText
    from penjing.data.cells import Fault
    from penjing.data.masked import Masked
    from penjing.decide.schema import FactSchema
    from penjing.runtime.session import Session

_BATCH = 64


def register_in(group: typer.Typer) -> None:
    """Add the command `export annotations` to the group `export`."""
    group.command("annotations")(export_annotations)


def export_annotations(
    release: Annotated[Path, typer.Argument(help="the folder of a release")],
    file: Annotated[str, typer.Argument(help="csv, tsv, jsonl, xlsx or plain lines; - is standard input")],
    out: Annotated[Path, typer.Argument(help="the file to write; - for standard output")],
    form: Annotated[str, typer.Option("--format", help="label_studio or doccano")] = "label_studio",
    text: TextColumn = None,
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
    lines: Lines = False,
) -> None:
    """Write texts with the answers of a release, so that a person corrects them instead of beginning.

    The texts are written as they are in the file, not masked. The corrected export is read as labelled rows.

    A row that cannot be predicted is left out and named; the command then exits 3.
    """
    from penjing.cli.show import tell
    from penjing.cli.texts import batches, notify_missing, read_texts
    from penjing.cli.written import output_file, tell_exported
    from penjing.core.artifact import open_release
    from penjing.core.errors import UsageError
    from penjing.data.annotated.write import PROGRAMS, lines_of
    from penjing.data.read import Reading
    from penjing.data.table import refusal
    from penjing.decide.policy import load_policy
    from penjing.runtime.open import open_session

    if form not in PROGRAMS:
        raise UsageError(f"there is no export as `{form[:20]}`", where=str(out), fix="give label_studio or doccano")
    opened = open_release(release)
    session = open_session(opened.artifact, long_texts=opened.info.long_texts)
    if session.reads_pairs:
        what = "a case of this release is several texts, and these programs show one"
        raise UsageError(what, where=str(release), fix="correct verdicts with `penjing review` instead")
    schema = load_policy(opened).schema if opened.artifact.card.features else None
    faults: list[Fault] = []
    reading = Reading(encoding, sheet, header, lines=lines)
    rows = read_texts(file, text, info=opened.info, reading=reading, faults=faults, notify=tell)
    if schema is not None:
        rows = notify_missing(rows, schema, tell)
    found = [each for batch in batches(rows, _BATCH) for each in _annotated(session, schema, batch, faults)]
    with output_file(out) as target:
        target.write_text("".join(lines_of(form, found, opened.id)), encoding="utf-8")
    tell_exported(out, len(found), {"format": form})
    if faults:
        raise refusal(Path(file), sorted(faults, key=lambda fault: fault.row))


def _annotated(
    session: Session, schema: FactSchema | None, batch: list[Row], faults: list[Fault]
) -> list[tuple[AnnotatedText, float]]:
    """The rows with their answers; those without one go to `faults`."""
    from penjing.core.errors import RequestError
    from penjing.data.cells import Fault
    from penjing.data.pair_text import empty_text
    from penjing.runtime.annotate import annotated

    ready: list[tuple[int, str, Masked]] = []
    fields: list[dict[str, Scalar]] = []
    for row, raw, cells in batch:
        try:
            masked = session.prepare(raw)
            if not masked.text:
                raise empty_text(raw, session.task)
            fields.append(schema.from_strings(cells) if schema else {})
            ready.append((row, raw, masked))
        except RequestError as error:
            faults.append(Fault(row, error.what, error.fix or ""))
    predictions = session.predict([masked.text for _, _, masked in ready], fields)
    return [annotated(*one, each.answer) for one, each in zip(ready, predictions, strict=True)]
