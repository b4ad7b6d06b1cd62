"""How a search ended is read again as it was kept; another model, or a damaged file, is another search."""

from __future__ import annotations

from pathlib import Path

from penjing.make.plan import single_step
from penjing.make.search.finished import keep_finished, read_finished
from penjing.make.timings import Measured
from penjing.report.contract import Estimate, VariantRow
from penjing.report.verdict import note_of


def test_it_is_read_as_it_was_kept(tmp_path: Path) -> None:
    kept = Measured(tmp_path / "machine", "about")
    assert read_finished(kept, "tuned") is None
    steps = (single_step("compress.layers", {"keep": 2}), single_step("compress.int8", {"engine": "onnx"}))
    row = VariantRow(
        name="2 layers, INT8", form="onnx", size_mb=9.5, p50_ms=1.0, p99_ms=2.0,
        score=Estimate(value=0.9, low=0.8, high=0.95), state="sealed",
    )  # fmt: skip
    skipped = note_of("skipped_layers", title="1 layer", layers="2")
    keep_finished(kept, "tuned", "2 layers, INT8", steps, [row], [skipped])
    found = read_finished(kept, "tuned")
    assert found is not None
    assert (found.title, found.rows, found.skipped) == ("2 layers, INT8", (row,), (skipped,))
    assert [(one.name, one.options) for one in found.steps] == [(one.name, one.options) for one in steps]
    assert read_finished(kept, "another") is None
    assert read_finished(Measured(tmp_path / "machine", "other rows"), "tuned") is None
    kept.forget()
    assert read_finished(kept, "tuned") is None


def test_what_cannot_be_read_is_another_search(tmp_path: Path) -> None:
    kept = Measured(tmp_path / "machine", "about")
    keep_finished(kept, "tuned", "static", [single_step("compress.static")], [], [])
    for path in (tmp_path / "machine").iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace("compress.static", "compress.gone"), encoding="utf-8")
    assert read_finished(kept, "tuned") is None
