"""`penjing amend`: what it prints, its exit codes, and that it seals what it says."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.core.artifact import open_release
from penjing.core.canon import canonical_json
from penjing.core.folder import MANIFEST, sealed_folder
from penjing.core.nouns import Release, Table
from penjing.decide.policy import load_policy
from penjing.prove.certify import certify, fix_grid, label_facts
from penjing.runtime.open import open_session

WORDS = {"ham": ("see you at lunch", "call me later"), "spam": ("free prize", "win cash now")}


def rows(count: int, seed: int) -> tuple[list[str], list[str]]:
    drawn = random.Random(seed)
    labels = [("ham", "spam")[i % 2] for i in range(count)]
    return [f"{drawn.choice(WORDS[label])} {seed} {drawn.randrange(10**9)}" for label in labels], labels


@pytest.fixture(scope="module")
def certified(tiny_release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("certified") / "release"
    policy, session = load_policy(tiny_release), open_session(tiny_release.artifact, threads=1)

    def labelled(count: int, seed: int) -> Any:
        texts, labels = rows(count, seed)
        return label_facts(session, policy, Table(texts, labels, fields={"channel": ["web"] * count}))

    certificate = certify(policy, fix_grid(policy, labelled(60, 1), 100, 0.1), labelled(100, 2), 0.1)
    with sealed_folder(target) as inside:
        shutil.copytree(tiny_release.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        (inside / "certificate.json").write_bytes(canonical_json(certificate.model_dump(mode="json")))
    return target


def prepare(folder: Path, rules: str, count: int = 120, seed: int = 3) -> list[object]:
    (folder / "new.csv").write_text(rules, encoding="utf-8")
    texts, labels = rows(count, seed)
    lines = [f"{text},{label},web" for text, label in zip(texts, labels, strict=True)]
    (folder / "fresh.csv").write_text("\n".join(["body,class,channel", *lines]) + "\n", encoding="utf-8")
    return ["--rules", folder / "new.csv", "--data", folder / "fresh.csv", "--text", "body", "--label", "class"]


def test_seals_and_says_what_is_certified(certified: Path, penjing: Callable[..., Any], tmp_path: Path) -> None:
    given = prepare(tmp_path, "name,text,then\nlunch,contains lunch,review\n")
    ran = penjing("amend", certified, *given, "--out", tmp_path / "out", "--threads", 1)
    assert ran.code == 0, ran.err
    assert "with 95% confidence the error among automated decisions is at most 10%" in ran.out
    assert open_release(tmp_path / "out").id[:12] in ran.out
    assert "120 rows given, 0 used before, 0 repeated or empty: 120 certify" in ran.err


def test_prints_json_without_the_hashes(certified: Path, penjing: Callable[..., Any], tmp_path: Path) -> None:
    rules = "name,text,p,then\nlunch,contains lunch,,review\nlow,,<0.6,outcome ham\n"
    ran = penjing("amend", certified, *prepare(tmp_path, rules), "--out", tmp_path / "out", "--json")
    (found,) = ran.lines
    assert found["release"] == open_release(tmp_path / "out").id
    assert found["certificate"]["rows"] == 120 and "used" not in found["certificate"]
    assert "row 3 (low) leads to `outcome ham`, but row 2 above it leads elsewhere" in ran.err


def test_exit_codes(certified: Path, penjing: Callable[..., Any], tmp_path: Path) -> None:
    given = prepare(tmp_path, "name,label,then\na,spma,review\n")
    ran = penjing("amend", certified, *given, "--out", tmp_path / "out")
    assert ran.code == 2 and "new.csv:2:2" in ran.err and "did you mean `spam`?" in ran.err
    given = prepare(tmp_path, "name,label,then\na,spam,review\n", count=100, seed=2)
    ran = penjing("amend", certified, *given, "--out", tmp_path / "out")
    assert ran.code == 3 and "each was used before" in ran.err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_the_users_is_not_moved_and_no_row_is_spent(
    certified: Path, penjing: Callable[..., Any], tmp_path: Path
) -> None:
    given = prepare(tmp_path, "name,text,then\nlunch,contains lunch,review\n")
    own = tmp_path / "own"
    own.mkdir()
    (own / "notes.txt").write_text("mine", encoding="utf-8")
    for place in (own, own / "notes.txt"):
        ran = penjing("amend", certified, *given, "--out", place)
        assert ran.code == 2 and "something is here that `penjing amend` did not write" in ran.err
    assert (own / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert penjing("amend", certified, *given, "--out", tmp_path / "out", "--threads", 1).code == 0
