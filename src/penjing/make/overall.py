"""Progress of a whole run of `make` over all stages, with the time left.

    time left = what is left of this stage + the estimates of the stages to come

A stage's estimate comes from the probe of training steps, or from the time of the stage on a reference machine, scaled
by that probe. A piece of work that counts its units is estimated to take at least as long as their measured speed says.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from penjing.core.nouns import Progress
from penjing.core.pace import time_in_words, time_left

# Seconds on a machine on which a training step of the shipped base takes REFERENCE_STEP, for 2,000 short rows, of which
# 1,200 are training rows.
READING, BASELINE, SMALL_STEP, MEASURING, TESTING = 5.0, 6.0, 6.0, 12.0, 40.0
REFERENCE_STEP = 0.45
# Compressions that train take about as long as the tuning.
TRAINS = ("compress.distill", "compress.static", "compress.cascade", "compress.exit")
# The stage in which models are compared out of fold. A fold learns from four fifths of the rows.
FOLDING, FOLD_SHARE = "folds", 0.8


@dataclass
class Overall:
    """A Progress that adds the progress of the whole run to every line; stages follow the order of `seconds`."""

    inner: Progress
    seconds: dict[str, float]
    stage: str = ""
    began: float = field(default_factory=time.monotonic)
    entered: float = field(default_factory=time.monotonic)
    piece: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0
    # The largest share that was shown: an estimate that grows takes nothing back.
    shown: float = 0.0

    def enter(self, stage: str) -> None:
        """Begin a stage; a stage without an estimate counts as part of the one before."""
        if stage in self.seconds:
            self.stage, self.entered, self.done = stage, time.monotonic(), 0

    def plan(self, seconds: Mapping[str, float]) -> None:
        """Replace the stages and their order."""
        self.seconds = dict(seconds)

    def expect(self, seconds: Mapping[str, float]) -> None:
        """Replace the estimates of stages; their order stays."""
        self.seconds.update(seconds)

    def start(self, title: str, total: int | None) -> None:
        """Begin a piece of work."""
        self.piece, self.done, self.total = time.monotonic(), 0, total or 0
        self.inner.start(f"[{self.share:.0%}] {title}", total)

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Add `amount` finished units of the piece."""
        self.done += amount
        self.inner.advance(amount, f"{note + '; ' if note else ''}all in about {time_in_words(self.left)}")

    def say(self, line: str) -> None:
        """Print a line that is not overwritten."""
        self.inner.say(line)

    @property
    def left(self) -> float:
        """Estimated seconds until the whole run ends."""
        names = list(self.seconds)
        later = names[names.index(self.stage) + 1 :] if self.stage in names else names
        now = time.monotonic()
        stage_left = max(0.0, self.seconds.get(self.stage, 0.0) - (now - self.entered))
        stage_left = max(stage_left, time_left(self.done, self.total, now - self.piece) or 0.0)
        return stage_left + sum(self.seconds[name] for name in later)

    @property
    def share(self) -> float:
        """Share of the whole run that is done, by time; it never falls, and is at most 0.99."""
        spent = time.monotonic() - self.began
        now = min(0.99, spent / (spent + self.left)) if spent + self.left > 0 else 0.0
        self.shown = max(self.shown, now)
        return self.shown


def stages(steps: list[str], rows: int, search: bool, folds: int = 0) -> dict[str, float]:
    """Seconds of each stage on the reference machine, before any measurement. rows: number of train rows.

    folds: of a choice out of fold; 0 where validation rows choose.
    """
    size = max(0.5, rows / 1200)
    found = {"reading": READING * size, "tune.linear": BASELINE * size}
    if steps[0] != "tune.linear":
        found[steps[0]] = 150.0 * size
        found |= {name: 100.0 * size if name in TRAINS else SMALL_STEP for name in steps[1:]}
        if search:
            found["search"] = 600.0 * size
    found["measuring"] = MEASURING * len(steps)
    if folds:
        found[FOLDING] = folds * FOLD_SHARE * _of_steps(found)
    return found | {"testing": TESTING}


def _of_steps(estimates: Mapping[str, float]) -> float:
    """The seconds of the steps among the stages: those that every fold repeats."""
    return sum(seconds for name, seconds in estimates.items() if "." in name)


def scaled(estimates: Mapping[str, float], tuned: str, step_seconds: float, tuning: float) -> dict[str, float]:
    """The estimates for this machine. tuned: the step that tunes the base; step_seconds: of one step
    of its training; tuning: of all of them."""
    factor = max(0.2, step_seconds / REFERENCE_STEP)
    found = {name: tuning if name == tuned else seconds * factor for name, seconds in estimates.items()}
    if FOLDING in found:
        found[FOLDING] = estimates[FOLDING] * _of_steps(found) / _of_steps(estimates)
    return found
