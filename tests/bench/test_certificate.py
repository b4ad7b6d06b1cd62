"""The bench of the certificate: its known risks are right, and a small run of it counts what it says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "certificate.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_certificate", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_certificate"] = module
    spec.loader.exec_module(module)
    return module


def test_the_stated_risk_of_a_law_is_its_risk(bench: ModuleType) -> None:
    for law in bench.laws(0.05):
        cases = law.draw(np.random.default_rng(0), 200_000)
        for threshold in (0.5, 0.9):
            automated, errors = bench.counts(cases, threshold)
            assert abs(errors / automated - law.risk_above(threshold)) < 0.003


def test_a_resplit_judges_by_its_own_noise_and_by_the_pool(bench: ModuleType) -> None:
    law = next(iter(bench.laws(0.05)))
    random = np.random.default_rng(1)
    frozen = bench.Frozen({}, 0.0, law.draw(random, 500), law.draw(random, 2_000), 0, 0)
    found = bench.resplit(frozen, 0.05, 40, 0)
    assert found["calibration_rows"] == 1_000 and found["certified"] > 20
    assert found["violations"]["pool"]["of"] == 40
    assert found["violations"]["tested"]["count"] <= found["violations"]["share"]["count"]
