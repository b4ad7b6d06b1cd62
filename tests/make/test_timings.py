"""Figures of a killed run are taken again, of another setting or after the end they are not."""

from __future__ import annotations

from pathlib import Path

from penjing.make.timings import Measured


def test_measured_once_until_the_run_has_ended(tmp_path: Path) -> None:
    taken: list[int] = []

    def measure() -> dict[str, object]:
        taken.append(len(taken))
        return {"p50_ms": 0.5 + len(taken), "windows": (1.0, 2.0)}

    measured = Measured(tmp_path / "measured", "here")
    first = measured.once(["latency", "a"], measure)
    assert first == measured.once(["latency", "a"], measure) == {"p50_ms": 1.5, "windows": [1.0, 2.0]}
    assert Measured(measured.folder, "elsewhere").once(["latency", "a"], measure)["p50_ms"] == 2.5
    assert measured.once(["latency", "b"], measure)["p50_ms"] == 3.5
    for path in measured.folder.iterdir():
        path.write_bytes(b"{")
    assert measured.once(["latency", "a"], measure)["p50_ms"] == 4.5, "a damaged figure is measured anew"
    measured.forget()
    assert not measured.folder.exists()
    assert measured.once(["latency", "a"], measure)["p50_ms"] == 5.5
