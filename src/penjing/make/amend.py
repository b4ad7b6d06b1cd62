"""New rules on the same model: certified again on rows never used, sealed as a release of its own; no torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from penjing.core.artifact import open_release
from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError, DataError, RequestError, UsageError
from penjing.core.folder import MANIFEST, sealed_folder
from penjing.core.nouns import Progress, Release, Scalar, Silent, Table
from penjing.core.options import nearest
from penjing.data.read import read_rows
from penjing.decide.check import Finding, check
from penjing.decide.policy import POLICY, RULES, Policy, load_policy
from penjing.decide.rules import load_rules
from penjing.make.certify import Certificate, Labelled, certify, label_facts, row_hash, row_hashes
from penjing.runtime.session import Session, open_session

CERTIFICATE = "certificate.json"


@dataclass(frozen=True)
class Amended:
    """The new release, its certificate, what `check` found in its rules, and how the labelled rows were used.

    rows: labelled rows given; used: left out because an earlier certificate or the training saw them; repeated: left
    out because the same text stands above, or none at all.
    """

    release: Release
    certificate: Certificate
    findings: tuple[Finding, ...]
    rows: int
    used: int
    repeated: int


def amend(
    release: Release,
    rules: Path,
    data: Path,
    out: Path,
    *,
    text: str = "text",
    label: str = "label",
    threads: int = 0,
    progress: Progress | None = None,
) -> Amended:
    """Seal `out`: the model of `release` under other rules, with a certificate on labelled rows never used.

    The order of the thresholds is that of the old certificate, which validation fixed. Raises RuleError (the rules),
    DataError (rows that cannot be read, unknown labels, no row left), UsageError (columns, `out` is the release).
    """
    progress = progress or Silent()
    if out.resolve() == release.folder.resolve():
        raise UsageError("the new release would stand where the old one is", where=str(out), fix="give another --out")
    before = load_policy(release)
    old = read_certificate(release)
    table = load_rules(rules, before.schema)
    policy = Policy(spec=before.spec, rules=table, release_id="")
    session = open_session(release.artifact, threads=threads, long_texts=release.info.long_texts)
    progress.start("reading the labelled rows", None)
    given, fresh, repeated = _fresh_rows(session, policy, data, text, label, {*old.calibration, *old.used})
    progress.start(f"certifying on {len(fresh):,} rows", None)
    labelled = label_facts(session, policy, fresh)
    certificate = _certify(policy, old, labelled)
    spec = before.spec.model_copy(update={"thresholds": certificate.thresholds})
    with sealed_folder(out) as folder:
        shutil.copytree(release.folder, folder, dirs_exist_ok=True)
        (folder / MANIFEST).unlink()
        (folder / POLICY).write_bytes(canonical_json(spec.model_dump(mode="json")))
        shutil.copyfile(rules, folder / RULES)
        (folder / CERTIFICATE).write_bytes(canonical_json(certificate.model_dump(mode="json")))
    findings = tuple(each for each in check(table) if each.level == "warning")
    return Amended(open_release(out), certificate, findings, given, given - repeated - len(fresh), repeated)


def read_certificate(release: Release) -> Certificate:
    """The certificate of a verified release. Raises DamageError."""
    path = release.folder / CERTIFICATE
    try:
        return Certificate.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DamageError("the release has no certificate.json", where=str(release.folder)) from None
    except ValidationError as error:
        raise DamageError(f"certificate.json is not valid: {error.errors()[0]['msg']}", where=str(path)) from None


def _certify(policy: Policy, old: Certificate, labelled: Labelled) -> Certificate:
    certificate = certify(
        policy,
        old.grid,
        labelled,
        old.max_error,
        reviewed=old.reviewed,
        used=(*old.used, *old.calibration),
        delta=round(1 - old.confidence, 6),
    )
    # The gates speak of the model, which is the same.
    return certificate.model_copy(update={"gates": old.gates})


def _fresh_rows(
    session: Session, policy: Policy, data: Path, text: str, label: str, used: set[str]
) -> tuple[int, Table, int]:
    """How many rows there are, the usable ones as a table of masked texts, and how many are empty or repeat one."""
    texts: list[str] = []
    labels: list[str] = []
    rows: list[int] = []
    fields: dict[str, list[Scalar]] = {name: [] for name in policy.spec.fields}
    seen: set[str] = set()
    given = repeated = 0
    for number, row in read_rows(data):
        where = f"{data}:{number}"
        _need_columns(row, (text, label), str(data))
        given += 1
        truth = row[label].strip()
        if truth not in policy.spec.labels:
            raise DataError(f"unknown label {truth!r}", where=where, fix=nearest(truth, policy.spec.labels))
        try:
            masked = session.prepare(row[text]).text
            typed = policy.schema.from_strings(row, where)
        except RequestError as error:
            raise DataError(error.what, where=where, fix=error.fix) from None
        identity = row_hash(masked)
        if not used.isdisjoint(row_hashes(row[text])):
            continue
        if not masked or identity in seen:
            repeated += 1
            continue
        seen.add(identity)
        texts.append(masked)
        labels.append(truth)
        rows.append(number)
        for name, value in typed.items():
            fields[name].append(value)
    if not texts:
        raise DataError(
            f"none of the {given:,} rows can certify: each was used before, by training or by an earlier certificate",
            where=str(data),
            fix="label new rows; 59 automated ones without an error certify 5 %, 299 certify 1 %",
        )
    return given, Table(texts=texts, labels=labels, rows=rows, fields=fields), repeated


def _need_columns(row: dict[str, str], names: Iterable[str], where: str) -> None:
    for name, option in zip(names, ("--text", "--label"), strict=True):
        if name not in row:
            fix = f"{nearest(name, list(row))}; name the column with {option}"
            raise UsageError(f"there is no column `{name}`", where=where, fix=fix)
