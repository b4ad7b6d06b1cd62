"""Puts an artifact, the policy, the certificate and the regression suite into one hashed folder: a Release."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from penjing.core.artifact import open_release, write_info, write_observed
from penjing.core.canon import canonical_json
from penjing.core.certificate import CERTIFICATE, MODEL, POLICY, RULES, SELFCHECK, SUITE, Gate
from penjing.core.folder import MANIFEST, sealed_folder, verify
from penjing.core.nouns import Artifact, Release, ReleaseInfo, Table
from penjing.core.releases import by_id, put_in_place
from penjing.decide.table import RuleTable
from penjing.prove.gates import TIMES

SUITE_ROWS = 200


def seal(
    target: Path,
    info: ReleaseInfo,
    artifact: Artifact,
    policy: BaseModel,
    rules: RuleTable | None,
    certificate: BaseModel,
    suite: Sequence[Mapping[str, Any]],
    selfcheck: Mapping[str, Any],
) -> Release:
    """Write a release as `target` (whole or not at all) and open it. Content only: no time, host or speed."""
    with sealed_folder(target) as folder:
        shutil.copytree(artifact.folder, folder / MODEL)
        (folder / "policy").mkdir()
        (folder / POLICY).write_bytes(canonical_json(policy.model_dump(mode="json")))
        if rules is not None:
            (folder / RULES).write_bytes(rules.raw)
        (folder / CERTIFICATE).write_bytes(canonical_json(certificate.model_dump(mode="json")))
        (folder / SUITE).write_bytes(b"".join(canonical_json(case) + b"\n" for case in suite))
        (folder / SELFCHECK).write_bytes(canonical_json(selfcheck))
        write_info(folder, info)
    return open_release(target)


def seal_with_gates(candidate: Release, target: Path, gates: Sequence[Gate]) -> Release:
    """Seal a tested candidate as `target`, its certificate naming the promises under which it was sealed.

    Promises on time are observations of one machine: they stand in `NAME.observations.json` beside the folder, so that
    the release's id is the same wherever it is made again. The release is kept by its id too (core/releases.py).
    """
    content = [gate for gate in gates if gate.name not in TIMES]
    certificate = json.loads((candidate.folder / CERTIFICATE).read_bytes())
    certificate["gates"] = [{"name": one.name, "promised": one.promised, "state": one.state} for one in content]
    staged = target.with_name(f".{target.name}.sealed")
    shutil.rmtree(staged, ignore_errors=True)
    try:
        with sealed_folder(staged) as folder:
            shutil.copytree(candidate.folder, folder, dirs_exist_ok=True)
            (folder / MANIFEST).unlink()
            (folder / CERTIFICATE).write_bytes(canonical_json(certificate))
        identity = verify(staged)
        put_in_place(staged, target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    observed = {"gates": [gate.model_dump(mode="json") for gate in gates]}
    for place in (target, by_id(target, identity)):
        write_observed(place, identity, observed)
    return open_release(target)


def regression_suite(table: Table, guesses: Sequence[str], keep_texts: bool) -> list[dict[str, Any]]:
    """Up to 200 validation rows that the sealed model gets right: cases that a later release must not lose.

    Without kept texts the suite is empty: a case that cannot be decided again proves nothing.
    """
    if not keep_texts or table.labels is None:
        return []
    right = [i for i, guess in enumerate(guesses) if guess == table.labels[i]]
    return [{"text": table.texts[i], "label": table.labels[i]} for i in right[:SUITE_ROWS]]
