"""The stages of a form that is made of two artifacts, each made once in a run and in the form that serves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from penjing.compress import export
from penjing.core.artifact import open_artifact
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Inputs, Run


def stage(run: Run, out: Path, make: Callable[[Run], Artifact]) -> Artifact:
    """A stage, made now or taken complete from an earlier call."""
    if out.exists():
        try:
            return open_artifact(out)
        except DamageError:
            shutil.rmtree(out)
    return make(replace(run, out=out, scratch=run.scratch / f"{out.name}.scratch"))


def serving(parent: Artifact, inputs: Inputs, engine: export.EngineChoice, run: Run, name: str) -> Artifact:
    """The parent in the form that serves: as it is, or exported to the engine if it is still in torch.

    name: of its folder in the scratch of the run.
    """
    if parent.card.form != "torch":
        return parent
    options = export.Options(engine=engine)
    return stage(run, run.scratch / name, lambda inside: export.apply(inputs, options, inside))
