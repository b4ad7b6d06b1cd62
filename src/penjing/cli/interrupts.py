"""Ctrl-C, SIGTERM and SIGHUP end a command in order: finished work is kept, and the message says how to continue."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from penjing.cli.show import tell
from penjing.core.errors import RunInterruptedError, RunTerminatedError

RESUMES = "run the same command again to continue"
_ENDING = (signal.SIGTERM, signal.SIGHUP)


class EndedError(KeyboardInterrupt):
    """SIGTERM or SIGHUP, raised like Ctrl-C, so that the same cleanup runs."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def catching() -> Iterator[None]:
    """SIGTERM and SIGHUP raise EndedError inside the block; an ignored signal (`nohup`) stays ignored."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise EndedError(number)

    with _handled({number: end for number in _ENDING if _is_default(number)}), _told_once():
        yield


@contextmanager
def _told_once() -> Iterator[None]:
    """A library that logs the interrupt which passes through it (a pool of connections does) prints nothing."""

    def is_news(record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], KeyboardInterrupt))

    handler = logging.lastResort
    if handler is None:
        yield
        return
    handler.addFilter(is_news)
    try:
        yield
    finally:
        handler.removeFilter(is_news)


@contextmanager
def whole() -> Iterator[None]:
    """A step that the first signal does not cut: it is raised after the step; the second one ends at once.

    Raised in the midst of a step, it may hit a library that logs it, or loses it in a destructor.
    """
    asked: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise _raised(number)

    with _handled({number: hold for number in (signal.SIGINT, *_ENDING) if callable(signal.getsignal(number))}):
        yield
    if asked:
        raise _raised(asked[0])


@contextmanager
def stopping(fix: str = RESUMES) -> Iterator[Callable[[], bool]]:
    """Yield a function: was a stop requested? The first signal requests it, the second ends at once.

    The block then ends with one error: RunInterruptedError, or RunTerminatedError after SIGTERM.
    Ignored signals stay ignored: `nohup penjing make ...` goes on after its terminal closes.
    """
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise _raised(number)
        tell("stopping at the next safe point; press again to end at once")

    wanted = (number for number in (signal.SIGINT, *_ENDING) if signal.getsignal(number) is not signal.SIG_IGN)
    with _handled(dict.fromkeys(wanted, ask)):
        try:
            yield lambda: bool(asked)
        except KeyboardInterrupt as error:
            raise interrupted(error, fix) from None
        except RunInterruptedError as error:
            raise _stopped(asked[0] if asked else signal.SIGINT, error.what, fix) from None


def interrupted(error: KeyboardInterrupt, fix: str, what: str | None = None) -> RunInterruptedError:
    """The error for an interrupt, with how to continue."""
    number = error.number if isinstance(error, EndedError) else signal.SIGINT
    return _stopped(number, what, fix)


def _stopped(number: int, what: str | None, fix: str) -> RunInterruptedError:
    kind = RunTerminatedError if number == signal.SIGTERM else RunInterruptedError
    name = {signal.SIGINT: "stopped", signal.SIGTERM: "stopped by SIGTERM", signal.SIGHUP: "stopped by SIGHUP"}
    ending = name.get(signal.Signals(number), "stopped")
    if what is not None and what.startswith("stopped"):
        return kind(ending + what.removeprefix("stopped"), fix=fix)
    return kind(ending if what is None else f"{ending}: {what}", fix=fix)


def _raised(number: int) -> KeyboardInterrupt:
    return EndedError(number) if number in _ENDING else KeyboardInterrupt()


def ignore_hangup() -> None:
    """From now on, ignore the SIGHUP of a terminal that closes."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _is_default(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_DFL


@contextmanager
def _handled(handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]]) -> Iterator[None]:
    # Only the main thread can set handlers; a command in another thread has none.
    mine = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()} if mine else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
