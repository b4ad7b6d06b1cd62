"""The page of the pre-training bench: what ran is in its tables, what did not is named, gains are draw by draw."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("pretrain_page")


def results() -> dict[str, Any]:
    units: dict[str, Any] = {f"medical: {base}, seconds": 700 for base in ("adapt", "distil")}
    given = {"word counts": [0.5, 0.6, 0.7], "penjing/nano": [0.6, 0.6, 0.6]}
    given |= {"adapt": [0.61, 0.65, 0.6], "distil": [0.5, 0.6, 0.61]}
    units |= {f"medical: {base}, 100 rows": scores for base, scores in given.items()}
    return {"adapt": units, "hardware": "x"}


def test_gains_are_taken_draw_by_draw(page: ModuleType) -> None:
    (row,) = page.domains(results())
    assert (row["domain"], row["rows"], row["nano"], row["word counts"]) == ("medical", 100, 0.6, pytest.approx(0.6))
    assert row["adapt gains"] == pytest.approx({"mean": 0.02, "least": 0.0, "largest": 0.05})
    assert row["distil gains"]["least"] == pytest.approx(-0.1)


def test_what_ran_is_shown_and_what_did_not_is_named(page: ModuleType) -> None:
    text = page.page(results())
    line = "| Patients' questions | 100 | 0.600 | 0.600 | 0.620 | 0.570 | +0.020 (+0.000 to +0.050) | "
    assert (
        line in text
        and "Not run yet: adapt: reviews of deliveries, objectives, speed, killed." in text
        and "Machine: x." in text
    )
    probes = dict.fromkeys(page.PROBES, 0.5)
    turns = {"penjing, turn 0": 20.0, "Trainer, turn 0": 10.0, "penjing, turn 1": 30.0, "Trainer, turn 1": 10.0}
    rest = {"objectives": {"rtd": probes | {"seconds": 90}}, "speed": turns}
    kills = {"ten times": {"kills": 10, "same id": True}}
    text = page.page(results() | rest | {"killed": kills})
    assert "| rtd | 0.500 | 0.500 | 0.500 | 0.500 | 0.500 | 90 |" in text
    assert "25 tokens a second" in text and "2.00 to 3.00 times as many" in text
    assert (
        "killed 10 times of 10. It ended with the same bits" in text
        and "Not run yet: adapt: reviews of deliveries.\n" in text
    )


def test_nothing_is_shown_before_the_first_run(page: ModuleType) -> None:
    assert "Not run yet: adapt, objectives, speed, killed." in page.page({})
    assert page.speeds({"speed": {"penjing, turn 0": 1.0}}) is None
