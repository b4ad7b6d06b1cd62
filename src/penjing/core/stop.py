"""Ends a piece of work where its run was asked to stop; the same command continues it."""

from __future__ import annotations

from collections.abc import Callable

from penjing.core.errors import RunInterruptedError


def check_stop(stop: Callable[[], bool]) -> None:
    """Raise RunInterruptedError if `stop` says that the run was asked to stop."""
    if stop():
        raise RunInterruptedError("stopped", fix="run the same command again to continue")
