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

from penjing.cli.case_columns import CaseColumns, Keep, Ref
from penjing.cli.texts import Encoding, Header, Lines, Sheet, TextColumn

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

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
    evidence_of: Annotated[
        str | None, typer.Option(help="the same for one label of a set, or one of several tasks: `fees`, `topic`")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="also return the reasons in words, in your language")] = False,
    counterfactual: Annotated[
        bool, typer.Option("--counterfactual", help="also search for a small deletion that changes the decision")
    ] = False,
    text: TextColumn = None,
    ref: Ref = None,
    keep: Keep = None,
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

    Columns that the release declares as fields are given to the rules. Those of `--ref` and `--keep` are stored beside
    the decision and repeated in its line; neither the model nor the rules see them. A line is printed after its
    decision is on the disk. A row that cannot be decided gets a line with its error; the command then exits 3.

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
    _draw_by_key(decider, store)
    reading, columns = Reading(encoding, sheet, header, lines=lines), CaseColumns(ref, tuple(dict.fromkeys(keep or ())))
    columns.refuse_text(text or decider.release.info.columns.get("text", "text"))
    about = evidence_of or ""
    options = {"text": text, "evidence": evidence} | _asked(about) | _changed(reading) | _changed(columns)
    run = _open(store, decider, file, options, again)
    work = _Work(decider, store, bool(evidence or about), _Explained(why, counterfactual, about), columns, run)
    faults, routes = list[Fault](), Counter[str]()
    try:
        with Bar() as bar:
            bar.start("deciding", None)
            info, refuse = decider.release.info, columns.refuse_text
            rows = read_texts(file, text, info=info, reading=reading, faults=faults, notify=tell, on_column=refuse)
            rows = columns.checked(notify_missing(rows, decider.policy.schema, tell))
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


def _changed(options: DataclassInstance) -> dict[str, Any]:
    """The options that differ from their defaults."""
    return {name: value for name, value in asdict(options).items() if value != getattr(type(options), name)}


def _draw_by_key(decider: Decider, store: Store) -> None:
    """Let audits be drawn by the key of PENJING_AUDIT_KEY, else by that of the database."""
    from penjing.decide.draw import Drawer
    from penjing.store.audit_key import find_audit_key
    from penjing.store.settings import StoreSettings, from_environment

    if (key := find_audit_key(store, from_environment(StoreSettings).audit_key)) is not None:
        decider.drawer = Drawer(key.secret)


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


@dataclass(frozen=True)
class _Explained:
    """What is shown beside a decision and not recorded; about: the label or task that its evidence is about, or ""."""

    why: bool
    counterfactual: bool
    about: str


@dataclass
class _Work:
    decider: Decider
    store: Store
    evidence: bool
    explained: _Explained
    columns: CaseColumns
    run: DecideRun | None
    recorded: int = 0

    def decided(self, batch: list[Row]) -> Iterator[dict[str, Any]]:
        """The line of each row after it is recorded; rows that the run recorded before are read again."""
        from penjing.cli.interrupts import whole
        from penjing.store.runs import recorded_rows

        with whole():
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
            about = self.explained.about
            asks = [Ask(text, schema.from_strings(cells), self.evidence, about=about) for _, text, cells in batch]
            cases = [self.columns.of(cells) for _, _, cells in batch]
            answers = work(self.decider, asks)
        except RequestError as error:
            if len(batch) > 1:
                return {number: line for row in batch for number, line in self._decide([row]).items()}
            return {batch[0][0]: error_line(batch[0][0], error)}
        records = [answer.record for answer in answers if answer.record is not None]
        prepared = [record.with_case(case) for record, case in zip(records, cases, strict=True)]
        numbered = dict(zip((number for number, _, _ in batch), prepared, strict=True))
        made = {number: one.record for number, one in numbered.items()}
        if self.run is None:
            with self.store.write() as connection:
                write_prepared(connection, prepared)
        else:
            made = record_rows(self.store, self.run, numbered)
        self.recorded += len(made)
        shown = {row[0]: answer.shown for row, answer in zip(batch, answers, strict=True)}
        return {row[0]: self._line(row, made[row[0]], shown[row[0]]) for row in batch}

    def _line(self, row: Row, record: Record, shown: dict[str, Any] | None = None) -> dict[str, Any]:
        """The line of a record: the same whether it was recorded now or before."""
        from penjing.cases.record import without_draw
        from penjing.cases.rule_reasons import policy_parts
        from penjing.core.canon import canonical_json
        from penjing.data.own_places import own_places

        decision = without_draw(record.decided())
        line = (
            {"row": row[0]}
            | self.columns.of(row[2]).to_json()
            | {name: decision[name] for name in _ORDER if name in decision}
            | decision
        )
        line |= policy_parts(self.decider.policy, decision)
        line |= own_places(record.predicted().answer, lambda: self.decider.session.prepare(row[1]))
        if not self.evidence:
            return line | self._explain(row, record, None)
        text = record.text
        if text is None or record.evidence is None:  # the release may keep neither
            if shown is not None:
                text, found = shown["text"], shown["evidence"]
            else:
                text = self.decider.session.prepare(row[1]).text
                found = _evidence(self.decider, text, decision["facts"]["fields"], self.explained.about)
        else:
            found = dict(record.evidence)
        # In the key order of the record.
        line |= {"text": text, "evidence": json.loads(canonical_json(found))}
        return line | self._explain(row, record, found)

    def _explain(self, row: Row, record: Record, evidence: dict[str, Any] | None) -> dict[str, Any]:
        """The reasons in words and the counterfactual, where they were asked for."""
        from penjing.cli.language import language
        from penjing.explain.counterfactual import counterfactual, in_chinese
        from penjing.explain.why import why

        decision, found = record.decided(), dict[str, Any]()
        text = self.decider.session.prepare(row[1]).text if record.text is None else record.text
        if self.explained.why:
            found["why"] = why(decision, self.decider.policy, evidence, language(), text)
        if self.explained.counterfactual:
            change = counterfactual(self.decider, decision, text).to_json()
            found["counterfactual"] = in_chinese(change) if language() == "zh" and self.explained.why else change
        return found

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


def _asked(about: str) -> dict[str, str]:
    """What the evidence of a run is about, where one part was asked for."""
    return {"evidence_of": about} if about else {}


def _evidence(decider: Decider, masked: str, fields: dict[str, Any], about: str) -> dict[str, Any]:
    # Imported on first use: the Chinese word segmenter takes a second to load.
    from penjing.explain.evidence import explain

    return dict(explain(decider.session.given(fields), masked, about=about).to_json())
