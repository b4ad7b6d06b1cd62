"""Ends a piece of work where its run was asked to stop; the same command continues it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from penjing.core.errors import RunInterruptedError

Given = TypeVar("Given")
Found = TypeVar("Found")


def check_stop(stop: Callable[[], bool]) -> None:
    """Raise RunInterruptedError if `stop` says that the run was asked to stop."""
    if stop():
        raise RunInterruptedError("stopped", fix="run the same command again to continue")


def until(stop: Callable[[], bool], call: Callable[[Given], Found]) -> Callable[[Given], Found]:
    """The same call, which raises RunInterruptedError if the run was asked to stop before it."""

    def run(given: Given) -> Found:
        check_stop(stop)
        return call(given)

    return run
