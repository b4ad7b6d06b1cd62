"""The line of machines: each is named once, whatever the order in which they worked."""

from __future__ import annotations

import pytest

import machines
from machines import with_this_machine


def test_each_machine_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "hardware", lambda: "B")
    assert with_this_machine("") == "B"
    assert with_this_machine("B") == "B"
    assert with_this_machine("A; C") == "A; B; C"
