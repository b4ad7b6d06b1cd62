"""The torch artifact from which a release was made, kept beside it as the start of later training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penjing.core.folder import MANIFEST, link_or_copy, sealed_folder, verify
from penjing.core.methods import Done
from penjing.core.nouns import Artifact
from penjing.report.found import Variant

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


def student_of(chosen: Variant, done: Sequence[Done]) -> Artifact:
    """The last torch artifact of the chosen form; the form itself if it was never in torch."""
    ancestors = {step.get("parent") for step in chosen.artifact.card.lineage}
    in_torch = [one.artifact for one in done if one.artifact.card.form == "torch" and one.artifact.id in ancestors]
    return in_torch[-1] if in_torch else chosen.artifact
