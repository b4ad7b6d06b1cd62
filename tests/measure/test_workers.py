"""The layout: the fewest threads that are fast enough, measured once, and lost only with its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penjing.core.nouns import Artifact, Release
from penjing.measure import workers
from penjing.measure.workers import WorkerLayout, choose, measured_layout, times


def test_threads_that_gain_little_make_room_for_another_engine() -> None:
    assert choose({1: 1.05, 2: 1.0}, 2) == WorkerLayout(2, 1)
    assert choose({1: 1.5, 2: 1.0}, 2) == WorkerLayout(1, 2)
    assert choose({1: 4.0, 2: 2.1, 4: 2.0, 6: 2.3}, 6) == WorkerLayout(3, 2)
    assert choose({1: 1.0, 64: 1.0}, 64) == WorkerLayout(8, 1), "every engine has its own copy of the model"


def test_every_power_of_two_is_timed_and_all_cores(artifacts: dict[str, Artifact]) -> None:
    found = times(artifacts["onnx"], 3)
    assert sorted(found) == [1, 2, 3]
    assert all(0 < seconds < 1 for seconds in found.values())


def test_it_is_measured_once_on_a_machine(
    artifacts: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, measured = tmp_path / "cache" / "layout.json", []

    def timed(artifact: Artifact, cores: int) -> dict[int, float]:
        measured.append((artifact.id, cores))
        return {1: 1.0, cores: 0.5}

    monkeypatch.setattr(workers, "times", timed)
    for _ in range(2):
        assert measured_layout(artifacts["onnx"], 2, kept) == WorkerLayout(1, 2)
    assert measured == [(artifacts["onnx"].id, 2)]
    assert measured_layout(artifacts["onnx"], 4, kept) == WorkerLayout(1, 4)
    assert measured_layout(artifacts["openvino"], 2, kept) == WorkerLayout(1, 2)
    assert len(json.loads(kept.read_bytes())) == len(measured) == 3


@pytest.mark.parametrize("raw", ["", "[]", "{", '{"x": {"workers": "a"}}', '{"x": null}', "[" * 9999])
def test_a_broken_file_costs_a_measurement(
    raw: str, artifacts: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "times", lambda *_: {1: 1.0, 2: 2.0})
    kept = tmp_path / "layout.json"
    kept.write_text(raw)
    assert measured_layout(artifacts["onnx"], 2, kept) == WorkerLayout(2, 1)
    (tmp_path / "file").write_text("")
    assert measured_layout(artifacts["onnx"], 2, tmp_path / "file" / "layout.json") == WorkerLayout(2, 1)
    assert measured_layout(artifacts["onnx"], 2) == WorkerLayout(2, 1)


def test_what_takes_no_threads_is_not_measured(
    tiny_release: Release, artifacts: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "times", None)
    assert measured_layout(tiny_release.artifact, 2) == WorkerLayout(1, 2)
    assert measured_layout(artifacts["onnx"], 1) == WorkerLayout(1, 1)
