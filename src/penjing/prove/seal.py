"""Puts an artifact, the policy, the certificate and the regression suite into one hashed folder: a Release."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from penjing.core.artifact import open_release, write_gates, write_info
from penjing.core.canon import canonical_json
from penjing.core.certificate import CERTIFICATE, MODEL, POLICY, RULES, SELFCHECK, SUITE, WORDS, Gate
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Artifact, Release, ReleaseInfo, Table
from penjing.core.releases import by_id, put_in_place
from penjing.decide.table import RuleTable
from penjing.runtime.scope import Scope

SUITE_ROWS = 200


@dataclass(frozen=True)
class Promise:
    """How a release decides, what is proven about its decisions, and which texts are out of scope."""

    policy: BaseModel
    rules: RuleTable | None
    certificate: BaseModel
    scope: Scope | None = None


@dataclass(frozen=True)
class Checks:
    """Checks stored in a release: cases that a later release must get right, and answers an engine must repeat."""

    suite: Sequence[Mapping[str, Any]]
    selfcheck: Mapping[str, Any]


def seal(target: Path, info: ReleaseInfo, artifact: Artifact, promise: Promise, checks: Checks) -> Release:
    """Write a release to `target`, completely or not at all, and open it. It contains no time, host or speed."""
    with sealed_folder(target) as folder:
        shutil.copytree(artifact.folder, folder / MODEL)
        (folder / "policy").mkdir()
        (folder / POLICY).write_bytes(canonical_json(promise.policy.model_dump(mode="json")))
        if promise.rules is not None:
            write_rules(folder, promise.rules)
        if promise.scope is not None:
            promise.scope.write(folder)
        (folder / CERTIFICATE).write_bytes(canonical_json(promise.certificate.model_dump(mode="json")))
        (folder / SUITE).write_bytes(b"".join(canonical_json(case) + b"\n" for case in checks.suite))
        (folder / SELFCHECK).write_bytes(canonical_json(checks.selfcheck))
        write_info(folder, info)
    return open_release(target)


def write_rules(folder: Path, rules: RuleTable) -> None:
    """Put a rules file and the word lists that it names into the folder of a release, byte for byte.

    Lists of earlier rules in the folder are removed.
    """
    (folder / RULES).write_bytes(rules.raw)
    shutil.rmtree(folder / WORDS, ignore_errors=True)
    for name, words in rules.lists.items():
        (folder / WORDS).mkdir(exist_ok=True)
        (folder / WORDS / f"{name}.txt").write_bytes(words.raw)


def put_with_gates(tested: Release, target: Path, gates: Sequence[Gate]) -> Release:
    """Make the tested folder the release `target`, and write its gates to `NAME.gates.json` beside it.

    The content of the folder does not change: the release is what was tested, and its id is the same on every machine.
    A copy is kept under its id too (core/releases.py), with the same file beside it.
    """
    content = [gate.model_dump(mode="json") for gate in gates]
    kept = by_id(target, tested.id)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_gates(kept, tested.id, content)
    put_in_place(tested.folder, target)
    write_gates(target, tested.id, content)
    return open_release(target)


def regression_suite(
    table: Table, wrong: Sequence[bool], keep_texts: bool, features: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Up to 200 validation rows that the sealed model gets right; a later release must get them right too.

    features: the declared fields that the model reads, which are kept with each row.
    The suite is empty if texts are not kept, because such a case cannot be decided again.
    """
    if not keep_texts or table.labels is None:
        return []
    right = [i for i, missed in enumerate(wrong) if not missed]
    return [
        {"text": table.texts[i], "label": table.labels[i]}
        | ({"fields": {name: table.fields[name][i] for name in features}} if features else {})
        for i in right[:SUITE_ROWS]
    ]
