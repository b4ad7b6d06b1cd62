"""The load client counts what it is answered, in both kinds of loop; a short form of two attacks runs for real."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from penjing.core.nouns import Release

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def attack_load(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("attack_load")


@pytest.fixture
def answering() -> Iterator[SimpleNamespace]:
    """A server that answers every third request 503."""
    asked, started, port = 0, threading.Event(), 0
    loop = asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            asked += 1
            status = b"503 Busy" if asked % 3 == 0 else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}")

    async def serve() -> None:
        nonlocal port
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        started.set()

    loop.set_exception_handler(lambda *_: None)
    starting = loop.create_task(serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    assert started.wait(10)
    assert starting is not None
    yield SimpleNamespace(host="127.0.0.1", port=port)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.mark.whole
@pytest.mark.parametrize("rate", [50.0, 0.0])
def test_the_client_counts_every_answer(attack_load: ModuleType, answering: SimpleNamespace, rate: float) -> None:
    seen = attack_load.drive(answering, attack_load.Stream("POST", "/x", ["{}"], rate, 1.0, connections=4))
    assert set(seen.statuses) == {"200", "503"}
    assert sum(seen.statuses.values()) == seen.sent
    assert seen.sent == pytest.approx(50, abs=5) if rate else seen.sent > 50
    assert abs(seen.statuses["200"] - 2 * seen.statuses["503"]) <= 6
    assert 0 < seen.p50_ms["200"] <= seen.p99_ms["200"]


def test_a_long_text_has_its_length_and_two_differ(attack_load: ModuleType) -> None:
    assert len(attack_load.long_text(19_000)) == 19_000
    assert attack_load.long_text(500, 1) != attack_load.long_text(500, 2)


@pytest.mark.whole
def test_a_short_form_of_the_attacks(
    attack_load: ModuleType, tiny_release_maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release: Release = tiny_release_maker(tmp_path)
    monkeypatch.setattr(attack_load, "SECONDS", 2.0)
    bodies = ['{"text": "win cash", "fields": {"channel": "web"}}']

    def short(target, rate: float = 20.0, **more) -> Any:
        return attack_load.Stream("POST", "/v1/decide", bodies, rate, key=target.key, **{"seconds": 2.0, **more})

    monkeypatch.setattr(attack_load, "short_stream", short)
    # A machine that others use may be slow: that the answers are right is asked here, not their times.
    monkeypatch.setattr(attack_load, "SHORT_P99_MS", 2000.0)
    verdict = attack_load.scraping(release.folder, tmp_path / "scraping")
    assert verdict.held, verdict.said
    monkeypatch.setattr(attack_load, "REFUSED_P99_MS", 2000.0)
    monkeypatch.setattr(attack_load, "GOODPUT_SHARE", 0.2)
    verdict = attack_load.overload(release.folder, tmp_path / "overload")
    assert verdict.held, verdict.said
