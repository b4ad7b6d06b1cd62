"""The regression suite holds cases that the sealed model gets right, and no text where none may be kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penjing.core.artifact import read_observed
from penjing.core.certificate import CERTIFICATE, State
from penjing.core.nouns import Release, Table
from penjing.prove.gates import TIMES, at_least_windows
from penjing.prove.seal import SUITE_ROWS, regression_suite, seal_with_gates


def test_suite() -> None:
    table = Table(texts=["a", "b", "c"], labels=["x", "y", "x"])
    assert regression_suite(table, ["x", "x", "x"], keep_texts=True) == [
        {"text": "a", "label": "x"},
        {"text": "c", "label": "x"},
    ]
    assert regression_suite(table, ["x", "x", "x"], keep_texts=False) == []
    many = Table(texts=["a"] * 500, labels=["x"] * 500)
    assert len(regression_suite(many, ["x"] * 500, keep_texts=True)) == SUITE_ROWS


@pytest.mark.parametrize("name", TIMES)
def test_what_a_machine_was_measured_at_is_no_part_of_the_id(name: str, tmp_path: Path, tiny_release: Release) -> None:
    def sealed(speed: float, expected: State) -> Release:
        gate = at_least_windows(name, 50.0, [speed] * 4 + [51.0])
        assert gate.state == expected
        return seal_with_gates(tiny_release, tmp_path / expected, [gate])

    fast, slow = sealed(54.7, "held"), sealed(49.8, "unproven")
    assert fast.id == slow.id and json.loads((fast.folder / CERTIFICATE).read_bytes())["gates"] == []
    assert [read_observed(one)["gates"][0]["state"] for one in (fast, slow)] == ["held", "unproven"]
