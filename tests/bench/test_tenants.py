"""The parts of bench/tenants.py that need no training: tables of a service, and how runs are put together."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("tenants")
    sys.modules.pop("tenants", None)


def test_every_service_has_rows_of_its_own_classes_and_no_text_is_in_two_tables(bench: Any) -> None:
    lines = [f"text {number}\t{number % 4}" for number in range(80)]
    train, validation = bench.tables(lines, ["a", "b", "c", "d"], 2, (12, 6))
    assert set(train.labels) == set(validation.labels) == {"c", "d", "a"}
    assert (len(train), len(validation)) == (12, 6)
    assert not set(train.texts) & set(validation.texts)
    assert all(
        int(text.split()[1]) % 4 == "abcd".index(label) for text, label in zip(train.texts, train.labels, strict=True)
    )


def test_runs_become_medians_and_differences_are_added(bench: Any) -> None:
    def run(memory: float, differ: int, chosen: list[str]) -> dict[str, Any]:
        return {
            "memory_mb": memory, "in_turn_per_second": 10.0, "at_once_per_second": 20.0, "in_turn_cpu_ms": 1.0,
            "at_once_cpu_ms": 2.0, "accuracy": 0.9,
            "mixed_share": None, "differ_from_alone": differ, "chosen": chosen,
        }  # fmt: skip

    found = {"tenant": [run(1, 0, ["a", "b"]), run(3, 2, ["a", "b"]), run(2, 0, [])], "export": [run(9, 0, ["a", "c"])]}
    made = bench.joined(found)
    assert (made["tenant"]["memory_mb"], made["tenant"]["differ_from_alone"]) == (2, 2)
    assert made["same_label"] == 0.5
    assert "mixed_share" not in made["export"]
