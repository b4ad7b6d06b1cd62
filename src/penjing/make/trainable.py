"""The torch artifact from which a release was made, kept beside it as the start of later training."""

from __future__ import annotations

from pathlib import Path

from penjing.core.folder import MANIFEST, link_or_copy, sealed_folder, verify
from penjing.core.nouns import Artifact

TRAINABLE = "trainable"


def keep_trainable(artifact: Artifact, out: Path) -> Path:
    """Put the artifact into OUT/trainable with its id; another artifact there is moved to `trainable-ID`."""
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
