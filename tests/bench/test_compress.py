"""Every technique of the table is a chain of steps that can be, and ends in a form that serves."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from penjing import compress as room
from penjing.make.plan import single_step

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("compress")


def test_every_technique_is_a_chain_of_known_steps(bench: ModuleType) -> None:
    table = bench.techniques(12)
    assert next(iter(table)) == bench.IDENTITY
    assert table[bench.IDENTITY] == [("compress.export", {})]
    for name, chain in table.items():
        for method, options in chain:
            single_step(method, dict(options))
        assert chain[-1][0] in {
            "compress.export",
            "compress.int8",
            "compress.static",
            "compress.cascade",
            "compress.exit",
        }, name


def test_every_method_stands_in_the_table(bench: ModuleType) -> None:
    used = {method for chain in bench.techniques(4).values() for method, _ in chain}
    assert used == {f"compress.{name}" for name in room.METHODS}


def test_half_of_three_layers_is_one(bench: ModuleType) -> None:
    assert bench.techniques(3)["1 layer"][0] == ("compress.layers", {"keep": 1})


def teardown_module() -> None:
    for name in ("compress", "speed", "spine"):
        sys.modules.pop(name, None)
