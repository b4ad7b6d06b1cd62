"""What the clock decided is kept: asked again nothing is measured, for other rows or options it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from penjing.core.nouns import Inputs, Silent, Table
from penjing.make.machine_choices import pace_of
from penjing.make.plan import single_step
from penjing.model.base import open_base
from penjing.tune import probe
from penjing.tune.probe import Pace


def test_it_is_measured_once_a_machine(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def measured(*_: object) -> Pace:
        asked.append(1)
        return Pace({"1": 1.0 / len(asked), "2": 0.5}, 100)

    monkeypatch.setattr(probe, "measure_pace", measured)
    rows = Table(texts=["price1", "delivery1"], labels=["price", "delivery"])
    inputs = Inputs(open_base(str(tiny_base), Path("/")), rows, rows)
    step = single_step("tune.full", {"max_tokens": 16})
    first = pace_of(step, inputs, 0, tmp_path, Silent())
    assert (first["threads"], first["run_seconds"]) == (2, 50.0)
    assert pace_of(step, inputs, 0, tmp_path, Silent()) == first
    assert len(asked) == 1
    again = pace_of(single_step("tune.full", {"max_tokens": 8}), inputs, 0, tmp_path, Silent())
    assert again["threads"] == 1
    other = replace(inputs, train=Table(texts=["price2", "delivery1"], labels=["price", "delivery"]))
    pace_of(step, other, 0, tmp_path, Silent())
    assert len(asked) == 3
