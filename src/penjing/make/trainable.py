"""The torch artifact that a release was made of, kept beside it: later training starts there."""

from __future__ import annotations

from pathlib import Path

from penjing.core.folder import MANIFEST, link_or_copy, sealed_folder, verify
from penjing.core.nouns import Artifact

TRAINABLE = "trainable"


def keep_trainable(artifact: Artifact, out: Path) -> Path:
    """Put the artifact into OUT/trainable, under its id; another one that is there is moved aside to `trainable-ID`."""
    target = out / TRAINABLE
    with sealed_folder(target) as folder:
        for path in sorted(artifact.folder.rglob("*")):
            copy = folder / path.relative_to(artifact.folder)
            if path.is_dir():
                copy.mkdir(exist_ok=True)
            elif path.name != MANIFEST or path.parent != artifact.folder:
                link_or_copy(path, copy)
    assert verify(target) == artifact.id
    return target
