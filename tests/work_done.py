"""How long work took, beside a known amount of work: the same test on a slow machine, or on one that others share."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

TRIES = 3


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of the work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def assert_done_within(limit: float, work: Callable[[], object]) -> None:
    """One of a few tries takes at most so many processor seconds of a machine on which known work takes one.

    A slower machine, or one whose memory others use, is given as much more as it needs for the known work.
    """
    tries: list[tuple[float, float]] = []
    for _ in range(TRIES):
        took = seconds(work)
        if took <= limit:
            return
        tries.append((took, seconds(_known_work)))
        if took <= limit * tries[-1][1]:
            return
    pytest.fail(f"seconds of the work and of the known work: {tries}; wanted: at most {limit} times")


def _known_work() -> None:
    """About a second of a machine with two shared cores: half of it Python, half of it memory that no cache holds."""
    sum(number * number for number in range(6_000_000))
    values = np.arange(16_000_000)
    for _ in range(4):
        values = values[::-1].copy()
        np.flatnonzero(values > 0)
