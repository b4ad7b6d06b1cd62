"""The model that a release was made of stays beside it, by its id, and later training finds it there or says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.artifact import open_artifact, write_artifact, write_info
from penjing.core.errors import UsageError
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Artifact, Card, ReleaseInfo
from penjing.make.trainable import keep_trainable
from penjing.model.base import open_base


def torch_artifact(folder: Path, weight: str) -> Artifact:
    def fill(target: Path) -> None:
        (target / "encoder").mkdir()
        (target / "encoder" / "weights").write_text(weight, encoding="utf-8")

    return write_artifact(folder, Card(form="torch", method="tune.full"), fill)


def release_of(folder: Path, trainable: str) -> Path:
    with sealed_folder(folder) as target:
        card = Card(form="onnx", method="compress.int8")
        made = write_artifact(target / "model", card, lambda model: (model / "x").write_bytes(b"x") and None)
        info = ReleaseInfo(
            format=2 if trainable else 1, name="r", language="en", labels=("a", "b"), masking="1", artifact=made.id,
            tolerance=0.0, fingerprint={}, trainable=trainable,
        )  # fmt: skip
        write_info(target, info)
    return folder


def test_it_is_the_same_artifact_and_takes_no_room(tmp_path: Path) -> None:
    first = torch_artifact(tmp_path / "cache", "1")
    kept = keep_trainable(first, tmp_path / "out")
    assert open_artifact(kept).id == first.id
    assert (kept / "encoder" / "weights").stat().st_ino == (first.folder / "encoder" / "weights").stat().st_ino
    assert keep_trainable(first, tmp_path / "out") == kept
    second = torch_artifact(tmp_path / "cache2", "2")
    assert open_artifact(keep_trainable(second, tmp_path / "out")).id == second.id
    assert open_artifact(tmp_path / "out" / f"trainable-{first.id[:12]}").id == first.id, "the older one is kept"


def test_training_starts_beside_a_release_or_says_what_is_missing(tmp_path: Path) -> None:
    first = torch_artifact(tmp_path / "cache", "1")
    release_of(tmp_path / "out" / "release", first.id)
    with pytest.raises(UsageError, match=f"{first.id[:12]}.*is missing"):
        open_base("out/release", tmp_path)
    keep_trainable(first, tmp_path / "out")
    assert open_base("out/release", tmp_path).id == first.id
    assert open_base("out/trainable", tmp_path).id == first.id
    keep_trainable(torch_artifact(tmp_path / "cache2", "2"), tmp_path / "out")
    assert open_base("out/release", tmp_path).id == first.id, "a newer one beside it is not its own"
    with pytest.raises(UsageError, match="names no model"):
        open_base(str(release_of(tmp_path / "old" / "release", "")), tmp_path)
