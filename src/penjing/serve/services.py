"""Several services behind one address: /services/NAME/v1/... of each, and the states of all of them together.

Each service has the addresses that it has alone, with keys, records and metrics of its own. /readyz and /metrics name
every one of them.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from penjing.core.errors import PenjingError
from penjing.serve.admission import Admission
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.early import EarlyBytes
from penjing.serve.errors import error_response
from penjing.serve.metrics import CONTENT_TYPE
from penjing.serve.service import DecisionService
from penjing.serve.states import CachedState
from penjing.serve.uncaught import Uncaught

PREFIX = "/services/"
_LINE = re.compile(rb"(GET|POST) /services/([^/ ?]+)(/[^ ]*) HTTP/1\.1")


class Services:
    """The ASGI application of several services by their names; it opens them at start and closes them at the end."""

    def __init__(self, services: Mapping[str, DecisionService], *, keyless: bool) -> None:
        self._services = dict(services)
        rings = {name: KeyRing(one.store, required=not keyless) for name, one in services.items()}
        self._apps: dict[str, ASGIApp] = {name: build_app(one, rings[name]) for name, one in services.items()}
        # The whole address is checked before it is cut: a service sees only the part after its name.
        self._admitted = Uncaught(Admission(self._route, next(iter(rings.values())).check_host))
        self._early = {
            quote(name).encode(): EarlyBytes(one.refusals, one.metrics, {} if keyless else one.states)
            for name, one in services.items()
        }
        seconds = next(iter(services.values())).settings.state_seconds
        self._ready, self._metrics = CachedState(self._all_ready, seconds), CachedState(self._all_metrics, seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to its service, with the address that the service knows; answer the states of all."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._admitted(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, slash, rest = scope["path"].removeprefix(PREFIX).partition("/")
        if not scope["path"].startswith(PREFIX) or not slash or name not in self._apps:
            await self._answer(scope, receive, send)
            return
        raw = (scope.get("raw_path") or b"").split(b"/", 3)[-1]
        await self._apps[name]({**scope, "path": f"/{rest}", "raw_path": b"/" + raw}, receive, send)

    def early(self, line: bytes, length: int, chinese: bool = False) -> bytes | None:
        """The answer of a service to a first line and a body of so many bytes, before HTTP is parsed; None for none."""
        found = _LINE.fullmatch(line)
        service = self._early.get(quote(unquote(found[2])).encode()) if found else None
        if found is None or service is None:
            return None
        return service.answer(b"%s %s HTTP/1.1" % (found[1], found[3]), length, chinese)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        for service in self._services.values():
            service.open()
            # The first call loads the thread pool, which takes 100 ms. No request should wait for it.
            await run_in_threadpool(service.metrics.render)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.gather(*(service.close() for service in self._services.values()))
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["method"] == "GET" else ""
        if path == "/healthz":
            answer = Response(b'{"ok": true}', media_type="application/json")
        elif path == "/readyz":
            body = await self._ready.get()
            status = 200 if body.startswith(b'{"ready": true') else 503
            answer = Response(body, status, media_type="application/json")
        elif path == "/metrics":
            answer = Response(await self._metrics.get(), headers={"content-type": CONTENT_TYPE})
        else:
            fix = f"the services are {', '.join(PREFIX + quote(name) for name in self._services)}"
            answer = error_response(404, "not_found", "there is nothing at this address", fix)
        await answer(scope, receive, send)

    async def _all_ready(self) -> bytes:
        found: dict[str, Any] = {}
        for name, service in self._services.items():
            try:
                found[name] = await service.ready()
            except PenjingError as error:
                found[name] = {"ready": False, "error": error.what}
        ready = all(one["ready"] for one in found.values())
        return json.dumps({"ready": ready, "services": found}, ensure_ascii=False).encode()

    async def _all_metrics(self) -> bytes:
        registries = {name: service.metrics.registry for name, service in self._services.items()}
        return joined_metrics(registries)


def joined_metrics(registries: Mapping[str, CollectorRegistry]) -> bytes:
    """The metrics of several services as one page: each sample has the label `service`."""
    whole = CollectorRegistry()
    whole.register(_Joined(registries))
    return generate_latest(whole)


class _Joined(Collector):
    def __init__(self, registries: Mapping[str, CollectorRegistry]) -> None:
        self._registries = registries

    def collect(self) -> Iterable[Metric]:
        """Every family once, with the samples of all services."""
        families: dict[str, Metric] = {}
        for name, registry in self._registries.items():
            for found in registry.collect():
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                family.samples += [one._replace(labels={"service": name, **one.labels}) for one in found.samples]
        return families.values()

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are those of the services."""
        return ()
