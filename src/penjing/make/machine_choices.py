"""Choices that depend on measured times: made once on a machine and stored in the run's folder.

The weights of a trained model depend on the number of threads. It is measured at the first call (`tune/probe.py`) and
read from the folder at every later one, also after the run has ended. On another machine, for other rows or with other
options it is measured again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penjing.core.canon import digest
from penjing.core.machine import cores, hardware
from penjing.core.methods import Step
from penjing.core.nouns import Artifact, Inputs, Progress, Run
from penjing.core.recipe import RecipeFile
from penjing.data.prepare import Prepared
from penjing.make.cache import library_versions, table_fingerprint
from penjing.make.overall import Overall, scaled
from penjing.make.timings import Measured
from penjing.tune.options import TrainingOptions

# The folder in the cache for what holds on this machine only.
MACHINE = "machine"


def threads_of(
    file: RecipeFile, tuning: Step, data: Prepared, base: Artifact | None, folder: Path, progress: Overall
) -> int:
    """The recipe's threads, or those of a probe of training steps, which also updates the time estimates."""
    if base is None or not isinstance(tuning.options, TrainingOptions):
        return file.recipe.threads or cores()
    features = file.recipe.data.feature_types()
    inputs = Inputs(base, data.train, data.validation, language=data.language, task=data.task, features=features)
    if file.recipe.threads:
        return file.recipe.threads
    pace = pace_of(tuning, inputs, file.recipe.seed, folder, progress)
    rates = len(tuning.options.learning_rate)
    tuning_seconds = pace["run_seconds"] * (1 + (rates - 1) / 6)
    progress.expect(scaled(progress.seconds, tuning.name, pace["seconds"][str(pace["threads"])], tuning_seconds))
    return int(pace["threads"])


def pace_of(step: Step, inputs: Inputs, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """{"threads", "run_seconds", "seconds", "steps"} of a step that tunes an encoder: from `folder`, or measured."""
    kept = Measured(folder, digest([hardware(), cores(), library_versions()]))

    def measure() -> dict[str, Any]:
        # Imports torch, which a linear model does not need.
        from penjing.tune.probe import measure_pace

        assert isinstance(step.options, TrainingOptions)
        progress.start("measuring a few steps of training", None)
        run = Run(folder / "none", folder, seed=seed, threads=1)
        pace = measure_pace(step.name, inputs, step.options, run, cores())
        times = ", ".join(f"{seconds:.2f} s with {count}" for count, seconds in pace.seconds.items())
        progress.say(f"threads of training: {pace.threads} (a step takes {times})")
        return {**pace.to_json(), "threads": pace.threads, "run_seconds": round(pace.run_seconds, 1)}

    parent = inputs.parent.id if inputs.parent else ""
    rows = [table_fingerprint(inputs.train), table_fingerprint(inputs.validation)]
    return kept.once(["pace", parent, digest(step.options.model_dump(mode="json")), *rows, str(seed)], measure)
