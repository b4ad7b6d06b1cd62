"""Recorded cases say why in one line, with the certified threshold where the release is still there."""

from __future__ import annotations

import shutil
from pathlib import Path

from penjing.cases.recorded_why import RecordedWhy
from penjing.store.database import open_store
from penjing.store.records import scan_records


def test_the_release_gives_the_threshold_and_without_it_the_rest_is_said(
    penjing, tiny_release_maker, tmp_path: Path
) -> None:
    made = tiny_release_maker(tmp_path / "made", threshold=0.99)
    (tmp_path / "in.csv").write_text("text,channel\nsee you later prize,app\n打13812345678,app\n", encoding="utf-8")
    assert penjing("decide", made.folder, "in.csv").code == 0
    store = open_store("sqlite:///penjing.db")
    model, rule = list(scan_records(store))
    assert "below the certified 0.99: a person decides; no rule fired" in RecordedWhy(store)(made.id, model.decided())
    assert RecordedWhy(store, "zh")(made.id, rule.decided()) == (
        "规则 `phone` 把这个案例交给人工；规则 `phone` 的理由：a number stands in the text"
    )
    shutil.rmtree(made.folder)
    assert "below its certified threshold: a person decides" in RecordedWhy(store)(made.id, model.decided())
    store.close()
