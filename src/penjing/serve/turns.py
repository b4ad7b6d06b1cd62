"""Turns of the slow lanes: one small pass at a time, in the order of asking, and after what is more urgent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets one thread at a time run a pass, first come first served.

    Each turn begins once `urgent_idle` is set, or after `patience` seconds: short decisions go first, and under a
    load of short decisions that never ends a slow pass still runs after every `patience`.
    """

    def __init__(self, urgent_idle: threading.Event, patience: float) -> None:
        self._idle, self._patience = urgent_idle, patience
        self._changed = threading.Condition()
        self._issued = self._serving = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the turn for one pass. A thread that holds it must not ask for another."""
        with self._changed:
            ticket = self._issued
            self._issued += 1
            self._changed.wait_for(lambda: self._serving == ticket)
        try:
            self._idle.wait(self._patience)
            yield
        finally:
            with self._changed:
                self._serving += 1
                self._changed.notify_all()
