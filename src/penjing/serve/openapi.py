"""The schema at /openapi.json: every address with every status that it answers with, and the two ways to send a key."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from penjing.serve.lookups import LISTED, MOST_LISTED
from penjing.serve.metrics import CONTENT_TYPE

# Every address can answer with these.
_ALWAYS = {
    400: "no valid HTTP/1.1 request, or no plain address",
    403: "the key lacks the scope; without keys: the Host is not this machine",
    408: "the request did not come in time",
    413: "the body is too large, or comes in too many chunks",
    431: "the headers, chunk extensions or trailers are too large",
    500: "the service failed on this request",
    503: "the service is busy, is stopping, or cannot record; ask again after `Retry-After` seconds",
}
_KEYED = {401: "no key, or an unknown one"}
_BODY = {
    400: "no valid HTTP/1.1 request, no plain address, or no JSON in UTF-8, with each key once",
    415: "the body is not declared as JSON, or is compressed",
    422: "the JSON is not a request of this service, or has too many or too long texts",
}
_RECORD = {
    404: "no decision has this id",
    409: "the record was changed outside Penjing and cannot be read: run `penjing verify`",
}
_LISTED = {
    409: "a record was changed outside Penjing and cannot be read: run `penjing verify`",
    422: "the query names no case, or has an unknown name or value",
}
_DECIDED = {
    409: "another release made this decision, or the record was changed outside Penjing and cannot be read",
    422: "the recorded case cannot be decided",
}
_ERROR = {
    "type": "object",
    "description": "every error has this form",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "code", "message", "fix"],
            "properties": {
                "type": {"type": "string", "enum": ["request", "key", "not_found", "server", "busy"]},
                "code": {"type": "string", "description": "for programs; docs/service.md lists them"},
                "message": {"type": "string", "description": "what happened"},
                "fix": {"type": "string", "description": "what to do"},
            },
        }
    },
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer KEY"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_STATUSES: dict[str, dict[int, str]] = {
    "/v1/decide": {**_KEYED, **_BODY},
    "/v1/predict": {**_KEYED, **_BODY},
    "/v1/decisions": {**_KEYED, **_LISTED},
    "/v1/decisions/{identity}": {**_KEYED, **_RECORD},
    "/v1/decisions/{identity}/replay": {**_KEYED, **_RECORD, **_DECIDED},
}


def document(app: FastAPI, *, keyed: bool) -> None:
    """Complete the schema of an application after all its addresses are added. `keyed`: whether it requires keys."""
    schema = app.openapi()
    components = schema.setdefault("components", {})
    components["schemas"] = {"Error": _ERROR}
    if keyed:
        components["securitySchemes"] = _SCHEMES
    for path, operations in schema["paths"].items():
        own = _STATUSES.get(path, {})
        for operation in operations.values():
            operation["responses"] = {"200": _success(path), **_refusals({**_ALWAYS, **own})}
            operation["security"] = [{name: []} for name in _SCHEMES] if keyed and own else []


def page_schema() -> dict[str, Any]:
    """The query of the list of a case's decisions."""
    number = {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": LISTED}
    asked = (
        ("ref", True, {"type": "string"}, "your own case number"),
        ("limit", False, number, "most decisions of a page"),
        ("after", False, {"type": "string"}, "the `next` of the page before"),
    )
    return {
        "parameters": [
            {"name": name, "in": "query", "required": needed, "schema": schema, "description": words}
            for name, needed, schema, words in asked
        ]
    }


def _success(path: str) -> dict[str, Any]:
    kind = CONTENT_TYPE.split(";")[0] if path == "/metrics" else "application/json"
    return {"description": "the answer", "content": {kind: {"schema": {} if kind == "application/json" else _TEXT}}}


_TEXT = {"type": "string"}


def _refusals(statuses: dict[int, str]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": statuses[status], "content": content} for status in sorted(statuses)}
