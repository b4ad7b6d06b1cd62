"""`penjing show`: a release and an artifact by their own words, after every byte of them was verified."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.core.canon import canonical_json
from penjing.core.folder import MANIFEST, folder_size, sealed_folder
from penjing.core.nouns import Release


def test_a_release_shows_what_it_promises(penjing: Callable[..., Any], tiny_release: Release) -> None:
    ran = penjing("show", tiny_release.folder)
    assert ran.code == 0, ran.err
    for words in (
        f"release     {tiny_release.id}",
        "tiny (classify, mixed)",
        "texts kept: masked",
        "decisions certified; max_error 0.1, audit 0.0",
        "spam: automatic from 0.6000",
        "keep: held (promised 0.98)",
        "p99_ms: unproven (promised 20.0)",
        f"artifact    {tiny_release.artifact.id}",
        "linear, made by tune.linear",
        "2: ham, spam",
        "verified    every file",
    ):
        assert words in ran.out


def test_a_label_that_is_always_reviewed_says_so(
    penjing: Callable[..., Any], tiny_release_maker: Callable[..., Release], tmp_path: Path
) -> None:
    release = tiny_release_maker(tmp_path / "made", threshold=None)
    assert "ham: review" in penjing("show", release.folder).out


@pytest.mark.parametrize(
    ("name", "english", "in_chinese"),
    [
        (
            "by-item",
            "decisions certified item by item, at most 2 of a text; max_error 0.1",
            "逐项认证，每条文本最多 2 项",
        ),
        ("by-label", "decisions certified label by label; max_error", "逐个标签认证"),
    ],
)
def test_a_release_says_what_its_limits_are_about(
    penjing: Callable[..., Any], name: str, english: str, in_chinese: str
) -> None:
    folder = Path(__file__).parents[1] / "golden" / "sixth" / name
    assert english in penjing("show", folder).out
    assert in_chinese in penjing("--lang", "zh", "show", folder).out


def test_json_holds_the_whole(penjing: Callable[..., Any], tiny_release: Release) -> None:
    found = json.loads(penjing("show", tiny_release.folder, "--json").out)
    assert found["release"] == tiny_release.id and found["artifact"] == tiny_release.artifact.id
    assert found["info"] == tiny_release.info.model_dump(mode="json")
    assert found["card"] == tiny_release.artifact.card.model_dump(mode="json")
    assert found["policy"]["thresholds"] == {"ham": 0.6, "spam": 0.6}
    assert found["certificate"]["certified"] is True
    assert found["bytes"] == folder_size(tiny_release.folder)


def test_an_artifact_shows_its_card_and_no_release(penjing: Callable[..., Any], tiny_release: Release) -> None:
    ran = penjing("show", tiny_release.artifact.folder)
    assert ran.code == 0, ran.err
    assert f"artifact    {tiny_release.artifact.id}" in ran.out and "release" not in ran.out
    assert set(json.loads(penjing("show", tiny_release.artifact.folder, "--json").out)) == {"artifact", "card", "bytes"}


def test_a_changed_byte_shows_nothing_and_exits_5(
    penjing: Callable[..., Any], tiny_release: Release, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(tiny_release.folder, folder)
    card = folder / "model" / "card.json"
    card.write_bytes(card.read_bytes().replace(b"linear", b"lineer", 1))
    ran = penjing("show", folder)
    assert ran.code == 5
    assert ran.out == "" and "was changed since it was sealed" in ran.err


def test_what_is_no_folder_of_penjing_is_told(penjing: Callable[..., Any], tmp_path: Path) -> None:
    assert penjing("show", tmp_path / "nowhere").code == 2
    (tmp_path / "plain").mkdir()
    ran = penjing("show", tmp_path / "plain")
    assert ran.code == 2 and "this folder is not an artifact" in ran.err
    (tmp_path / "plain" / "card.json").write_text("{}", encoding="utf-8")
    ran = penjing("show", tmp_path / "plain")
    assert ran.code == 5 and "never sealed" in ran.err


def test_a_release_of_several_periods_shows_each_the_one_that_holds_first(
    penjing: Callable[..., Any], tiny_release: Release, tmp_path: Path
) -> None:
    found = json.loads((tiny_release.folder / "certificate.json").read_bytes())
    year = 365 * 86_400
    # From 1971 to 9000 something is certified, before and after nothing; the certificate is that of the worst period.
    first, last = year, 7030 * year
    proven = {
        "certified": True,
        "rows": 300,
        "automation": 0.8,
        "error": 0.01,
        "thresholds": {"ham": 0.7, "spam": None},
    }
    found |= {
        "format": 3,
        "certified": False,
        "periods": [
            {"first": None, "last": first - 1},
            {"first": first, "last": last, **proven},
            {"first": last + 1, "last": None, "rows": 300},
        ],
    }
    with sealed_folder(tmp_path / "dated") as inside:
        shutil.copytree(tiny_release.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        (inside / "certificate.json").write_bytes(canonical_json(found))
    out = penjing("show", tmp_path / "dated").out
    now, to_come, past = (line.strip() for line in out.splitlines() if "calibration rows" in line)
    assert now.startswith("now from 1971-01-01 to ") and now.endswith(
        ": 80.0% of 300 calibration rows are decided by the model, 1.00% of them wrong"
    )
    assert "ham: automatic from 0.7000" in out and "spam: review" in out and "not certified" not in out
    assert to_come.endswith("nothing is certified on 300 calibration rows, cases without a rule go to review")
    assert past == "until 1970-12-31: nothing is certified on 0 calibration rows, cases without a rule go to review"
