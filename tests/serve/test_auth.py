"""The door: which hosts and keys are let in, without a server around it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import Request

from penjing.core.errors import UsageError
from penjing.serve.auth import KeyRing, is_loopback
from penjing.serve.errors import AnswerError
from penjing.store.database import Store, open_store
from penjing.store.keys import Key, active_keys, create_key


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'penjing.db'}")
    yield opened
    opened.close()


def admit(ring: KeyRing, scope: str = "read", **headers: str) -> None:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(ring.admit(Request({"type": "http", "headers": pairs}), scope))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1"])
def test_without_keys_this_machine_may_ask(store: Store, host: str) -> None:
    admit(KeyRing(store, required=False), host=host)


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example:8000", "192.168.1.4:8000"])
def test_without_keys_no_foreign_name_may(store: Store, host: str) -> None:
    with pytest.raises(AnswerError) as caught:
        admit(KeyRing(store, required=False), host=host)
    assert caught.value.status == 403


def test_a_key_is_taken_from_either_header_and_needs_its_scope(store: Store) -> None:
    _, secret = create_key(store, "desk", ["read"])
    ring = KeyRing(store)
    admit(ring, authorization=f"Bearer {secret}")
    admit(ring, authorization=f"bearer  {secret} ")
    admit(ring, x_api_key=secret)
    for wrong in ({}, {"authorization": f"Basic {secret}"}, {"authorization": "Bearer "}, {"x_api_key": " "}):
        with pytest.raises(AnswerError) as caught:
            admit(ring, **wrong)
        assert (caught.value.status, caught.value.code) == (401, "no_key")
    with pytest.raises(AnswerError) as caught:
        admit(ring, x_api_key=secret + "x")
    assert (caught.value.status, caught.value.code) == (401, "unknown_key")
    with pytest.raises(AnswerError) as caught:
        admit(ring, scope="decide", x_api_key=secret)
    assert (caught.value.status, caught.value.code) == (403, "scope")


def test_an_address_is_loopback_or_not_or_none() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.0.1", "::")))
    with pytest.raises(UsageError, match="is not an address"):
        is_loopback("example.org")


def test_keys_are_read_once_however_many_ask_and_before_they_are_too_old(store: Store, monkeypatch) -> None:
    reads = 0

    def slow(of: Store) -> list[Key]:
        nonlocal reads
        reads += 1
        time.sleep(0.3)
        return active_keys(of)

    monkeypatch.setattr("penjing.serve.auth.active_keys", slow)
    monkeypatch.setattr("penjing.serve.auth.FRESH_SECONDS", 2.0)
    secret = create_key(store, "one")[1]
    request = Request({"type": "http", "headers": [(b"x-api-key", secret.encode())]})

    async def run() -> None:
        ring = KeyRing(store)
        await asyncio.gather(*(ring.admit(request, "decide") for _ in range(200)))
        assert reads == 1
        await asyncio.sleep(1.1)
        began = time.perf_counter()
        await asyncio.gather(*(ring.admit(request, "decide") for _ in range(20)))
        assert time.perf_counter() - began < 0.25, "nobody waits for keys that are fresh enough"
        await asyncio.sleep(0.5)
        assert reads == 2

    asyncio.run(run())
