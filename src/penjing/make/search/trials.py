"""The trials of a search that have ended, in a file of one line each: a killed search goes on after the last of them.

A line is on the disk before the next trial begins. A last line that a power cut left half written does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from penjing.core.canon import canonical_json
from penjing.core.folder import sync
from penjing.core.nouns import Scalar

State = Literal["finished", "ended", "failed"]


@dataclass(frozen=True)
class Trial:
    """One set of values that was tried.

    state: `finished`; `ended` early, because earlier trials were better at that point; or `failed`, with the reason.
    score: the task's first metric on validation rows, of a finished trial. curves: the score at each evaluation of
    each of its trainings. seconds: how long it took.
    """

    number: int
    values: dict[str, Scalar]
    state: State
    score: float | None = None
    curves: tuple[tuple[float, ...], ...] = ()
    seconds: float = 0.0
    reason: str = ""

    @property
    def curve(self) -> tuple[float, ...]:
        """The scores of its last training."""
        return self.curves[-1] if self.curves else ()

    @property
    def reached(self) -> float | None:
        """The score of a finished trial, or the best one of a trial that was ended early."""
        return self.score if self.score is not None else max(self.curve, default=None)


def read_trials(path: Path) -> list[Trial]:
    """The trials in a file, in their order; none if there is no file. What follows a damaged line is not read."""
    return _read(path)[0]


def append_trial(path: Path, trial: Trial) -> None:
    """Add a trial to the file; it is on the disk when this returns."""
    _, length = _read(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("r+b" if not is_new else "wb") as file:
        file.truncate(length)
        file.seek(length)
        file.write(canonical_json(asdict(trial)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync(path.parent)


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The finished trial with the highest score, of several the first; None if none has finished."""
    finished = [trial for trial in trials if trial.state == "finished" and trial.score is not None]
    return max(finished, key=lambda trial: (trial.score or 0.0, -trial.number), default=None)


def _read(path: Path) -> tuple[list[Trial], int]:
    found: list[Trial] = []
    length = 0
    for line in (path.read_bytes() if path.is_file() else b"").splitlines(keepends=True):
        trial = _trial(line) if line.endswith(b"\n") else None
        if trial is None or trial.number != len(found) + 1:
            break
        found.append(trial)
        length += len(line)
    return found, length


def _trial(line: bytes) -> Trial | None:
    try:
        given: dict[str, Any] = json.loads(line)
        return Trial(**{**given, "curves": tuple(map(tuple, given["curves"]))})
    except (ValueError, TypeError, KeyError):
        return None
