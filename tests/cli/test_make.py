"""`penjing make`: what a person reads, and the exit codes that scripts rely on; `penjing show` opens what it made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("short_times")

ROWS = 300


def write_recipe(folder: Path, gates: str) -> Path:
    lines = ["text,label"]
    for number in range(ROWS):
        good = number % 2
        lines.append(
            f"{'lovely stay' if good else 'awful noise'} in room {number} near the {number * 7919 % 1000} lift,{good}"
        )
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        f"name: rooms\ndata: {{files: rows.csv}}\nsteps:\n  - tune.linear: {{}}\ngates: {gates}\n"
        "decide: {max_error: 0.2}\nthreads: 1\n",
        encoding="utf-8",
    )
    return recipe


def test_seals_and_shows(penjing: Callable[..., Any], tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "{keep: 0.9, unproven: allow}")
    ran = penjing("make", recipe, "--json", "--no-texts")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert report["sealed"]
    assert all(error["text"] is None for error in report["errors"])
    shown = penjing("show", tmp_path / "out" / "release")
    assert shown.code == 0
    assert report["release"] in shown.out
    found = json.loads(penjing("show", tmp_path / "out" / "release", "--json").out)
    assert found["certificate"]["max_error"] == 0.2


def test_a_refused_gate_exits_4_and_still_reports(penjing: Callable[..., Any], tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "{size_mb: 0.0001}")
    ran = penjing("make", recipe, "--lang", "zh")
    assert ran.code == 4
    assert "发布包大小（size_mb）：承诺 0.0001" in ran.out
    assert "没有封装：" in ran.err and "办法：再加一步缩小模型，或放宽承诺 `size_mb`" in ran.err
    assert 'lang="zh-Hans"' in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_three_rows_exit_3(penjing: Callable[..., Any], tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "{}")
    (tmp_path / "rows.csv").write_text("text,label\na,x\nb,y\nc,x\n", encoding="utf-8")
    ran = penjing("make", recipe)
    assert ran.code == 3
    assert "fix:" in ran.err
