"""New rules for the same model: certified on rows never used before, sealed as a new release; no torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from penjing.core.artifact import open_release, read_gates, write_gates
from penjing.core.canon import canonical_json, digest
from penjing.core.certificate import CERTIFICATE, INFO, POLICY, Certificate
from penjing.core.errors import DamageError, DataError, GateError, RequestError, UsageError
from penjing.core.folder import MANIFEST, check_place, sealed_folder
from penjing.core.nouns import Progress, Release, Scalar, Silent, Table
from penjing.core.options import explain, nearest
from penjing.core.pair import FURTHER, join_texts, read_further
from penjing.core.recipe import LABEL_OF, TIME
from penjing.core.task import JointTask
from penjing.core.zone import find_zone, nearest_zone
from penjing.data.cells import Fault, as_list, refuse_unreadable
from penjing.data.features import beside_text
from penjing.data.fields import match_header, unclear_names
from penjing.data.read import Opened, Reading, open_table
from penjing.data.table import joined_golds, refusal, with_time
from penjing.decide.examine import examine_rules
from penjing.decide.fired import check_fired
from penjing.decide.logic.findings import Finding
from penjing.decide.policy import Policy, PolicySpec, load_policy
from penjing.decide.rules import join_faults
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable
from penjing.prove.calibration_rows import ledger_of, open_rows
from penjing.prove.certify import Labelled, label_facts, row_hash, row_hashes
from penjing.prove.forced import forced_gates
from penjing.prove.gates import TIMES
from penjing.prove.kinds import prove_again
from penjing.prove.misses import Promised
from penjing.prove.periods import certify_periods, fired_in_periods
from penjing.prove.seal import write_rules
from penjing.prove.selected import (
    ADVICE,
    DrawnCases,
    are_selected,
    by_english_names,
    read_probability,
    was_drawn,
    weighted,
)
from penjing.prove.selected import COLUMN as SHARE
from penjing.runtime.open import open_served
from penjing.runtime.session import Session


@dataclass(frozen=True)
class Amended:
    """The new release, its certificate, what `check` found in its rules, and how the labelled rows were used.

    rows: number of labelled rows given. used: rows left out because training or an earlier certificate used them.
    repeated: rows left out because an earlier row has the same text (and the same features, where the model reads any),
    or because the text is empty.
    """

    release: Release
    certificate: Certificate
    findings: tuple[Finding, ...]
    rows: int
    used: int
    repeated: int


@dataclass(frozen=True)
class Columns:
    """How labelled rows are read: the columns of text and label, the file (None: detect it), and the clock of times.

    time_zone: by whose clock the times and the rules are, as IANA names it; None: as the release has it.
    """

    text: str | None = None
    label: str | None = None
    reading: Reading | None = None
    time_zone: str | None = None


def amend(
    release: Release,
    rules: Path,
    data: Path,
    out: Path,
    *,
    columns: Columns | None = None,
    threads: int = 0,
    progress: Progress | None = None,
) -> Amended:
    """Seal `out`: the model of `release` with other rules, and a certificate on labelled rows never used before.

    columns: the columns of texts and labels; default: those that the release was made with. Labels and fields are read
    as `make` reads them. The order of the thresholds is that of the old certificate, fixed on validation rows. The
    level is DELTA, whatever that of the old one was: its rows are left out. Raises RuleError (the rules), DataError
    (rows that cannot be read, unknown labels, no row left), UsageError (columns, zone, `out` is the release),
    GateError (rules alone exceed a limit on misses).
    """
    progress = progress or Silent()
    if out.resolve() == release.folder.resolve():
        raise UsageError("the new release would replace the old one", where=str(out), fix="give another --out")
    check_place(out, "penjing amend", INFO)
    columns = columns or Columns()
    before = load_policy(release)
    old = read_certificate(release)
    # The old rules are read by their edition, the new ones by the newest.
    spec = _in_zone(before.spec, columns.time_zone).newest_rules()
    schema = replace(spec.schema_of_facts(), read_as=release.info.labels_read_as)
    table, wrong, findings = examine_rules(rules, schema)
    if table is None or wrong:
        raise join_faults(wrong)
    policy = Policy(spec=spec, rules=table, release_id="")
    session = open_served(release, threads=threads)
    rows, cases = _labelled_rows(data, columns, release, schema, progress)
    given, fresh, repeated = _fresh_rows(session, schema, rows, data, {*old.calibration, *old.used})
    promised = Promised(old.max_error, old.max_miss, old.reviewed)
    tested, ledger = [digest([old.grid, old.path])], ledger_of(data, out.absolute().parent)
    usable = open_rows(ledger, fresh, policy, release.artifact, promised, tested, whole=cases.differs)
    progress.start(f"certifying on {len(usable.table):,} rows", None)
    labelled = label_facts(session, policy, usable.table)
    if cases.differs:
        labelled = replace(labelled, drawn=tuple(_drawn(rows, usable.table)), least=cases.least)
    certificate, periods = certify_periods(
        table, labelled, lambda _, rows, level: _certify(policy, old, rows, level), usable.delta
    )
    certificate = certificate.model_copy(update={"openings": usable.earlier})
    spec = spec.model_copy(update={"thresholds": certificate.thresholds, "periods": periods})
    amended = _seal(release, spec, table, certificate, out)
    # The gates are about the model, which has not changed. Gates on times were measured with the old rules.
    if gates := [gate for gate in read_gates(release) if gate["name"] not in TIMES]:
        write_gates(out, amended.id, gates)
    findings += check_fired(table, fired_in_periods(table, labelled.facts), "labelled")
    warnings = tuple(each for each in findings if each.level == "warning")
    return Amended(amended, certificate, warnings, given, given - repeated - len(usable.table), repeated)


def _in_zone(spec: PolicySpec, name: str | None) -> PolicySpec:
    """A policy whose rules are by the clock of a zone; the same one where none is named. Raises UsageError."""
    if name is None:
        return spec
    try:
        return spec.model_copy(update={"time_zone": find_zone(name)})
    except KeyError:
        raise UsageError(f"unknown zone `{name[:60]}`", where="--time-zone", fix=nearest_zone(name)) from None


def _seal(release: Release, spec: PolicySpec, table: RuleTable, certificate: Certificate, out: Path) -> Release:
    """A copy of a release with another policy, other rules and another certificate."""
    with sealed_folder(out) as folder:
        shutil.copytree(release.folder, folder, dirs_exist_ok=True)
        (folder / MANIFEST).unlink()
        (folder / POLICY).write_bytes(canonical_json(spec.model_dump(mode="json")))
        write_rules(folder, table)
        (folder / CERTIFICATE).write_bytes(canonical_json(certificate.model_dump(mode="json")))
    return open_release(out)


def read_certificate(release: Release) -> Certificate:
    """The certificate of a verified release. Raises DamageError."""
    path = release.folder / CERTIFICATE
    try:
        return Certificate.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DamageError("the release has no certificate.json", where=str(release.folder)) from None
    except ValidationError as error:
        _, what, _ = explain(error, Certificate)[0]
        raise DamageError(f"certificate.json is not valid: {what}", where=str(path)) from None


def _certify(policy: Policy, old: Certificate, labelled: Labelled, delta: float) -> Certificate:
    used = (*old.used, *old.calibration)
    joint = isinstance(policy.task, JointTask)
    if joint and labelled.drawn:
        raise UsageError(
            "limits of several tasks are not tested on rows that were drawn with different probabilities",
            fix="give labelled rows that were drawn alike, without the column `drawn`",
        )
    if old.max_miss and labelled.drawn:
        raise UsageError(
            "limits on misses are not tested on rows that were drawn with different probabilities",
            fix="give labelled rows that were drawn alike, without the column `drawn`",
        )
    if old.max_miss and (broken := forced_gates(policy, labelled, old.max_miss, delta)):
        raise GateError(
            "\n    ".join(f"rules alone break `max_miss`: {gate.note}" for gate in broken),
            where=policy.rules.path if isinstance(policy.rules, RuleTable) else None,
            fix="correct the rules that are named, or the labels of these rows; nothing was sealed",
        )
    certificate = prove_again(policy, old, labelled, used, delta)
    if labelled.drawn:
        certificate = weighted(policy, certificate, labelled)
    # An earlier version stored the gates in the certificate.
    return certificate.model_copy(update={"gates": old.gates})


@dataclass(frozen=True)
class _Row:
    """A labelled row with its fields, the text as it is in the file."""

    number: int
    text: str
    label: str
    fields: dict[str, Scalar]
    drawn: float = 1.0


def _labelled_rows(
    data: Path, columns: Columns, release: Release, schema: FactSchema, progress: Progress
) -> tuple[list[_Row], DrawnCases]:
    """The rows of a labelled file, and the cases they stand for. Raises as `_read`, and where nobody could look."""
    progress.start("reading the labelled rows", None)
    made_with = release.info.columns
    further = tuple(made_with[name] for name in FURTHER if name in made_with)
    names = (columns.text or made_with.get("text", "text"), columns.label or made_with.get("label", "label"), *further)
    time = made_with.get(TIME)
    golds = {name.removeprefix(LABEL_OF): column for name, column in made_with.items() if name.startswith(LABEL_OF)}
    opened = open_table(data, columns.reading, [*names, *golds.values(), *schema.fields, *([time] if time else [])])
    cases = DrawnCases()
    rows = list(_read(opened, data, names, schema.strict(), cases, time, golds))
    if 0.0 in cases.shares:
        raise DataError(
            "some automatic decisions had no chance of being looked at, so nothing is known of cases like them",
            where=str(data),
            fix="give decisions of a release whose `audit` is above 0, or rows that were drawn by chance",
        )
    for note in opened.notes:
        progress.say(f"{data}: {note}")
    if cases.unknown:
        progress.say(f"{cases.unknown:,} decisions have no recorded probability of being looked at: they are left out")
    if cases.unjudged:
        progress.say(
            f"{cases.unjudged:,} drawn rows have no verdict: the certificate holds if they are like the others"
        )
    if time and not any(row.fields.get(TIME) for row in rows):
        progress.say(f"no row has a time in the column `{time[:60]}`: each counts in every period")
    if are_selected(opened.names or ()):
        progress.say(f"a release selected these rows, because it was unsure of them; {ADVICE}")
    return rows, cases


def _drawn(rows: Sequence[_Row], fresh: Table) -> list[float]:
    """The probability with which each usable row was drawn."""
    shares = {row.number: row.drawn for row in rows}
    return [shares[number] for number in fresh.rows]


def _read(
    opened: Opened,
    data: Path,
    columns: tuple[str, ...],
    schema: FactSchema,
    cases: DrawnCases,
    time: str | None,
    golds: Mapping[str, str],
) -> Iterator[_Row]:
    """The rows of a labelled file, without those that nobody looked at.

    columns: of texts and labels, and of second texts where the release reads two; cases: all cases that the rows stand
    for are added to it; time: the column of the times, where the file has it; golds: the columns of several tasks.
    Raises UsageError (columns) or DataError that lists every faulty row.
    """
    faults: list[Fault] = []
    for number, row in opened.rows(faults):
        cells = _with_joined(by_english_names(row), golds, columns[1])
        if len(columns) > 2 and columns[2] not in cells and "other" in cells:  # as decisions are exported
            cells = {**cells, **dict(zip(columns[2:], read_further(cells["other"], len(columns) - 2), strict=False))}
        names = _columns(tuple(cells), columns, data)
        if schema.task.golds_are_lists:
            cells = {**cells, names[columns[1]]: as_list(cells[names[columns[1]]])}
        if odd := refuse_unreadable(cells, list(names.values()), number):
            faults.append(odd)
            continue
        written, drawn = cells[names[columns[1]]], 1.0
        if SHARE in names:
            if not cells[names[SHARE]].strip():
                cases.unknown += 1
                continue
            if (share := read_probability(cells[names[SHARE]])) is None:
                what = f"{cells[names[SHARE]].strip()[:40]!r} is no probability"
                faults.append(Fault(number, what, "write a number from 0 to 1 in the column `drawn`"))
                continue
            drawn = share
            cases.shares.add(drawn)
            if not written.strip():
                cases.unjudged += was_drawn(cells)
                continue
        try:
            # What is a piece of the text is read when the text is masked.
            truth = schema.outcome(written) if schema.labels else written.strip()
            fields = schema.from_strings(with_time(cells, row, time))
        except RequestError as error:
            faults.append(Fault(number, error.what, error.fix or ""))
            continue
        if not truth:
            what = f"unknown label {written.strip()[:80]!r}" if written.strip() else "no label"
            faults.append(Fault(number, what, schema.nearest_outcome(written.strip())))
            continue
        texts = [cells[names[name]] for name in (columns[0], *columns[2:])]
        yield _Row(number, texts[0] if len(texts) == 1 else join_texts(*texts), truth, fields, drawn)
    if faults:
        raise refusal(data, faults)


def _with_joined(cells: Mapping[str, str], golds: Mapping[str, str], label: str) -> Mapping[str, str]:
    """The cells of a row, the labels of several tasks as one cell where the file has a column for each."""
    found = match_header(tuple(golds.values()), tuple(cells)).found
    if not golds or len(found) < len(golds):
        return cells
    return {**cells, label: joined_golds(golds, {column: as_list(cells[name]) for column, name in found.items()})}


def _columns(header: tuple[str, ...], columns: tuple[str, ...], data: Path) -> Mapping[str, str]:
    names = match_header(columns, header)
    for name, option in zip(columns, ("--text", "--label", ""), strict=False):
        if name in names.unclear:
            what, fix = unclear_names({name: names.unclear[name]})
            raise UsageError(what, where=str(data), fix=fix)
        if name not in names.found:
            fix = f"{nearest(name, header)}; name the column with {option}"
            fix = fix if option else f"name the column `{name}`, as where the release was made"
            raise UsageError(f"there is no column `{name}`", where=str(data), fix=fix)
    shares = match_header((SHARE,), header)
    return {**names.found, **shares.found}


def _fresh_rows(
    session: Session, schema: FactSchema, given: Sequence[_Row], data: Path, used: set[str]
) -> tuple[int, Table, int]:
    """The number of rows, the usable rows as a table of masked texts, and the number of empty or repeated rows."""
    kept: list[tuple[str, _Row]] = []
    seen: set[str] = set()
    faults: list[Fault] = []
    repeated = 0
    for row in given:
        try:
            prepared = session.prepare(row.text)
        except RequestError as error:
            raise DataError(error.what, where=f"{data}:{row.number}", fix=error.fix) from None
        masked = prepared.text
        beside = beside_text(schema.features, row.fields)
        identity = row_hash(masked, beside=beside)
        known = {session.masking.version: masked}
        # What the model learned of a text, it knows beside other features too.
        alone = row_hashes(row.text, known) if session.reads_text else frozenset[str]()
        if not used.isdisjoint(row_hashes(row.text, known, beside) | alone):
            continue
        if (not masked and session.reads_text) or identity in seen:
            repeated += 1
            continue
        seen.add(identity)
        label = row.label if schema.labels else schema.outcome(row.label, prepared)
        if label is None:
            what, fix = f"unknown label {row.label[:80]!r}", schema.nearest_outcome(row.label, prepared)
            faults.append(Fault(row.number, what, fix))
            continue
        kept.append((masked, replace(row, label=label)))
    if faults:
        raise refusal(data, faults)
    if not kept:
        raise DataError(
            f"none of the {len(given):,} rows can certify: each was used before, by training or an earlier certificate",
            where=str(data),
            fix="label new rows; 59 automated ones without an error certify 5 %, 299 certify 1 %",
        )
    table = Table(
        texts=[masked for masked, _ in kept],
        labels=[row.label for _, row in kept],
        rows=[row.number for _, row in kept],
        fields={name: [row.fields[name] for _, row in kept] for name in schema.fields},
    )
    return len(given), table, repeated
