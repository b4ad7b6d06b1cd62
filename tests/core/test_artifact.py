"""Artifacts are written whole, read only when verified, and refused with a word when they are something else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penjing.core.artifact import (
    observed_file,
    open_artifact,
    open_release,
    promises,
    read_observed,
    write_artifact,
    write_info,
)
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Card, Release, ReleaseInfo


def test_round_trip(tmp_path: Path) -> None:
    card = Card(form="linear", method="tune.linear", labels=("no", "yes"), temperature=1.5)
    made = write_artifact(tmp_path / "a", card, lambda folder: (folder / "w.bin").write_bytes(b"1") and None)
    again = open_artifact(tmp_path / "a")
    assert again == made
    assert again.card.temperature == 1.5
    (tmp_path / "a" / "w.bin").write_bytes(b"2")
    with pytest.raises(DamageError, match="changed"):
        open_artifact(tmp_path / "a")


def test_other_folders(tmp_path: Path) -> None:
    with sealed_folder(tmp_path / "b") as folder:
        (folder / "x").write_text("x")
    with pytest.raises(UsageError, match="not an artifact"):
        open_artifact(tmp_path / "b")
    with pytest.raises(UsageError, match="not a release"):
        open_release(tmp_path / "b")


def write_observed(folder: Path, identity: str, found: dict[str, Any]) -> None:
    """As earlier versions wrote it."""
    observed_file(folder).write_text(json.dumps({**found, "release": identity}), encoding="utf-8")


def test_what_was_observed_is_read_of_the_same_release_alone(tmp_path: Path, tiny_release: Release) -> None:
    assert [gate["name"] for gate in read_observed(tiny_release)["gates"]] == ["keep", "p99_ms"]
    moved = replace(tiny_release, folder=tmp_path / "release")
    assert read_observed(moved) == {}
    write_observed(moved.folder, "another", {"gates": []})
    assert read_observed(moved) == {}
    write_observed(moved.folder, moved.id, {"gates": []})
    assert read_observed(moved) == {"gates": [], "release": moved.id}
    (tmp_path / "release.observations.json").write_text("[")
    assert read_observed(moved) == {}


def test_what_stands_beside_never_replaces_what_is_sealed(tmp_path: Path, tiny_release: Release) -> None:
    moved = replace(tiny_release, folder=tmp_path / "release")
    sealed = {"name": "keep", "promised": 0.98, "state": "unproven"}
    timed = {"name": "p99_ms", "promised": 20.0, "state": "held"}
    write_observed(moved.folder, moved.id, {"gates": [sealed | {"state": "held"}, timed, {"name": "odd"}, "x", None]})
    assert promises(moved, {"gates": [sealed]}) == [sealed, timed]
    strange = [{"name": ["x"], "promised": 1, "state": "held"}, {"name": "y", "promised": 1, "state": "helld"}]
    write_observed(moved.folder, moved.id, {"gates": strange})
    assert promises(moved, {"gates": [sealed]}) == [sealed]
    write_observed(moved.folder, moved.id, {"gates": "x"})
    assert promises(moved, {"gates": [sealed]}) == [sealed]
    assert promises(moved, {}) == []


def test_a_release_of_the_first_format_is_written_as_before(tmp_path: Path) -> None:
    info = ReleaseInfo(name="n", language="en", labels=("a",), masking="1", artifact="x", tolerance=0.0, fingerprint={})
    write_info(tmp_path, info)
    assert not {"columns", "labels_read_as"} & json.loads((tmp_path / "release.json").read_bytes()).keys()
    newer = info.model_copy(update={"format": 2, "columns": {"text": "t"}, "labels_read_as": {"b": "a"}})
    write_info(tmp_path, newer)
    assert ReleaseInfo.model_validate_json((tmp_path / "release.json").read_bytes()) == newer


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "9"}', '{"name": 5, "labels": "a"}'])
def test_a_sealed_file_that_is_no_release_is_told_in_plain_words(tmp_path: Path, text: str) -> None:
    with sealed_folder(tmp_path / "r") as inside:
        (inside / "release.json").write_text(text, encoding="utf-8")
    with pytest.raises(DamageError, match=r"release\.json is not valid: (`|the )") as caught:
        open_release(tmp_path / "r")
    assert caught.value.fix == "install the version of penjing that made it, or a newer one"
    assert "input" not in str(caught.value).lower()


def test_a_release_names_labels_or_the_state_of_a_task() -> None:
    values = {"name": "n", "language": "en", "masking": "1", "artifact": "x", "tolerance": 0.0, "fingerprint": {}}
    assert "task_state" not in ReleaseInfo(labels=("a",), **values).model_dump()
    assert ReleaseInfo(format=3, task="score", task_state={"within": 1}, **values).model_dump()["labels"] == ()
    for wrong in ({}, {"task_state": {"within": 1}}, {"format": 3, "labels": ("a",)}):
        with pytest.raises(ValueError, match="format 3 has the state of a task"):
            ReleaseInfo(**values, **wrong)
