"""What is answered before a key, a body or a route is looked at, over the wire of a service whose lane is full."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from penjing.core.nouns import Release
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.early import EarlyBytes
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import open_store
from penjing.store.releases import put_in_service


@pytest.fixture
def service(tiny_release: Release, tmp_path: Path) -> DecisionService:
    store = open_store(f"sqlite:///{tmp_path / 'service.db'}")
    put_in_service(store, tiny_release)
    return DecisionService(tiny_release, store, Settings(threads=1, max_waiting=4, cache=str(tmp_path)))


HAN = re.compile("[\u4e00-\u9fff]")


async def ask(app, method: str, path: str, length: int = 9, language: str = "") -> tuple[int, dict[str, str], bytes]:
    """One request without a key, whose body must never be asked for where the answer is early."""
    sent: list[dict] = []

    async def receive() -> dict:
        raise AssertionError("the body was read")

    async def send(message: dict) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"%d" % length)]
    headers += [(b"accept-language", language.encode())] if language else []
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    await app({**scope, "headers": headers, "scheme": "http", "http_version": "1.1"}, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(one.get("body", b"") for one in sent[1:])


def test_a_full_lane_refuses_before_key_and_body(service: DecisionService) -> None:
    app = build_app(service, KeyRing(service.store))

    async def run() -> None:
        lane = service.lanes.short
        assert (await ask(app, "POST", "/v1/decide"))[0] == 401
        lane.texts = lane.bounds.texts
        for path in ("/v1/decide", "/v1/predict"):
            status, headers, body = await ask(app, "POST", path)
            assert status == 503
            assert headers["retry-after"].isdecimal()
            assert headers["content-type"] == "application/json"
            assert "connection" not in headers, "the next request on this connection costs less than a new one"
            assert json.loads(body)["error"]["code"] == "overloaded"
            _, headers, body = await ask(app, "POST", path, language="zh")
            assert headers["content-language"] == "zh" and HAN.search(json.loads(body)["error"]["message"])
        assert (await ask(app, "POST", "/v1/decide", 100_000))[0] == 401, "a long body belongs to another lane"
        assert (await ask(app, "POST", "/v1/decisions/x/replay"))[0] == 401
        service.lanes.replay.texts = service.lanes.replay.bounds.texts
        assert (await ask(app, "POST", "/v1/decisions/x/replay"))[0] == 503
        assert (await ask(app, "GET", "/v1/decisions/x"))[0] == 401
        service.lanes.lookup.texts = service.lanes.lookup.bounds.texts
        assert (await ask(app, "GET", "/v1/decisions/x"))[0] == 503
        assert (lane.refused, service.lanes.replay.refused, service.lanes.lookup.refused) == (4, 1, 1)
        assert (await ask(app, "GET", "/healthz"))[0] == 200
        page = (await ask(app, "GET", "/metrics"))[2].decode()
        assert 'penjing_requests_total{path="/v1/decide",status="503"} 2.0' in page
        assert 'penjing_lane_refused{lane="short"} 4.0' in page

    asyncio.run(run())


def test_the_same_before_http_is_parsed(service: DecisionService) -> None:
    async def run() -> None:
        raw, lane = service.refusals.raw, service.lanes.short
        assert raw(b"POST /v1/decide HTTP/1.1", 9) is None
        lane.texts = lane.bounds.texts
        answer = raw(b"POST /v1/decide HTTP/1.1", 9)
        assert answer is not None
        head, body = answer.split(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"content-length: %d" % len(body) in head
        assert json.loads(body)["error"]["type"] == "busy"
        assert b"vary: Accept-Language" in head
        chinese = raw(b"POST /v1/decide HTTP/1.1", 9, True)
        assert chinese is not None and b"content-language: zh" in chinese
        assert HAN.search(json.loads(chinese.split(b"\r\n\r\n")[1])["error"]["message"])
        for line in (b"POST /v1/decide HTTP/1.0", b"GET /healthz HTTP/1.1", b"POST /v1/decide?x HTTP/1.1", b"\xff"):
            assert raw(line, 9) is None

    asyncio.run(run())


def test_states_are_answered_again_for_a_second(service: DecisionService, monkeypatch: pytest.MonkeyPatch) -> None:
    app = build_app(service, KeyRing(service.store))
    made = 0
    true_render = service.metrics.render

    def render() -> bytes:
        nonlocal made
        made += 1
        return true_render()

    monkeypatch.setattr(service.metrics, "render", render)

    async def run() -> None:
        service.open()
        pages = {(await ask(app, "GET", "/metrics"))[2] for _ in range(50)}
        assert (made, len(pages)) == (1, 1)
        status, headers, body = await ask(app, "GET", "/readyz")
        assert (status, await ask(app, "GET", "/readyz")) == (200, (200, headers, body))
        assert headers["content-type"] == "application/json"
        await service.close()

    asyncio.run(run())


def test_fresh_states_are_answered_before_http_is_parsed(service: DecisionService) -> None:
    async def run() -> None:
        early = EarlyBytes(service.refusals, service.metrics, service.states).answer
        line = b"GET /metrics HTTP/1.1"
        assert early(line, 0) is None, "none was made yet"
        body = await service.states["/metrics"][1].get()
        answer = early(line, 0)
        assert answer is not None
        head, told = answer.split(b"\r\n\r\n", 1)
        assert told == body
        assert head.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain")
        assert b"content-length: %d" % len(body) in head
        assert early(line, 0) is answer
        for other in (b"GET /metrics?x HTTP/1.1", b"HEAD /metrics HTTP/1.1", b"GET /openapi.json HTTP/1.1"):
            assert early(other, 0) is None
        assert early(line, 5) is None
        assert EarlyBytes(service.refusals, service.metrics, {}).answer(line, 0) is None

    asyncio.run(run())
