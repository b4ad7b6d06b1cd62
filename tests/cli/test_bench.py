"""`penjing bench` times what is sealed, on texts of one's own, and says what it compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from penjing.core.nouns import Release


def test_a_release_is_timed_on_its_own_suite(penjing: Callable[..., Any], tiny_release: Release) -> None:
    ran = penjing("bench", tiny_release.folder, "--calls", 20, "--threads", 1, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["release"] == tiny_release.id and found["timed"] == "masking to outcome"
    assert found["texts"] == {"source": "regression suite", "rows": 20}
    assert found["threads"] == 1 and found["hardware"] and found["fingerprint"]["engine"] == "linear"
    speed = found["speed"]["penjing"]
    assert speed["calls"] == 20 and len(speed["windows_p50_ms"]) == 5 and 0 < speed["p50_ms"] <= speed["p99_ms"]


def test_an_artifact_is_timed_to_its_prediction(penjing: Callable[..., Any], tiny_release: Release) -> None:
    ran = penjing("bench", tiny_release.artifact.folder, "--calls", 5)
    assert ran.code == 0, ran.err
    assert "masking to prediction" in ran.out and "built-in samples" in ran.out and "texts/s" in ran.out


def test_texts_come_from_a_file(penjing: Callable[..., Any], tiny_release: Release, tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    file.write_text("body,other\nfree prize,1\nsee you,2\n", encoding="utf-8")
    ran = penjing("bench", tiny_release.folder, "--data", file, "--text", "body", "--calls", 5, "--json")
    assert json.loads(ran.out)["texts"] == {"source": str(file), "rows": 2}
    ran = penjing("bench", tiny_release.folder, "--data", file, "--calls", 5)
    assert ran.code == 2 and "--text body" in ran.err
    file.write_text("text\n", encoding="utf-8")
    ran = penjing("bench", tiny_release.folder, "--data", file, "--calls", 5)
    assert ran.code == 3 and "no text" in ran.err


def test_only_a_torch_artifact_has_a_pipeline(penjing: Callable[..., Any], tiny_release: Release) -> None:
    ran = penjing("bench", tiny_release.folder, "--against", tiny_release.artifact.folder, "--calls", 5)
    assert ran.code == 2 and "tune.full" in ran.err
