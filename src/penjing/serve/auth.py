"""Authentication: keys from the database, compared in constant time, each with its scopes."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from penjing.core.errors import UsageError
from penjing.serve.errors import AnswerError
from penjing.store.database import Store
from penjing.store.keys import Key, active_keys, match_key

FRESH_SECONDS = 1.0
_THIS_MACHINE = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)


class KeyRing:
    """The active keys, read again at most once a second. A revoked key may be accepted for that long.

    `required=False` (only on loopback) accepts every program on this machine, but no page of a browser: the Host
    header must be a loopback name. So a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused.
    """

    def __init__(self, store: Store, *, required: bool = True) -> None:
        self._store, self.required = store, required
        self._keys: list[Key] = []
        self._read = float("-inf")
        self._one = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def admit(self, request: Request, scope: str) -> None:
        """Accept a request with a valid key. Raises AnswerError 401 (no key, unknown) or 403 (scope, host)."""
        if not self.required:
            self.check_host(request.headers.get("host", ""))
            return
        secret = _presented(request)
        if secret is None:
            raise AnswerError(
                401,
                "no_key",
                "a key is needed",
                "send Authorization: Bearer KEY, or X-API-Key: KEY; `penjing keys create` makes one",
                {"WWW-Authenticate": "Bearer"},
            )
        await self._keep_fresh()
        key = match_key(self._keys, secret)
        if key is None:
            raise AnswerError(
                401,
                "unknown_key",
                "the key is unknown or revoked",
                "check that the whole key was copied; `penjing keys list` lists the existing keys",
                {"WWW-Authenticate": "Bearer"},
            )
        if scope not in key.scopes:
            raise AnswerError(
                403,
                "scope",
                f"the key `{key.name}` lacks the scope `{scope}`",
                f"`penjing keys create --scope {scope}` makes one that has it",
            )

    async def _keep_fresh(self) -> None:
        """Read the keys again on another thread before they are too old: under load hundreds of requests would wait."""
        age = time.monotonic() - self._read
        if age > FRESH_SECONDS:
            await self._refresh(FRESH_SECONDS)
        elif age > FRESH_SECONDS / 2 and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._refresh(FRESH_SECONDS / 2))
            # If this fails, the keys become too old, and the next request gets the error.
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _refresh(self, oldest: float) -> None:
        """Read the keys if they are older than `oldest`; once, however many threads ask."""
        async with self._one:
            began = time.monotonic()
            if began - self._read > oldest:
                self._keys = await run_in_threadpool(active_keys, self._store)
                self._read = began

    def check_host(self, host: str) -> None:
        """Without keys, refuse every Host that does not name this machine. Raises AnswerError 403."""
        if not self.required and not _THIS_MACHINE.fullmatch(host):
            raise AnswerError(403, "host", "without keys only this machine may send requests", "use http://127.0.0.1")


def is_loopback(host: str) -> bool:
    """Whether an address is reachable from this machine only. Raises UsageError if it is not an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise UsageError(f"`{host}` is not an address", fix="for example --host 127.0.0.1 or --host 0.0.0.0") from None


def _presented(request: Request) -> str | None:
    word, _, secret = request.headers.get("authorization", "").partition(" ")
    if word.lower() == "bearer" and secret.strip():
        return secret.strip()
    return request.headers.get("x-api-key", "").strip() or None
