"""The probe of training threads: the fewest about as fast as the best."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from penjing.core.nouns import Inputs, Run, Table
from penjing.model.base import open_base
from penjing.tune import probe
from penjing.tune.full import Options
from penjing.tune.probe import Pace, measure_pace


@pytest.mark.parametrize(
    ("seconds", "threads"),
    [
        ({"1": 0.5, "2": 2.5}, 1),
        ({"1": 1.0, "2": 0.6, "4": 0.59}, 2),
        ({"1": 1.0, "2": 0.6, "4": 0.4}, 4),
        ({"1": 1.0, "2": 0.95}, 1),
    ],
)
def test_the_fewest_threads_about_as_fast_as_the_best(seconds: dict[str, float], threads: int) -> None:
    pace = Pace(seconds, 100)
    assert pace.threads == threads
    assert pace.run_seconds == pytest.approx(100 * seconds[str(threads)])


@pytest.fixture
def inputs(tiny_base: Path) -> Inputs:
    kinds = ("delivery", "price")
    texts = [f"{kinds[number % 2]}{number % 10} common{number % 7} " * (1 + number % 4) for number in range(90)]
    rows = Table(texts=texts, labels=[kinds[number % 2] for number in range(90)])
    return Inputs(open_base(str(tiny_base), Path("/")), rows, rows, language="en")


def test_it_times_one_two_four_and_all_cores(inputs: Inputs, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    run = Run(tmp_path / "out", tmp_path, threads=1)
    pace = measure_pace("tune.full", inputs, Options(max_tokens=16), run, cores=6)
    assert set(pace.seconds) <= {"1", "2", "4", "6"}
    assert {"1", "6"} <= set(pace.seconds)
    assert all(seconds > 0 for seconds in pace.seconds.values())
    assert pace.steps == 18, "90 rows in batches of 16, three times"
    assert torch.get_num_threads() == threads


def test_a_hopeless_number_of_threads_costs_one_step(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))
    slow = {1: 1.0, 2: 100.0}
    now = [0.0]

    def read() -> float:
        next(clock)
        now[0] += slow[torch.get_num_threads()]
        return now[0]

    monkeypatch.setattr(probe.time, "perf_counter", read)
    run = Run(tmp_path / "out", tmp_path, threads=1)
    pace = measure_pace("tune.full", inputs, Options(max_tokens=16), run, cores=2)
    assert pace.seconds == {"1": 1.0, "2": 100.0}
    assert next(clock) == 8 + 2, "four steps of one thread, one of two"
