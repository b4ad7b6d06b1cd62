"""The counted log: the first line at once, the rest as a count a second, kinds apart, nothing lost at the end."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator

import pytest

from penjing.serve.log import LOGGERS, CountedHandler, count_repeats


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO, CountedHandler]]:
    logger, handler, told = logging.getLogger("counted-log-test"), CountedHandler(0.3), io.StringIO()
    handler.setStream(told)
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, told, handler
    logger.removeHandler(handler)
    handler.close()


def fail(logger: logging.Logger, number: int) -> None:
    logger.error("not recorded: %d", number)


def test_what_repeats_is_one_line_and_a_count(log) -> None:
    logger, told, _ = log
    for number in range(13):
        fail(logger, number)
    logger.error("another kind")
    assert told.getvalue().splitlines() == ["ERROR: not recorded: 0", "ERROR: another kind"]
    time.sleep(0.6)
    assert told.getvalue().splitlines()[2:] == [
        "ERROR: ... and 12 more like it in the last 0.3 s, the last one: not recorded: 12"
    ]
    time.sleep(0.5)
    fail(logger, 5000)
    assert told.getvalue().splitlines()[3:] == ["ERROR: not recorded: 5000"], "after a pause it is told at once"


def test_a_flood_is_one_line_a_period(log) -> None:
    logger, told, _ = log
    until, sent = time.monotonic() + 1.0, 0
    while time.monotonic() < until:
        fail(logger, sent)
        sent += 1
        time.sleep(0.0005)
    time.sleep(0.45)
    assert 3 <= len(told.getvalue().splitlines()) <= 6


def test_what_is_counted_is_told_at_the_end(log) -> None:
    logger, told, handler = log
    fail(logger, 1)
    fail(logger, 2)
    handler.close()
    assert told.getvalue().splitlines()[-1].endswith("the last one: not recorded: 2")


def test_the_service_and_its_server_log_through_it() -> None:
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).propagate) for name in LOGGERS}
    try:
        handler = count_repeats()
        for name in LOGGERS:
            logger = logging.getLogger(name)
            reached = [*logger.handlers, *(logger.parent.handlers if logger.parent and logger.propagate else [])]
            assert reached.count(handler) == 1, name
    finally:
        for name, (handlers, propagate) in before.items():
            logging.getLogger(name).handlers[:] = handlers
            logging.getLogger(name).propagate = propagate
