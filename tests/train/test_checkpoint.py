"""Checkpoints: whole or passed over, never half-read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from penjing.train.checkpoint import Checkpoint, load, save


def made(step: int, key: str = "job") -> Checkpoint:
    return Checkpoint({"model/w": torch.full((3,), float(step))}, {"key": key, "step": step, "losses": [0.5, 0.25]})


def test_the_newest_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    for step in (1, 2, 10):
        save(tmp_path / "a", step, made(step))
    found = load(tmp_path / "a", "job")
    assert found is not None
    assert found.state == {"key": "job", "step": 10, "losses": [0.5, 0.25]}
    assert found.tensors["model/w"].tolist() == [10.0, 10.0, 10.0]
    assert len(list((tmp_path / "a").iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_torn_checkpoint_is_passed_over(tmp_path: Path, damage: str) -> None:
    for step in (1, 2):
        save(tmp_path, step, made(step))
    newest = max(tmp_path.iterdir())
    raw = bytearray(newest.read_bytes())
    raw[-1] ^= 1
    newest.write_bytes({"cut": raw[:-7], "flip": raw, "empty": b""}[damage])
    found = load(tmp_path, "job")
    assert found is not None
    assert found.state["step"] == 1
    assert not newest.exists()


def test_nothing_and_foreign_checkpoints_give_none(tmp_path: Path) -> None:
    assert load(tmp_path / "missing", "job") is None
    save(tmp_path, 900, made(900, key="another"))
    (tmp_path / ".partial").write_bytes(b"left by a killed writer")
    assert load(tmp_path, "job") is None
    save(tmp_path, 1, made(1))
    found = load(tmp_path, "job")
    assert found is not None
    assert found.state["step"] == 1


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / name, 3, made(3))
    assert [path.name for path in (tmp_path / "a").iterdir()] == [path.name for path in (tmp_path / "b").iterdir()]
