"""`penjing predict`: texts to calibrated answers, without a policy and without a record."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penjing.cli.texts import Encoding, Header, Lines, Sheet, TextColumn

if TYPE_CHECKING:
    from penjing.cli.texts import Row
    from penjing.core.nouns import Scalar
    from penjing.data.masked import Masked
    from penjing.decide.schema import FactSchema
    from penjing.runtime.session import Session


def register(app: typer.Typer) -> None:
    """Add the command `predict`."""
    app.command("predict")(predict)


def predict(
    release: Annotated[Path, typer.Argument(help="the folder of a release")],
    file: Annotated[str, typer.Argument(help="csv, tsv, jsonl, xlsx or plain lines; - is standard input")] = "-",
    text: TextColumn = None,
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
    lines: Lines = False,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of the engine; 0: all cores")] = 0,
) -> None:
    """Predict each text: one JSON line a row: label, p and all probabilities, or the answer of another task.

    Columns that the release declares as fields are given to a model that reads them.

    A row that cannot be predicted gets a line with its error; the command then exits 3.
    """
    from penjing.cli.show import Bar, out_json, tell
    from penjing.cli.texts import batches, in_order, notify_missing, read_texts
    from penjing.core.artifact import open_release
    from penjing.core.errors import DataError
    from penjing.data.cells import Fault
    from penjing.data.read import Reading
    from penjing.decide.policy import load_policy
    from penjing.runtime.open import open_served

    opened = open_release(release)
    session = open_served(opened, threads=threads)
    schema = load_policy(opened).schema if opened.artifact.card.features else None
    reading = Reading(encoding, sheet, header, lines=lines)
    faults: list[Fault] = []
    failed = 0
    with Bar() as bar:
        bar.start("predicting", None)
        rows = read_texts(file, text, info=opened.info, reading=reading, faults=faults, notify=tell)
        if schema is not None:
            rows = notify_missing(rows, schema, tell)
        for batch in chain(batches(rows, 64), [[]]):  # the last one is for faults below the last row
            for line in in_order(_lines(session, schema, batch), faults):
                failed += "error" in line
                out_json(line)
            bar.advance(len(batch))
    if failed:
        raise DataError(
            f"{failed:,} row{'s' * (failed != 1)} could not be predicted", where=file, fix="see the lines with `error`"
        )


def _lines(session: Session, schema: FactSchema | None, batch: list[Row]) -> list[dict[str, Any]]:
    """The line of each row; schema: of the declared fields, where the model reads any."""
    from penjing.cli.texts import error_line
    from penjing.core.errors import RequestError
    from penjing.data.own_places import own_places
    from penjing.data.pair_text import empty_text

    lines: list[dict[str, Any]] = []
    ready: list[Masked] = []
    fields: list[dict[str, Scalar]] = []
    for number, text, cells in batch:
        try:
            masked = session.prepare(text)
            if session.reads_text and not masked.text:  # the same error as in `decide` and the service
                raise empty_text(text, session.task)
            fields.append(schema.from_strings(cells) if schema else {})
            ready.append(masked)
            lines.append({"row": number})
        except RequestError as error:
            lines.append(error_line(number, error))
    predicted = session.predict([masked.text for masked in ready], fields)
    said = (one.to_json() | own_places(one.answer, masked) for one, masked in zip(predicted, ready, strict=True))
    return [line if "error" in line else line | next(said) for line in lines]
