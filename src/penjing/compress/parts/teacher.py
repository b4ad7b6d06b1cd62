"""Outputs of a teacher for many texts, computed once for all steps of a run (compress/parts/slices)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from penjing.compress.parts.slices import Floats, in_slices
from penjing.core.nouns import Artifact, Run
from penjing.core.stop import check_stop
from penjing.runtime.open import open_session
from penjing.runtime.session import Session
from penjing.tasks import side_by_side, task_of

_BATCH = 64


def teacher_outputs(teacher: Artifact, parts: Iterable[Sequence[str]], run: Run, title: str) -> Floats:
    """Outputs (n, sum of the heads' sizes) float32 of masked texts, one part after another.

    Each part is split into slices of its own, stored in the run's shared folder: a step that needs the same part finds
    it, and the result does not depend on the requests of other steps. Raises RunInterruptedError when stopped; the same
    call then goes on after the last complete slice.
    """
    folder = (run.shared or run.scratch) / "teacher"
    lists = [list(part) for part in parts]
    run.progress.start(title, sum(map(len, lists)))
    width = sum(head.size for head in task_of(teacher.card).heads.values())
    # Opened for the first slice that is not stored: a run that has them all loads no teacher.
    session = cache(lambda: open_session(teacher, threads=run.threads))

    def compute(texts: list[str]) -> Floats:
        return _compute(session(), texts, run)

    found = [in_slices(texts, width, [teacher.id], folder, compute, run) for texts in lists]
    return np.concatenate([np.zeros((0, width), dtype=np.float32), *found])


def _compute(session: Session, texts: Sequence[str], run: Run) -> Floats:
    parts = []
    for start in range(0, len(texts), _BATCH):
        check_stop(run.stop)
        parts.append(side_by_side(session.task, session.outputs(texts[start : start + _BATCH])))
        run.progress.advance(len(parts[-1]))
    return np.concatenate(parts)
