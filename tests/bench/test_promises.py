"""The bench of promises: what it calls broken or false is so, on orders whose truth is set by hand."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from penjing.prove.path import Limit
from penjing.prove.sequence import Cases

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCH))
    spec = importlib.util.spec_from_file_location("bench_promises", BENCH / "promises.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_promises"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(BENCH))
    for name in ("bench_promises", "certificate"):
        sys.modules.pop(name, None)


def cases(rows: int, every: int) -> Cases:
    """Sure cases of which every n-th is wrong (0: none)."""
    wrong = np.zeros(rows, dtype=bool) if not every else np.arange(rows) % every == 0
    return Cases(np.zeros(rows, dtype=np.int64), np.full(rows, 950_000), ~wrong, np.ones(rows, dtype=bool))


def test_a_certificate_whose_risk_is_above_the_limit_breaks_it(bench: ModuleType) -> None:
    for risk, broken in ((0.051, 1), (0.05, 0)):
        seen = bench.Seen()
        bench.judge(bench.OneLimit((0.9,), [risk], 0.05, True), lambda rows: cases(rows, 0), 100, seen)
        assert (seen.runs, seen.certified, seen.broken) == (1, 1, broken)


def test_no_help_is_false_where_there_was_hope(bench: ModuleType) -> None:
    for hope in (True, False):
        seen = bench.Seen()
        bench.judge(bench.OneLimit((0.9,), [0.2], 0.05, hope), lambda rows: cases(rows, 5), 200, seen)
        assert seen.answers["no_help"] == 1 and seen.false_no_help == hope


def test_enough_fails_where_the_further_rows_do_not_pass(bench: ModuleType) -> None:
    def draw(rows: int) -> Cases:
        return cases(rows, 3) if rows not in (40, 80) else cases(rows, 0)

    seen = bench.Seen()
    bench.judge(bench.OneLimit((0.9,), [0.01], 0.05, True), draw, 40, seen)
    assert seen.answers["enough"] == 1 and seen.failed_enough == 1


def test_a_small_run_of_vectors_counts_every_run(bench: ModuleType) -> None:
    limits = (Limit("error", "*", None, 0.05), Limit("miss", "rare", 2, 0.2))
    random = np.random.default_rng(0)
    order = bench._vectors(bench.make_path(bench.clouds(random, 500), limits, 400), bench.clouds(random, 5_000), limits)
    seen = bench.Seen()
    for _ in range(10):
        bench.judge(order, lambda rows: bench.clouds(random, rows), 400, seen)
    assert seen.certified + sum(seen.answers.values()) == seen.runs == 10
    assert order.hope and seen.to_json()["broken"]["count"] <= seen.certified
