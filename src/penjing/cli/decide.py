"""`penjing decide`: texts to recorded decisions, by the same path as the service; an interrupted file can continue."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penjing.cli.texts import Encoding, Header, Lines, Sheet

if TYPE_CHECKING:
    from penjing.cli.texts import Row
    from penjing.decide.decider import Decider
    from penjing.store.database import Store
    from penjing.store.records import Record
    from penjing.store.runs import DecideRun

BATCH = 64


def register(app: typer.Typer) -> None:
    """Add the command `decide`."""
    app.command("decide")(decide)


def decide(
    release: Annotated[Path, typer.Argument(help="the folder of a release")],
    file: Annotated[str, typer.Argument(help="csv, tsv, jsonl, xlsx or plain lines; - is standard input")] = "-",
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
    evidence: Annotated[bool, typer.Option("--evidence", help="also return the words that decided; slower")] = False,
    text: Annotated[
        str | None, typer.Option(help="the column of the texts; default: that of the release, else text")
    ] = None,
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
    lines: Lines = False,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of the engine; 0: all cores")] = 0,
    again: Annotated[
        bool, typer.Option("--again", help="decide and record all rows anew, also those of an interrupted run")
    ] = False,
) -> None:
    """Decide each text with the release's policy and record it: one JSON line a row.

    Columns that the release declares as fields are given to the rules. A line is printed after its decision is on
    the disk. A row that cannot be decided gets a line with its error; the command then exits 3.

    After an interrupt the same command goes on: the rows of the file that are recorded are printed again and not
    recorded again. A file that was decided to its end is decided anew. Standard input cannot go on.
    """
    from penjing.cli.interrupts import interrupted
    from penjing.cli.show import Bar, flush, out_json, tell
    from penjing.cli.texts import batches, in_order, notify_missing, read_texts
    from penjing.core.artifact import open_release
    from penjing.core.errors import DataError, RunInterruptedError
    from penjing.data.cells import Fault
    from penjing.data.read import Reading
    from penjing.decide.decider import Decider
    from penjing.store.database import open_store
    from penjing.store.releases import put_in_service
    from penjing.store.settings import database_url

    decider = Decider(open_release(release), threads=threads)
    store = open_store(database_url(db))
    if store.warning:
        tell(store.warning)
    put_in_service(store, decider.release)
    reading = Reading(encoding, sheet, header, lines=lines)
    options = {"text": text, "evidence": evidence} | {
        name: value for name, value in asdict(reading).items() if value != getattr(Reading, name)
    }
    work = _Work(decider, store, evidence, _open(store, decider, file, options, again))
    faults: list[Fault] = []
    routes: Counter[str] = Counter()
    try:
        with Bar() as bar:
            bar.start("deciding", None)
            rows = read_texts(file, text, info=decider.release.info, reading=reading, faults=faults, notify=tell)
            rows = notify_missing(rows, decider.policy.schema, tell)
            for batch in chain(batches(rows, BATCH), [[]]):  # the last one is for faults below the last row
                for line in in_order(work.decided(batch), faults):
                    routes[line.get("route", "error")] += 1
                    out_json(line)
                flush()
                bar.advance(len(batch))
        work.finish()
    except KeyboardInterrupt as error:
        raise interrupted(error, work.next(), work.done()) from None
    except BrokenPipeError:
        raise RunInterruptedError(f"the reader of the output has ended; {work.done()}", fix=work.next()) from None
    finally:
        store.close()
    tell(f"decided: {routes['automatic']:,} automatically, {routes['review']:,} go to a person")
    if failed := routes["error"]:
        raise DataError(
            f"{failed:,} row{'s' * (failed != 1)} could not be decided", where=file, fix="see the lines with `error`"
        )


def _open(store: Store, decider: Decider, file: str, options: dict[str, Any], again: bool) -> DecideRun | None:
    """The run over this file; None for an input that cannot be read twice, such as standard input or a pipe."""
    from penjing.cli.show import tell
    from penjing.core.canon import digest_file
    from penjing.core.paths import local_path
    from penjing.store.runs import open_run, run_key, unfinished_of

    if file == "-" and sys.stdin.isatty():
        tell("reading texts from the terminal, one a line; Ctrl-D ends them")
    if file == "-" or not local_path(file).is_file():
        return None
    path = local_path(file).absolute()
    key = run_key(decider.release.id, digest_file(path), options)
    if not again and (other := unfinished_of(store, str(path), key)):
        tell(
            f"a run over {file} was interrupted on {other.started} after {other.recorded:,} rows; since then the file, "
            "the release or an option has changed, so that all rows are decided anew"
        )
    run = open_run(store, key, str(path), anew=again)
    if run.recorded:
        tell(
            f"going on with the run of {run.started}: {run.recorded:,} rows are recorded; they are printed again and "
            "not recorded again (--again decides all anew)"
        )
    return run


@dataclass
class _Work:
    decider: Decider
    store: Store
    evidence: bool
    run: DecideRun | None
    recorded: int = 0

    def decided(self, batch: list[Row]) -> Iterator[dict[str, Any]]:
        """The line of each row after it is recorded; rows that the run recorded before are read again."""
        from penjing.store.runs import recorded_rows

        known = recorded_rows(self.store, self.run, [number for number, _, _ in batch]) if self.run else {}
        fresh = self._decide([row for row in batch if row[0] not in known])
        for row in batch:
            number = row[0]
            yield self._line(row, known[number]) if number in known else fresh[number]

    def _decide(self, batch: list[Row]) -> dict[int, dict[str, Any]]:
        from penjing.cases.record import Ask, work
        from penjing.cli.texts import error_line
        from penjing.core.errors import RequestError
        from penjing.store.records import write_prepared
        from penjing.store.runs import record_rows

        if not batch:
            return {}
        schema = self.decider.policy.schema
        try:
            asks = [Ask(text, schema.from_strings(cells), self.evidence) for _, text, cells in batch]
            answers = work(self.decider, asks)
        except RequestError as error:
            if len(batch) > 1:
                return {number: line for row in batch for number, line in self._decide([row]).items()}
            return {batch[0][0]: error_line(batch[0][0], error)}
        prepared = [answer.record for answer in answers if answer.record is not None]
        made = dict(zip((number for number, _, _ in batch), (one.record for one in prepared), strict=True))
        if self.run is None:
            with self.store.write() as connection:
                write_prepared(connection, prepared)
        else:
            made = record_rows(self.store, self.run, made)
        self.recorded += len(made)
        shown = {row[0]: answer.shown for row, answer in zip(batch, answers, strict=True)}
        return {row[0]: self._line(row, made[row[0]], shown[row[0]]) for row in batch}

    def _line(self, row: Row, record: Record, shown: dict[str, Any] | None = None) -> dict[str, Any]:
        """The line of a record: the same whether it was recorded now or before."""
        from penjing.cases.rule_reasons import rule_why
        from penjing.core.canon import canonical_json

        decision = record.decided()
        line = {"row": row[0]} | {name: decision[name] for name in _ORDER if name in decision} | decision
        line["p"] = decision["facts"]["p"]
        line |= rule_why(self.decider.policy, decision["fired"])
        if not self.evidence:
            return line
        text = record.text
        if text is None or record.evidence is None:  # the release may keep neither
            if shown is not None:
                text, found = shown["text"], shown["evidence"]
            else:
                text = self.decider.session.prepare(row[1]).text
                found = _evidence(self.decider, text, decision["facts"]["fields"])
        else:
            found = dict(record.evidence)
        # In the key order of the record.
        return line | {"text": text, "evidence": json.loads(canonical_json(found))}

    def finish(self) -> None:
        """Record that every row is answered and printed."""
        from penjing.store.runs import finish_run

        if self.run is not None:
            finish_run(self.store, self.run)

    def done(self) -> str:
        """How much of an interrupted run is recorded."""
        from penjing.store.runs import count_rows

        count = self.recorded if self.run is None else count_rows(self.store, self.run)
        return f"{count:,} rows are recorded"

    def next(self) -> str:
        """How to continue after an interrupt."""
        if self.run is None:
            return "this input cannot be read a second time: give the rows that have no line yet"
        return "the same command prints the rows that are recorded, records none of them twice, and goes on after them"


_ORDER = ("id", "release", "outcome", "route", "decided_by", "forced", "reason", "facts", "fired", "queue")


def _evidence(decider: Decider, masked: str, fields: dict[str, Any]) -> dict[str, Any]:
    # Imported on first use: the Chinese word segmenter takes a second to load.
    from penjing.explain.evidence import explain

    return dict(explain(decider.session.given(fields), masked).to_json())
