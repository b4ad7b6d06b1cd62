"""Group commit: one thread writes all waiting records in one transaction; a future is done after the commit."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError

from penjing.core.errors import StoreError
from penjing.store.database import Store
from penjing.store.records import PreparedRecord, write_prepared

WINDOW_SECONDS = 0.005
LARGEST = 512
SMALL = 32  # records; a larger submission takes tens of milliseconds by itself
# A commit that fails later than this has waited for a lock or a disk; a faulty submission fails at once.
UNANSWERED_SECONDS = 1.0
RETRY_SECONDS = 0.2
_LOG = logging.getLogger("penjing.store")


@dataclass(eq=False)
class _Waiting:
    records: Sequence[PreparedRecord]  # none: a test whether the database can be written
    done: Future[None] = field(default_factory=Future)


class Writer:
    """Writes records in the background; `submit` returns a future that is done when they are on the disk.

    The caller prepares the records, so that the thread only writes. A single submission is committed at once.
    Submissions that come close together are gathered for at most `window` seconds (5 ms), or until 512 records wait,
    and share one fsync. `close` writes all submitted records. The thread continues after every exception, and every
    future gets a result. If the database does not answer, waiting submissions are refused. New ones are refused at
    once, until a test write of the thread succeeds.
    """

    def __init__(self, store: Store, window: float = WINDOW_SECONDS) -> None:
        self._store, self._window = store, window
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._problem: StoreError | None = None
        self._large_is_next = False
        self._thread = threading.Thread(target=self._work, name="penjing-writer", daemon=True)
        self._thread.start()

    def submit(self, records: Sequence[PreparedRecord]) -> Future[None]:
        """Write these records together. The future raises StoreError if they could not be written."""
        waiting = _Waiting(records)
        with self._changed:
            if self._closed:
                raise StoreError("the service is stopping", fix="send the request again to the service once it is back")
            if self._problem is not None and records:
                raise StoreError(self._problem.what, where=self._problem.where, fix=self._problem.fix)
            self._waiting.append(waiting)
            self._changed.notify()
        return waiting.done

    def probe(self) -> Future[None]:
        """A future that is done once a test write is on the disk; it raises StoreError if nothing can be written."""
        return self.submit(())

    def close(self) -> None:
        """Write the waiting records, then stop; later submissions are refused."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        last = 0
        while batch := self._gather(last):
            last = len(batch)
            # If a client went away before its records were written, its future is cancelled.
            self._commit([waiting for waiting in batch if waiting.done.set_running_or_notify_cancel()])

    def _gather(self, last: int) -> list[_Waiting]:
        with self._changed:
            while not self._waiting and not self._closed:
                pause = None if self._problem is None else RETRY_SECONDS
                if not self._changed.wait(pause) and not self._closed:
                    return [_Waiting(())]
            # The last commit had several submissions, or several wait now: more are likely to come.
            if last > 1 or len(self._waiting) > 1:
                until = time.monotonic() + self._window
                while not self._closed and self._size() < LARGEST and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
            return self._take()

    def _take(self) -> list[_Waiting]:
        """Small submissions together, or one large one, alternately: a small one waits for at most one large one."""
        large = next((waiting for waiting in self._waiting if len(waiting.records) > SMALL), None)
        if large is not None and (self._large_is_next or all(len(one.records) > SMALL for one in self._waiting)):
            self._large_is_next = False
            self._waiting.remove(large)
            return [large]
        self._large_is_next = True
        batch: list[_Waiting] = []
        size = 0
        for waiting in list(self._waiting):
            if len(waiting.records) <= SMALL and size + len(waiting.records) <= LARGEST:
                self._waiting.remove(waiting)
                batch.append(waiting)
                size += len(waiting.records)
        return batch

    def _size(self) -> int:
        return sum(len(waiting.records) for waiting in self._waiting)

    def _commit(self, batch: list[_Waiting]) -> None:
        began = time.monotonic()
        try:
            self._write(batch)
        except Exception as error:  # noqa: BLE001 -- the thread goes on after any error, and the clients get it
            if len(batch) > 1 and _is_of_one(error):
                for waiting in batch:  # one bad submission must not make the others fail
                    self._commit([waiting])
                return
            failure = error if isinstance(error, StoreError) else _unexpected(error)
            self._fail([*batch, *self._left(failure, time.monotonic() - began)], failure)
        else:
            self._problem = None
            for waiting in batch:
                waiting.done.set_result(None)

    def _write(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        with self._store.write() as connection:
            write_prepared(connection, [record for waiting in batch for record in waiting.records])
            if any(not waiting.records for waiting in batch):
                self._store.touch(connection)

    def _left(self, error: StoreError, seconds: float) -> list[_Waiting]:
        """The submissions that wait for a database that does not answer: each would wait as long again."""
        with self._changed:
            if isinstance(error.__cause__, IntegrityError) or not (self._closed or seconds >= UNANSWERED_SECONDS):
                return []
            self._problem = error
            left = [waiting for waiting in self._waiting if waiting.done.set_running_or_notify_cancel()]
            self._waiting.clear()
            return left

    @staticmethod
    def _fail(batch: list[_Waiting], error: StoreError) -> None:
        for waiting in batch:
            waiting.done.set_exception(error)


def _is_of_one(error: Exception) -> bool:
    """Whether the cause may be one submission, not the database."""
    return not isinstance(error, StoreError) or isinstance(error.__cause__, IntegrityError)


def _unexpected(error: Exception) -> StoreError:
    """The StoreError for an unexpected error; its traceback goes to the log."""
    _LOG.error("not recorded", exc_info=error)
    failure = StoreError(f"the records could not be written ({type(error).__name__})", fix="see the log of the service")
    failure.__cause__ = error
    return failure
