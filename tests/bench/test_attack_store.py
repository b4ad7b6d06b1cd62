"""The attacks on the database in their short form: each must be held, on a small release."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from penjing.core.nouns import Release

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.whole
@pytest.mark.parametrize("name", ["removed", "moved", "wal_removed", "restarted", "read_only", "locked_at_stop"])
def test_it_is_held(tiny_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    for module in ("attack_store", "attack_target"):
        sys.modules.pop(module, None)
    attacks = importlib.import_module("attack_store")
    verdict = getattr(attacks, name)(tiny_release.folder, tmp_path)
    assert verdict.held, verdict.said


@pytest.mark.whole
def test_tampering_is_found(tiny_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    verdict = importlib.import_module("attack_store").tampered(tiny_release.folder, tmp_path)
    assert verdict.held, verdict.said
