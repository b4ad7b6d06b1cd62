"""Outputs of a teacher for many texts, stored in slices that all steps of a run share and that survive a kill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.canon import digest_lines
from penjing.core.folder import write_whole
from penjing.core.nouns import Artifact, Run
from penjing.core.stop import check_stop
from penjing.runtime.open import open_session
from penjing.runtime.session import Session
from penjing.tasks import side_by_side, task_of

_SLICE = 1024
_BATCH = 64

Floats = npt.NDArray[np.float32]


def teacher_outputs(teacher: Artifact, parts: Iterable[Sequence[str]], run: Run, title: str) -> Floats:
    """Outputs (n, sum of the heads' sizes) float32 of masked texts, one part after another.

    Each part is split into its own slices, stored in the run's shared folder under a hash of their texts. A step that
    needs the same part finds it, and the result does not depend on the requests of other steps. Raises
    RunInterruptedError when stopped; the same call then continues after the last complete slice.
    """
    folder = (run.shared or run.scratch) / "teacher"
    lists = [list(part) for part in parts]
    run.progress.start(title, sum(map(len, lists)))
    width = sum(head.size for head in task_of(teacher.card).heads.values())
    found = [np.zeros((0, width), dtype=np.float32)]
    session: Session | None = None
    for texts in lists:
        # Texts of similar length need little padding.
        order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
        outputs = np.empty((len(texts), width), dtype=np.float32)
        for first in range(0, len(order), _SLICE):
            places = order[first : first + _SLICE]
            path = folder / f"{digest_lines([teacher.id, *(texts[i] for i in places)])[:32]}.npy"
            rows = stored(path, (len(places), width))
            if rows is None:
                session = session or open_session(teacher, threads=run.threads)
                rows = _compute(session, [texts[i] for i in places], run)
                store(path, rows)
            else:
                run.progress.advance(len(places))
            outputs[places] = rows
        found.append(outputs)
    return np.concatenate(found)


def _compute(session: Session, texts: Sequence[str], run: Run) -> Floats:
    parts = []
    for start in range(0, len(texts), _BATCH):
        check_stop(run.stop)
        parts.append(side_by_side(session.task, session.outputs(texts[start : start + _BATCH])))
        run.progress.advance(len(parts[-1]))
    return np.concatenate(parts)


def store(path: Path, rows: Floats) -> None:
    """Store outputs in a file that is complete or absent."""
    buffer = BytesIO()
    np.save(buffer, rows)
    write_whole(path, buffer.getvalue())


def stored(path: Path, shape: tuple[int, int]) -> Floats | None:
    """The outputs from `store`; None if they are missing or incomplete."""
    try:
        rows: Floats = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return rows if rows.shape == shape and rows.dtype == np.float32 else None
