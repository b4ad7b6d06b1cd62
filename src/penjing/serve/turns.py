"""Turns of the slow lanes: one small pass at a time, in the order of the calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets one thread at a time run a pass, in the order of their calls."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._issued = self._serving = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the turn for one pass. A thread that holds it must not request another."""
        with self._changed:
            ticket = self._issued
            self._issued += 1
            self._changed.wait_for(lambda: self._serving == ticket)
        try:
            yield
        finally:
            with self._changed:
                self._serving += 1
                self._changed.notify_all()
