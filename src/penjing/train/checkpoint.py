"""Checkpoints: one safetensors file that contains its JSON, named by its hash, written with one rename.

The hash of an incomplete or damaged file differs from its name, so the file is ignored and the one before it is used.
Resuming is exact, so the result is the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from penjing.core.canon import canonical_json, digest_file
from penjing.core.folder import sync

_KEPT = 2
_META = "penjing"


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and plain JSON values."""

    tensors: dict[str, torch.Tensor]
    state: dict[str, Any]


def save(folder: Path, step: int, checkpoint: Checkpoint, *, keep: int = _KEPT) -> None:
    """Write a checkpoint of that step and remove all but the newest `keep`."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / ".partial"
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in checkpoint.tensors.items()}
    save_file(tensors, partial, metadata={_META: canonical_json(checkpoint.state).decode()})
    sync(partial)
    partial.rename(folder / f"{step:09d}-{digest_file(partial)[:32]}.safetensors")
    sync(folder)
    for old in _files(folder)[keep:]:
        old.unlink()


def load(folder: Path, key: str) -> Checkpoint | None:
    """The newest complete checkpoint with this `key`, or None; damaged files and those of other keys are removed."""
    for path in _files(folder):
        if digest_file(path)[:32] == path.stem.partition("-")[2]:
            with safe_open(path, framework="pt") as file:
                state = json.loads(file.metadata()[_META])
                if state["key"] == key:
                    return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, state)  # noqa: SIM118
        path.unlink()
    return None


def _files(folder: Path) -> list[Path]:
    """Newest first."""
    return sorted(folder.glob("[0-9]*.safetensors"), reverse=True)
