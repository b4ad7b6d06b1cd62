"""`penjing decide`: texts to recorded decisions, by the same path as the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from penjing.cli.texts import Row
    from penjing.decide.decider import Decider
    from penjing.store.database import Store


def register(app: typer.Typer) -> None:
    """Add the command `decide`."""
    app.command("decide")(decide)


def decide(
    release: Annotated[Path, typer.Argument(help="the folder of a release")],
    file: Annotated[str, typer.Argument(help="csv, tsv, jsonl or plain lines; - is standard input")] = "-",
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
    evidence: Annotated[bool, typer.Option("--evidence", help="also say which words decided; slower")] = False,
    text: Annotated[str | None, typer.Option(help="the column of the texts; default: text")] = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of the engine; 0: all cores")] = 0,
) -> None:
    """Decide each text with the release's policy and record it: one JSON line a row.

    Columns that the release declares as fields are given to the rules. A line is printed once its decision is on
    the disk. A row that cannot be decided gets a line with its error; the command then exits 3.
    """
    from penjing.cli.show import Bar, out_json, tell
    from penjing.cli.texts import batches, read_texts
    from penjing.core.artifact import open_release
    from penjing.core.errors import DataError
    from penjing.decide.decider import Decider
    from penjing.serve.settings import database_url
    from penjing.store.database import open_store
    from penjing.store.releases import put_in_service

    decider = Decider(open_release(release), threads=threads)
    store = open_store(database_url(db))
    if store.warning:
        tell(store.warning)
    put_in_service(store, decider.release)
    failed = 0
    with Bar() as bar:
        bar.start("deciding", None)
        for batch in batches(read_texts(file, text), 64):
            for line in _decided(decider, store, batch, evidence):
                failed += "error" in line
                out_json(line)
            bar.advance(len(batch))
    store.close()
    if failed:
        raise DataError(f"{failed} rows could not be decided", where=file, fix="see the lines with `error`")


def _decided(decider: Decider, store: Store, batch: list[Row], evidence: bool) -> Iterator[dict[str, Any]]:
    from penjing.core.errors import RequestError
    from penjing.serve.answers import Ask, decision_json, record_of, work
    from penjing.store.records import write_records

    schema = decider.policy.schema
    try:
        asks = [Ask(text, schema.from_strings(cells), evidence) for _, text, cells in batch]
        answers = work(decider, asks)
    except RequestError as error:
        if len(batch) > 1:
            for row in batch:
                yield from _decided(decider, store, [row], evidence)
            return
        yield {"row": batch[0][0], "error": {"code": error.code, "message": error.what, "fix": error.fix}}
        return
    with store.write() as connection:
        write_records(connection, [record_of(decider.release, decider, answer) for answer in answers])
    for (number, _, _), answer in zip(batch, answers, strict=True):
        yield {"row": number} | decision_json(answer)
