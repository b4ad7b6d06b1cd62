"""The base `penjing/small`: its size, its weights against those they are made from, its package."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from safetensors.numpy import load_file

from penjing.core.canon import digest_file
from penjing.make.demo import reviews
from penjing.make.run import make_release
from penjing.report.verdict import verdict

ROOT = Path(__file__).parents[2] / "bases" / "small"
BASE = ROOT / "penjing_small"
MADE = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")

RECIPE = """\
name: small
language: zh
data: {files: rows.csv, text: text, label: label}
base: auto
steps:
  - tune.full: {epochs: 2, learning_rate: 3.0e-4, layers: 3, max_tokens: 48}
  - compress.int8: {}
gates: {keep: 0.9, size_mb: 50, unproven: allow}
decide: {max_error: 0.2}
choose: validation
threads: 1
"""


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"small_{name}", ROOT / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_folder_is_at_most_48_megabytes() -> None:
    assert sum(path.stat().st_size for path in BASE.iterdir() if path.is_file()) <= 48_000_000


def test_matrices_are_int8_rows_and_the_rest_is_float16() -> None:
    stored = load_file(BASE / "model.safetensors")
    for name, tensor in stored.items():
        if name.endswith(".scale"):
            assert tensor.dtype == np.float32 and tensor.shape == stored[name.removesuffix(".scale")].shape[:1]
        elif tensor.ndim == 2 and tensor.size >= 100_000:
            assert tensor.dtype == np.int8 and np.abs(tensor).max(axis=1).min() in (0, 127)
        else:
            assert tensor.dtype == np.float16 and np.isfinite(tensor.astype(np.float32)).all()
    assert sum("attention.self.query.weight.scale" in name for name in stored) == 12


def test_the_package_names_its_files_and_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["license"] == "MIT" and project["tool"]["setuptools"]["packages"] == ["penjing_small"]
    assert "Copyright (c) Microsoft Corporation" in (BASE / "LICENSE").read_text(encoding="utf-8")
    card = (BASE / "CARD.md").read_text(encoding="utf-8")
    assert "MIT licence" in card and "# penjing/small（中文）" in card
    assert "-e ./bases/small" in (ROOT.parents[1] / "Makefile").read_text(encoding="utf-8")


def test_the_card_is_drawn_from_the_figures(tmp_path: Path) -> None:
    for name in ("figures.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).symlink_to(BASE / name)
    script("card").write(tmp_path)
    assert (tmp_path / "CARD.md").read_text(encoding="utf-8") == (BASE / "CARD.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif("PENJING_MODELS" not in os.environ, reason="PENJING_MODELS names no folder of models")
def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    teacher = Path(os.environ["PENJING_MODELS"]) / "multilingual-e5-small-zh-en"
    script("make").make(teacher, tmp_path)
    assert {name: digest_file(tmp_path / name) for name in MADE} == {name: digest_file(BASE / name) for name in MADE}


@pytest.mark.whole
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_its_top_three_layers_become_a_sealed_release(tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *reviews()[:600]])
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE, encoding="utf-8")
    made = make_release(recipe, tmp_path / "out")
    assert made.report.base == "penjing/small" and made.report.notes[0].phrase == "base_largest"
    rows = {row.name: row for row in made.report.variants}
    # Twelve layers with three of them trained know more of 360 reviews than word counts do.
    assert rows["compress.int8"].score.value > rows["tune.linear"].score.value
    assert rows["compress.int8"].size_mb < 45 and made.release is not None
    assert made.release.artifact.card.base == "penjing/small"
    report = verdict(made.report, "zh")[1]
    assert any("95% 置信区间为" in sentence for sentence in report)


@pytest.mark.whole
def test_it_is_installed_by_pip_alone(tmp_path: Path) -> None:
    # --no-build-isolation: setuptools is there, and no network is needed.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*pip, str(tmp_path), str(ROOT)], check=True)
    assert {path.name for path in (tmp_path / "penjing_small").iterdir() if path.is_file()} >= {*MADE, "LICENSE"}
    found = subprocess.run(
        [sys.executable, "-c", "import importlib.util as u; print(u.find_spec('penjing_small').origin)"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.startswith(str(tmp_path))


def test_the_card_says_which_sets_are_measured(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("small_card", ROOT / "card.py")
    assert spec is not None and spec.loader is not None
    card = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(card)
    for name in (*MADE, "figures.json"):
        (tmp_path / name).symlink_to(BASE / name)
    card.write(tmp_path)
    text = (tmp_path / "CARD.md").read_text(encoding="utf-8")
    assert text == (BASE / "CARD.md").read_text(encoding="utf-8")
    done = json.loads((BASE / "figures.json").read_text(encoding="utf-8"))["probes"]
    if len(done) < 4:
        assert f"Measured so far: {len(done)} of 4 sets. Not yet: " in text
        assert f"4 个数据集中目前测了 {len(done)} 个；尚未测量：" in text
    figures = {"sentences": {}, "probes": dict.fromkeys(("chnsenticorp", "thucnews", "banking77", "phrasebank"),
               next(iter(done.values())))}  # fmt: skip
    (tmp_path / "figures.json").unlink()
    (tmp_path / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    card.write(tmp_path)
    assert "All 4 sets are measured." in (tmp_path / "CARD.md").read_text(encoding="utf-8")
