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
            "compress.embeddings",
            "compress.export",
            "compress.int8",
            "compress.static",
            "compress.cascade",
            "compress.exit",
            "compress.ngrams",
        }, name


def test_every_method_stands_in_the_table(bench: ModuleType) -> None:
    used = {method for chain in bench.techniques(4).values() for method, _ in chain}
    # `compress.tenant` follows another tuning: bench/tenants.py measures it.
    assert used == {f"compress.{name}" for name in room.METHODS} - {"compress.tenant"}


def test_half_of_three_layers_is_one(bench: ModuleType) -> None:
    assert bench.techniques(3)["1 layer"][0] == ("compress.layers", {"keep": 1})


def test_the_page_has_a_line_for_each_technique_and_the_mean_of_its_seeds(bench: ModuleType) -> None:
    drawn = import_module("compress_page")

    def row(seed: int, kept: float) -> dict[str, object]:
        one = {"kept": {"value": kept, "low": kept - 0.01, "high": kept + 0.01}, "size_mb": 10.0, "p50_ms": 1.0}
        one |= {"p99_ms": 2.0, "times_faster": 3.0, "engine": "onnx"}
        about = {"set": "sms", "base": "mini", "rows": 2000, "seed": seed, "test_rows": 277, "threads": 2}
        return about | {"hardware": "a CPU", "techniques": {bench.IDENTITY: one, "INT8": one}}

    text = drawn.page([row(0, 0.5), row(0, 0.98), row(1, 1.0)])
    assert "| INT8 | onnx | 99.0 [98.0, 100.0] | 10.0 |" in text and "| 3.00× | 2 |" in text
    assert "3.00×; its interval begins at 98.0 %: unproven." in text
    assert "**Nothing keeps 99 %.**" in drawn.page([row(0, 0.5)])


@pytest.mark.usefixtures("bench")
def test_runs_on_different_processors_are_not_averaged() -> None:
    drawn = import_module("compress_page")

    def row(hardware: str) -> dict[str, object]:
        return {"set": "sms", "base": "mini", "rows": 2000, "seed": 0, "hardware": hardware}

    runs = list(drawn.newest([row("a CPU (avx512_vnni)"), row("a CPU (avx2)")]).values())
    assert [len(seeds) for seeds in runs] == [1, 1]


def teardown_module() -> None:
    for name in ("compress_page", "spine_page", "compress", "speed", "spine"):
        sys.modules.pop(name, None)
