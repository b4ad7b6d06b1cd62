"""Ctrl-C, SIGTERM and SIGHUP end a command well: what is done is kept, and the last word says what happens next."""

from __future__ import annotations

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
    """SIGTERM or SIGHUP, raised as Ctrl-C is, so that everything is left as it is left then."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def catching() -> Iterator[None]:
    """SIGTERM and SIGHUP raise EndedError within; one that was ignored before (`nohup`) stays ignored."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise EndedError(number)

    with _handled({number: end for number in _ENDING if _is_default(number)}):
        yield


@contextmanager
def stopping(fix: str = RESUMES) -> Iterator[Callable[[], bool]]:
    """Yield a question: was a stop asked for? The first signal asks, the second ends at once.

    Whatever way the work then ends is told by one error: RunInterruptedError, or RunTerminatedError after SIGTERM.
    Ignored signals stay ignored: `nohup penjing make ...` outlives its terminal.
    """
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise EndedError(number) if number in _ENDING else KeyboardInterrupt
        tell("stopping at the next safe moment; once more to end at once")

    wanted = (number for number in (signal.SIGINT, *_ENDING) if signal.getsignal(number) is not signal.SIG_IGN)
    with _handled(dict.fromkeys(wanted, ask)):
        try:
            yield lambda: bool(asked)
        except KeyboardInterrupt as error:
            raise interrupted(error, fix) from None
        except RunInterruptedError as error:
            raise _stopped(asked[0] if asked else signal.SIGINT, error.what, fix) from None


def interrupted(error: KeyboardInterrupt, fix: str, what: str | None = None) -> RunInterruptedError:
    """The error that tells of an interrupt, with what happens next."""
    number = error.number if isinstance(error, EndedError) else signal.SIGINT
    return _stopped(number, what, fix)


def _stopped(number: int, what: str | None, fix: str) -> RunInterruptedError:
    kind = RunTerminatedError if number == signal.SIGTERM else RunInterruptedError
    name = {signal.SIGINT: "stopped", signal.SIGTERM: "stopped by SIGTERM", signal.SIGHUP: "stopped by SIGHUP"}
    said = name.get(signal.Signals(number), "stopped")
    if what is not None and what.startswith("stopped"):
        return kind(said + what.removeprefix("stopped"), fix=fix)
    return kind(said if what is None else f"{said}: {what}", fix=fix)


def ignore_hangup() -> None:
    """A terminal that closes ends nothing from here on."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _is_default(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_DFL


@contextmanager
def _handled(handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]]) -> Iterator[None]:
    # Handlers belong to the main thread; a command that is called in another one goes without.
    mine = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()} if mine else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
