"""Every answer that reports an error has one form: {"error": {"type", "code", "message", "fix"}}."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from penjing.core.errors import DamageError, PenjingError, RequestError, StoreError, shown
from penjing.serve.http_language import in_its_language

_LOG = logging.getLogger("penjing.serve")
_TYPES = {400: "request", 401: "key", 403: "key", 404: "not_found", 405: "request", 408: "request", 413: "request"}
_TYPES |= {415: "request", 422: "request", 431: "request", 500: "server", 503: "busy"}
# A message may quote what a client sent, up to this length; `fix` never quotes it.
MOST_MESSAGE, MOST_FIX = 200, 400
_ENTRY = re.compile(r"request ([0-9]+)")
_WORDS = {
    404: ("not_found", "there is nothing at this address", "the addresses are in /openapi.json"),
    405: ("method", "this address does not take that method", "see /openapi.json"),
}


class AnswerError(PenjingError):
    """A refusal with its HTTP status and a code that a program can act on."""

    def __init__(self, status: int, code: str, what: str, fix: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(what, fix=fix)
        self.status, self.code, self.headers = status, code, dict(headers or {})


def error_response(
    status: int, code: str, message: str, fix: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The one form of an error: of bounded length, in UTF-8; a lone surrogate is escaped, so that the JSON is valid.

    `Vary` tells caches that its language follows the request.
    """
    message, chinese = in_its_language(message)
    fix, _ = in_its_language(fix)
    headers = {**(headers or {}), "Vary": "Accept-Language"} | ({"Content-Language": "zh"} if chinese else {})
    message, fix = shown(message, MOST_MESSAGE), shown(fix, MOST_FIX)
    body = {"error": {"type": _TYPES.get(status, "server"), "code": code, "message": message, "fix": fix}}
    raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(raw, status, headers, "application/json")


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of the application use that form."""

    @app.exception_handler(AnswerError)
    async def refused(_request: Request, error: AnswerError) -> Response:
        return error_response(error.status, error.code, error.what, error.fix or "", error.headers)

    @app.exception_handler(RequestError)
    async def bad_text(_request: Request, error: RequestError) -> Response:
        # A request among several is an entry of `items`, counted from 0 as in every other message.
        entry = _ENTRY.fullmatch(error.where or "")
        where = f"items.{int(entry[1]) - 1}: " if entry else f"{error.where}: " if error.where else ""
        return error_response(422, error.code, where + error.what, error.fix or "correct the request")

    @app.exception_handler(StoreError)
    async def not_recorded(_request: Request, error: StoreError) -> Response:
        _LOG.error("not recorded: %s", error)
        fix = "nothing was recorded; send the request again later, and inform the operator of the service"
        return error_response(503, error.code, error.what, fix, {"Retry-After": "5"})

    @app.exception_handler(PenjingError)
    async def other(_request: Request, error: PenjingError) -> Response:
        _LOG.error("%s", error)
        status = 409 if isinstance(error, DamageError) else 422
        return error_response(status, error.code, error.what, error.fix or "")

    @app.exception_handler(HTTPException)
    async def framework(_request: Request, error: HTTPException) -> Response:
        code, message, fix = _WORDS.get(error.status_code, ("http", str(error.detail), "see /openapi.json"))
        return error_response(error.status_code, code, message, fix, error.headers)

    @app.exception_handler(Exception)
    async def bug(_request: Request, _error: Exception) -> Response:
        fix = "inform the operator of the service; its log has the cause"
        return error_response(500, "internal", "the service failed on this request", fix)
