"""What a teacher says of many texts: its logits, computed once for all steps of a run, kept through a kill."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.compress.sealing import check_stop
from penjing.core.folder import sync
from penjing.core.nouns import Artifact, Run
from penjing.runtime.session import open_session

_SLICE = 1024
_BATCH = 64
_HASH = 32

Floats = npt.NDArray[np.float32]


def teacher_logits(teacher: Artifact, texts: Sequence[str], run: Run, title: str) -> Floats:
    """Logits (n, labels) float32 of masked texts.

    What was computed for a text stands in the shared folder of the run: another step asks for it there, and the same
    call goes on behind the last stored slice and ends in the same bits. Raises RunInterruptedError when stopped.
    """
    store = _Store((run.shared or run.scratch) / "teacher" / teacher.id[:_HASH], len(teacher.card.labels))
    keys = [hashlib.sha256(text.encode()).digest() for text in texts]
    # Neighbours in length fill a batch well.
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
    waiting = list({keys[i]: i for i in order if keys[i] not in store.found}.values())
    run.progress.start(title, len(waiting))
    session = open_session(teacher, threads=run.threads) if waiting else None
    for first in range(0, len(waiting), _SLICE):
        places = waiting[first : first + _SLICE]
        parts = []
        for start in range(0, len(places), _BATCH):
            check_stop(run)
            assert session is not None
            parts.append(session.logits([texts[i] for i in places[start : start + _BATCH]]))
            run.progress.advance(len(parts[-1]))
        store.add([keys[i] for i in places], np.concatenate(parts))
    found = np.empty((len(texts), len(teacher.card.labels)), dtype=np.float32)
    for row, key in zip(found, keys, strict=True):
        row[:] = store.found[key]
    return found


class _Store:
    """A folder of slices, each whole in a file of its own: texts by SHA-256, with their logits."""

    def __init__(self, folder: Path, labels: int) -> None:
        self._folder = folder
        self._record = np.dtype([("key", f"V{_HASH}"), ("logits", "<f4", (labels,))])
        folder.mkdir(parents=True, exist_ok=True)
        self.found: dict[bytes, Floats] = {}
        for path in folder.glob("*.npy"):
            self.found |= {bytes(each["key"]): each["logits"] for each in np.load(path)}

    def add(self, keys: Sequence[bytes], logits: Floats) -> None:
        """Store a slice, on the disk when this returns; a kill leaves all of it or nothing."""
        records = np.zeros(len(keys), dtype=self._record)
        records["key"] = np.frombuffer(b"".join(keys), dtype=f"V{_HASH}")
        records["logits"] = logits
        partial = self._folder / ".partial"
        with partial.open("wb") as file:
            np.save(file, records)
        sync(partial)
        partial.rename(self._folder / f"{hashlib.sha256(records['key'].tobytes()).hexdigest()[:_HASH]}.npy")
        self.found.update(zip(keys, logits, strict=True))
