"""`penjing predict`: texts to calibrated probabilities, without a policy and without a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from penjing.cli.texts import Row
    from penjing.runtime.session import Session


def register(app: typer.Typer) -> None:
    """Add the command `predict`."""
    app.command("predict")(predict)


def predict(
    release: Annotated[Path, typer.Argument(help="the folder of a release")],
    file: Annotated[str, typer.Argument(help="csv, tsv, jsonl or plain lines; - is standard input")] = "-",
    text: Annotated[str | None, typer.Option(help="the column of the texts; default: text")] = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of the engine; 0: all cores")] = 0,
) -> None:
    """Predict each text: one JSON line a row, with label, p and all probabilities.

    A row that cannot be predicted gets a line with its error; the command then exits 3.
    """
    from penjing.cli.show import Bar, out_json
    from penjing.cli.texts import batches, read_texts
    from penjing.core.artifact import open_release
    from penjing.core.errors import DataError
    from penjing.runtime.session import open_session

    opened = open_release(release)
    session = open_session(opened.artifact, threads=threads, long_texts=opened.info.long_texts)
    failed = 0
    with Bar() as bar:
        bar.start("predicting", None)
        for batch in batches(read_texts(file, text), 64):
            for line in _lines(session, batch):
                failed += "error" in line
                out_json(line)
            bar.advance(len(batch))
    if failed:
        raise DataError(f"{failed} rows could not be predicted", where=file, fix="see the lines with `error`")


def _lines(session: Session, batch: list[Row]) -> list[dict[str, Any]]:
    from penjing.core.errors import RequestError

    lines: list[dict[str, Any]] = []
    ready: list[str] = []
    for number, text, _ in batch:
        try:
            ready.append(session.prepare(text).text)
            lines.append({"row": number})
        except RequestError as error:
            lines.append({"row": number, "error": {"code": error.code, "message": error.what, "fix": error.fix}})
    predicted = iter(session.predict(ready) if ready else [])
    return [line if "error" in line else line | next(predicted).to_json() for line in lines]
