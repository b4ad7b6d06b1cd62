"""The bench beside scikit-learn and FastAPI: its threshold is the usual one, its counts are right."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("why")


def test_the_usual_threshold_is_the_least_that_holds_on_its_rows(bench: ModuleType) -> None:
    least = bench.rival_app.least_threshold
    p, wrong = np.array([0.9, 0.8, 0.7, 0.6]), np.array([False, False, True, False])
    assert least(p, wrong, 0.25) == 0.6
    assert least(p, wrong, 0.2) == 0.8
    assert least(p, np.array([True, True, True, True]), 0.2) == float("inf")
    # Rows of one probability are taken together.
    assert least(np.array([0.9, 0.9, 0.9]), np.array([False, False, True]), 0.1) == float("inf")


def test_a_certificate_keeps_a_promise_that_the_usual_threshold_breaks(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "DRAWS", 60)
    certificate = importlib.import_module("certificate")
    law = next(iter(certificate.laws(0.05)))
    random = np.random.default_rng(1)
    frozen = bench.Frozen({}, 0.0, law.draw(random, 500), law.draw(random, 4000), 0, 0)
    found = bench.drawn(frozen, 300)
    assert found["usual"]["broken"]["rate"] > 0.2 > 0.1 > found["certified"]["broken"]["rate"]
    assert found["usual"]["automation"] > found["certified"]["automation"] > 0


def test_the_rival_learns_and_sends_what_it_doubts_to_a_person(bench: ModuleType) -> None:
    rows = [("the food was good", "good"), ("the food was bad", "bad")] * 20
    model = bench.rival_app.fit(rows, rows, "en", 0.0)
    assert bench.rival_app.decide(model, "good food")["label"] == "good"
    assert bench.rival_app.decide(model, "nothing known")["route"] == "review"


def test_texts_with_another_line_are_counted(bench: ModuleType) -> None:
    assert bench.differing([["a", "b"], ["a", "c"], ["a", "b"]]) == 1
    assert bench.six("0x1.0000000000001p-1") == bench.six("0x1.0000000000000p-1") == "0.500000"


@pytest.mark.usefixtures("bench")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_what_has_run_and_says_what_has_not(tmp_path: Path, language: str) -> None:
    page = importlib.import_module("why_page")
    file = tmp_path / "why.json"
    assert "bench/why.py" in page.text("errors", language, file)
    rate = {"broken": {"rate": 0.4}, "automation": 0.9}
    errors = [{"set": "sms", "calibration": 300, "usual": rate, "certified": rate}]
    turn = {"p50_ms": 2.0, "p99_ms": 4.0, "errors": 0, "core_hours_per_million": 0.5}
    service = {"rival": [turn], "penjing": [turn], "tokens_a_text": 77.4, "prompt_tokens": 200}
    offline = {"rival": True, "penjing": None}
    repeat = {"texts": 5, "rival": 1, "penjing": 0, "replay": {"replayed": 9, "same": 9}, "offline": offline}
    found = {"errors": errors, "service": service, "repeat": repeat, "machine": "one"}
    file.write_text(json.dumps(found), encoding="utf-8")
    made = "".join(page.text(part, language, file) for part in page.DRAW)
    assert "40.0% | 90%" in made and "| 2.0 | 4.0 | 0 | 0.50 | 0.025 |" in made and "139" in made
