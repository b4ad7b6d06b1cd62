"""The line of machines: each is named once, whatever the order in which they worked."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [*sys.path, str(BENCH)])
    return import_module("machines")


def test_each_machine_is_named_once(machines: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "hardware", lambda: "B")
    assert machines.with_this_machine("") == "B"
    assert machines.with_this_machine("B") == "B"
    assert machines.with_this_machine("A; C") == "A; B; C"
