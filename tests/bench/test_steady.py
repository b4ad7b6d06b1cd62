"""The bench of steadier training: its variants are valid options, its draws are apart, and its comparison by hand."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penjing.tune.full import Options

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    for name in ("steady", "steady_page"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("steady")


def test_each_variant_is_plain_with_other_options(bench: ModuleType) -> None:
    plain = Options(**bench.PLAIN)
    made = {name: Options(**bench.PLAIN | given) for name, given in {**bench.VARIANTS, **bench.LATER}.items()}
    assert made.pop("plain") == plain
    assert all(options != plain for options in made.values())


def test_draws_and_test_rows_are_apart(bench: ModuleType) -> None:
    rows = [(f"text {number}", "ab"[number % 2]) for number in range(4000)]
    drawn = [bench.parts(rows, draw) for draw in range(bench.DRAWS)]
    texts = [text for train, validation, _ in drawn for table in (train, validation) for text in table.texts]
    texts += drawn[0][2].texts
    assert len(texts) == len(set(texts)) == 3 * 700 + 1200
    assert all(one[2].texts == drawn[0][2].texts for one in drawn)


def unit(said: str, **more: Any) -> dict[str, Any]:
    truth = "01" * (len(said) // 2)
    right = {"macro_f1": 0.5, "calibration_error": 0.1, "processor_seconds": 2.0, "labels": 2}
    return {"truth": truth, "said": said, **right, **more}


def test_a_variant_is_compared_on_the_rows_of_all_draws(bench: ModuleType) -> None:
    units = {
        "phrasebank/0/plain": unit("0011" * 50),
        "phrasebank/1/plain": unit("0011" * 50),
        "phrasebank/0/ema": unit("0101" * 50, macro_f1=1.0, processor_seconds=3.0),
        "phrasebank/2/ema": unit("0101" * 50),
    }
    found = bench.compare(units, "phrasebank", "ema")
    assert (found["draws"], found["macro_f1"], found["verdict"], found["times"]) == (1, 1.0, "better", 1.5)
    assert found["difference"]["value"] == pytest.approx(0.5)
    assert bench.compare(units, "phrasebank", "plain")["verdict"] == "tie"
    assert bench.compare(units, "chnsenticorp", "ema") is None


def test_the_error_of_calibration(bench: ModuleType) -> None:
    import numpy as np

    shares, right = [0.95] * 10 + [0.55] * 10, np.array([True] * 8 + [False] * 2 + [True] * 5 + [False] * 5)
    assert bench.calibration_error(shares, right) == pytest.approx((0.15 + 0.05) / 2)


def test_results_are_added_and_the_page_has_a_row_for_each(bench: ModuleType, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "steady.json"
    monkeypatch.setattr(bench, "RESULTS", path)
    for name in ("plain", "fgm"):
        bench.add_result(path, f"phrasebank/0/{name}", unit("0101" * 50))
    assert list(json.loads(path.read_text(encoding="utf-8"))["units"]) == ["phrasebank/0/fgm", "phrasebank/0/plain"]
    bench.write_comparisons(path)
    page = importlib.import_module("steady_page")
    text = page.table("zh")
    assert "| 不加开关 | 1 |" in text and "| `adversarial: fgm, epsilon: 0.05` | 1 |" in text and "ChnSenti" not in text
