"""`penjing predict`: probabilities a row, nothing on record."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_a_line_a_row_and_no_record(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\nwin cash now 免费领奖\n明天开会 收到谢谢\n", encoding="utf-8")
    ran = penjing("predict", tiny_release.folder, tmp_path / "in.csv")
    assert ran.code == 0, ran.err
    assert [(line["row"], line["label"]) for line in ran.lines] == [(2, "spam"), (3, "ham")]
    for line in ran.lines:
        assert set(line) == {"row", "label", "p", "probabilities", "too_long"}
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert line["p"] == max(line["probabilities"].values())
    assert not (tmp_path / "penjing.db").exists()


def test_it_agrees_with_decide(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("win cash now\n明天开会\ncall me later\n", encoding="utf-8")
    predicted = penjing("predict", tiny_release.folder, tmp_path / "in.txt").lines
    decided = penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines
    assert [line["probabilities"] for line in predicted] == [line["facts"]["probabilities"] for line in decided]


def test_a_bad_row_is_told(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "ok"}\n{"text": "\\ud800"}\n{"text": "ok"}\n', encoding="utf-8")
    ran = penjing("predict", tiny_release.folder, tmp_path / "in.jsonl")
    assert ran.code == 3
    assert ["error" in line for line in ran.lines] == [False, True, False]
    assert "1 rows could not be predicted" in ran.err
