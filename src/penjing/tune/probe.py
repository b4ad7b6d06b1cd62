"""Time of a step of `tune.full` on this machine, by threads: a few steps of the real model on real batches.

    threads = the fewest with which a step takes at most 1.1 times the best

More threads are not always faster: where other work takes a core, every parallel part of a step waits for the slowest
thread, and two threads can take several times as long as one. The result depends on measured times, so the caller
stores it and uses it again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from penjing.core.nouns import Inputs, Run
from penjing.train.loop import count_steps
from penjing.train.numerics import repeatable
from penjing.train.optim import Optimizing, build_optimizer
from penjing.train.supervised import Supervised
from penjing.tune.augmented import EncoderCopies
from penjing.tune.job import prepare_job, whole_model
from penjing.tune.options import TrainingOptions

SLACK = 1.1
_STEPS = 3
# A number of threads is not tried further if its first step is this many times slower than the best.
_HOPELESS = 2.0


@dataclass(frozen=True)
class Pace:
    """Seconds of a training step by threads (as text, for JSON), and the steps of one whole run."""

    seconds: Mapping[str, float]
    steps: int

    @property
    def threads(self) -> int:
        """The smallest number of threads that is about as fast as the best."""
        best = min(self.seconds.values())
        return min(int(count) for count, seconds in self.seconds.items() if seconds <= SLACK * best)

    @property
    def run_seconds(self) -> float:
        """Seconds of one whole run over all layers with those threads."""
        return self.seconds[str(self.threads)] * self.steps

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def measure_pace(method: str, inputs: Inputs, options: TrainingOptions, run: Run, cores: int) -> Pace:
    """Time a few steps with 1, 2, 4, ... and all `cores` threads. Raises what the method raises for these inputs."""
    # Which loss it is makes no difference to the time of a step, nor do copies of rows; a function of the team's own
    # need not run here.
    plain = options.model_copy(update={"loss": "auto", "costs": {}, "augment": EncoderCopies()})
    job = prepare_job(method, inputs, plain, run)
    model, objective = whole_model(job)
    steps = sum(count_steps(objective, options.epochs))
    rows = _usual_batches(objective)
    counts = [count for power in range(cores.bit_length()) if (count := 1 << power) < cores]
    found: dict[str, float] = {}
    run.progress.start("measuring a few steps of training", len(counts) + 1)
    for threads in [*counts, cores]:
        found[str(threads)] = round(_seconds(model, objective, rows, threads, run, min(found.values(), default=0)), 4)
        run.progress.advance(note=f"{threads} thread{'s' if threads > 1 else ''}")
    return Pace(found, steps)


def _usual_batches(objective: Supervised) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """A few batches of the first epoch, their sizes in tokens nearest to the middle."""
    lengths = objective.train.rows.lengths
    batches = sorted(objective.batches(0), key=lambda rows: int(lengths[rows].max()) * len(rows))
    first = max(0, (len(batches) - _STEPS) // 2)
    return batches[first : first + _STEPS]


def _seconds(model: Any, objective: Supervised, batches: list[Any], threads: int, run: Run, best: float) -> float:
    taken: list[float] = []
    with repeatable(run.seed, threads, run.device):
        optimizer = build_optimizer(model, Optimizing(1e-12))
        # The first step allocates the optimizer's moments. It is not counted, unless it is already far too slow.
        for number, rows in enumerate([batches[0], *batches]):
            began = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            objective.loss(model, rows).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            spent = time.perf_counter() - began
            if number:
                taken.append(spent)
            elif best and spent > 2 * _HOPELESS * best:
                return spent
    return median(taken)
