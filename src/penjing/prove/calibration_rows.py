"""Opens the calibration rows for a release, and enters it in the ledger before anything looks at them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penjing.core.canon import digest
from penjing.core.certificate import PastOpening
from penjing.core.nouns import Artifact, Table
from penjing.decide.policy import Policy
from penjing.decide.table import RuleTable
from penjing.prove.certify import table_hashes
from penjing.prove.misses import Promised
from penjing.prove.openings import LEDGER, Opening, open_planned


@dataclass(frozen=True)
class OpenedRows:
    """The calibration rows that certify a release.

    table: those rows. delta: the level of the test. earlier: the other promises that were tested on some of them. left:
    the hashes of rows that were opened before, where enough others are new.
    """

    table: Table
    delta: float
    earlier: tuple[PastOpening, ...] = ()
    left: tuple[str, ...] = ()


def ledger_of(recipe: Path, out: Path) -> Path:
    """The ledger beside the recipe, whose runs share it; in the folder of the run if that one cannot be written."""
    beside = recipe.parent / LEDGER
    return beside if os.access(beside if beside.exists() else beside.parent, os.W_OK) else out / LEDGER


def open_rows(
    ledger: Path,
    table: Table,
    policy: Policy,
    artifact: Artifact,
    promised: Promised,
    fixed_by: Sequence[str],
    *,
    whole: bool = False,
) -> OpenedRows:
    """Enter the opening of these rows for a promise, and say how it is tested.

    fixed_by: hashes of what fixed the thresholds to test. whole: as of `penjing.prove.openings.plan`. Raises
    DamageError (the ledger cannot be read).
    """
    rows = table_hashes(table, policy.spec.features)
    promise = _promise(policy, artifact, promised, fixed_by)
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = Opening(promise, frozenset(), promised.delta, time, _about(policy, artifact, promised))
    found = open_planned(ledger, rows, asked, whole=whole)
    earlier = tuple(PastOpening(promise=one.promise[:16], delta=one.delta) for one in found.earlier)
    kept = {*found.places}
    left = tuple(identity for place, identity in enumerate(rows) if place not in kept)
    return OpenedRows(table.take(found.places) if left else table, found.delta, earlier, left)


def _about(policy: Policy, artifact: Artifact, promised: Promised) -> dict[str, Any]:
    """What a person recognises a promise by, in the ledger."""
    rules = policy.rules.digest[:12] if isinstance(policy.rules, RuleTable) else ""
    limits = {"max_error": promised.max_error, "max_miss": dict(promised.max_miss)}
    return {**limits, "model": artifact.id[:12], "rules": rules}


def _promise(policy: Policy, artifact: Artifact, promised: Promised, fixed_by: Sequence[str]) -> str:
    """The hash of everything that is fixed before the rows are opened."""
    rules = policy.rules
    files = [rules.raw, *(one.raw for one in rules.lists.values())] if isinstance(rules, RuleTable) else []
    written = [hashlib.sha256(raw).hexdigest() for raw in files]
    limits = [promised.max_error, dict(promised.max_miss), list(promised.reviewed), promised.delta]
    fixed = policy.spec.model_dump(mode="json")
    return digest([artifact.id, fixed, written, limits, sorted(fixed_by)])
