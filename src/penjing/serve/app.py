"""The application: its addresses, the scope that each needs, and the metrics of every request."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penjing.serve.admission import Admission
from penjing.serve.auth import KeyRing
from penjing.serve.bodies import DecideMany, DecideOne, PredictMany, PredictOne, parse_items, read_json, request_schema
from penjing.serve.early import EarlyAnswers
from penjing.serve.errors import add_error_handlers
from penjing.serve.lookups import read_page
from penjing.serve.metrics import Metrics
from penjing.serve.openapi import document, page_schema
from penjing.serve.service import DecisionService, Explained
from penjing.serve.states import CachedState
from penjing.serve.uncaught import Uncaught

_JSON = "application/json"
_DESCRIPTION = "Decides texts with one sealed release; every decision is recorded and can be replayed."


def build_app(service: DecisionService, ring: KeyRing) -> FastAPI:
    """The ASGI application of a service; it opens the service at start and closes it at the end."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.open()
        # The first call loads the thread pool, which takes 100 ms. No request should wait for it.
        await run_in_threadpool(service.metrics.render)
        yield
        await service.close()

    # The pages of /docs load scripts from the internet, which may not be reachable. Only the schema is served.
    app = FastAPI(
        title="Penjing",
        description=_DESCRIPTION,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    add_error_handlers(app)
    _add_decisions(app, service, ring)
    kept = service.states
    _add_states(app, kept)
    app.add_middleware(Uncaught)
    app.add_middleware(Counting, metrics=service.metrics)
    # The middleware that is added last is the outermost: it sees a request before any costly step.
    app.add_middleware(EarlyAnswers, refusals=service.refusals, metrics=service.metrics, kept=kept)
    app.add_middleware(Admission, check_host=ring.check_host)
    document(app, keyed=ring.required)
    return app


def _add_decisions(app: FastAPI, service: DecisionService, ring: KeyRing) -> None:
    @app.post("/v1/decide", openapi_extra=request_schema(DecideOne, DecideMany))
    async def decide(request: Request) -> Response:
        """Decide one text, or the texts of `items`; the answer is sent after every decision is on the disk."""
        await ring.admit(request, "decide")
        body = await read_json(request, service.settings)
        items, evidence, batch = parse_items(body, DecideOne, DecideMany, service.settings)
        wanted = Explained(body.get("counterfactual", False), body.get("why"), body.get("evidence_of") or "")
        made = await service.decide(items, evidence, wanted)
        return _json({"items": made} if batch else made[0])

    @app.post("/v1/predict", openapi_extra=request_schema(PredictOne, PredictMany))
    async def predict(request: Request) -> Response:
        """Calibrated probabilities of one text, or of the texts of `items`; nothing is recorded."""
        await ring.admit(request, "decide")
        body = await read_json(request, service.settings)
        items, _, batch = parse_items(body, PredictOne, PredictMany, service.settings)
        made = await service.predict(items)
        return _json({"items": made} if batch else made[0])

    @app.get("/v1/decisions", openapi_extra=page_schema())
    async def find_case(request: Request) -> Response:
        """The recorded decisions of a case by your own case number, oldest first, page by page."""
        await ring.admit(request, "read")
        names = [name for name, _ in request.query_params.multi_items()]
        return _json(await service.find_case(read_page(request.query_params, names)))

    @app.get("/v1/decisions/{identity}")
    async def find(request: Request, identity: str) -> Response:
        """A recorded decision with its facts, the rules that fired, its masked text and its evidence."""
        await ring.admit(request, "read")
        return _json(await service.find(identity))

    @app.post("/v1/decisions/{identity}/replay")
    async def replay(request: Request, identity: str) -> Response:
        """Decide a recorded case again, from its facts and from its masked text, and say what differs."""
        await ring.admit(request, "read")
        return _json(await service.replay(identity))


def _add_states(app: FastAPI, kept: Mapping[str, tuple[str, CachedState]]) -> None:
    async def answer(path: str) -> Response:
        kind, state = kept[path]
        return Response(await state.get(), headers={"content-type": kind})

    @app.get("/healthz")
    async def health() -> Response:
        """The process is running."""
        return await answer("/healthz")

    @app.get("/readyz")
    async def ready() -> Response:
        """The release in service, the state of its gates, and what is unproven; 503 without the database."""
        return await answer("/readyz")

    @app.get("/metrics")
    async def metrics() -> Response:
        """Counters for Prometheus."""
        return await answer("/metrics")


class Counting:
    """Counts every answer and its time by the pattern of the address, never by text that a client wrote."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note the status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path, status).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - began)


def _json(value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), media_type=_JSON)
