"""What a teacher says of many texts: its logits, computed once, in slices that survive a kill."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from penjing.compress.sealing import check_stop
from penjing.core.canon import digest_lines
from penjing.core.folder import sync
from penjing.core.nouns import Artifact, Run
from penjing.runtime.session import open_session

_SLICE = 2048


def teacher_logits(teacher: Artifact, texts: Sequence[str], run: Run, title: str) -> npt.NDArray[np.float32]:
    """Logits (n, labels) float32 of masked texts; each slice is stored in the scratch under what it depends on.

    Raises RunInterruptedError when stopped; the same call then goes on behind the last whole slice.
    """
    folder = run.scratch / "teacher"
    folder.mkdir(parents=True, exist_ok=True)
    run.progress.start(title, len(texts))
    # Neighbours in length fill a batch well.
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
    found = np.zeros((len(texts), len(teacher.card.labels)), dtype=np.float32)
    session = None
    for first in range(0, len(order), _SLICE):
        places = order[first : first + _SLICE]
        path = folder / f"{digest_lines([teacher.id, *(texts[i] for i in places)])[:32]}.npy"
        if not path.exists():
            session = session or open_session(teacher, threads=run.threads)
            parts = []
            for start in range(0, len(places), 64):
                check_stop(run)
                parts.append(session.logits([texts[i] for i in places[start : start + 64]]))
                run.progress.advance(len(parts[-1]))
            partial = folder / ".partial.npy"
            np.save(partial, np.concatenate(parts))
            sync(partial)
            partial.rename(path)
        else:
            run.progress.advance(len(places))
        found[places] = np.load(path)
    return found
