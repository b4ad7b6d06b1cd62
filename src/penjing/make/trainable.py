"""The torch artifact that a release was made of, kept beside it: later training starts there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from penjing.core.folder import MANIFEST, sealed_folder, verify
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
                _link(path, copy)
    assert verify(target) == artifact.id
    return target


def _link(source: Path, copy: Path) -> None:
    """The same file under a second name, which takes no room; a copy where the disk has no such thing."""
    try:
        os.link(source, copy)
    except OSError:
        shutil.copyfile(source, copy)
