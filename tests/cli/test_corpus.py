"""`penjing corpus build` and `show`: what they print, write and refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXT = "银行在收到您的投诉之后，会在{n}个工作日内与您联系，并把第{n}次处理的结果告诉您，请保持电话畅通。"


def test_build_and_show(penjing: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join([TEXT.format(n=n) for n in range(30)] + ["好"]), encoding="utf-8")
    out = tmp_path / "corpus"
    given = ["corpus", "build", f"客服={tmp_path / 'a.txt'}", "--documents", "line", "--workers", 1, "--no-near"]
    ran = penjing(*given, "--out", out, "--licence", "CC0", "--lang", "en")
    assert ran.code == 0, ran.err
    assert "30 of 31 documents kept" in ran.out and "left out: 1  too short" in ran.out
    assert (tmp_path / "corpus.report.html").exists() and not (tmp_path / "corpus.unfinished").exists()
    shown = penjing("corpus", "show", out, "--json")
    card = json.loads(shown.out)
    assert card["sources"][0]["licence"] == "CC0" and card["domains"][0]["name"] == "客服"
    assert card["domains"][0]["held_out"]["documents"] == 1
    assert "读入 31 篇，保留 30 篇" in penjing("corpus", "show", out, "--lang", "zh").out


def test_what_is_refused(penjing: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = penjing("corpus", "build", tmp_path / "empty", "--out", tmp_path / "out", "--lang", "en")
    assert ran.code == 3 and "there is no text in this source" in ran.err and "fix:" in ran.err
    ran = penjing("corpus", "build", tmp_path, "--out", tmp_path / "out", "--languages", "zho", "--lang", "en")
    assert ran.code == 2 and "there is no language `zho`" in ran.err
    assert penjing("corpus", "show", tmp_path, "--lang", "en").code == 2
