"""The schema names every status that occurs, in the own form of an error, and how a key is sent."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from penjing.serve.openapi import document

OPEN = ("/healthz", "/readyz", "/metrics")


def test_every_status_that_occurs_is_named(served) -> None:
    schema = served.ask("GET", "/openapi.json", key=None).json()
    made = served.decide(text="win cash now")["id"]
    asked = [
        ("POST", "/v1/decide", "/v1/decide", {"json": {"text": "x"}}),
        ("POST", "/v1/decide", "/v1/decide", {"json": {"txt": "x"}}),
        ("POST", "/v1/decide", "/v1/decide", {"content": b"{"}),
        ("POST", "/v1/decide", "/v1/decide", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        ("POST", "/v1/decide", "/v1/decide", {"json": {"text": "x" * 2_000_000}}),
        ("POST", "/v1/decide", "/v1/decide", {"json": {}, "key": None}),
        ("POST", "/v1/predict", "/v1/predict", {"json": {}, "key": "read"}),
        ("POST", "/v1/predict", "/v1/predict", {"json": {"text": "x"}, "headers": {"X": "y" * 40_000}}),
        ("GET", f"/v1/decisions/{made}", "/v1/decisions/{identity}", {}),
        ("GET", "/v1/decisions/none", "/v1/decisions/{identity}", {}),
        ("GET", "/v1/decisions/none", "/v1/decisions/{identity}", {"key": None}),
        ("POST", "/v1/decisions/none/replay", "/v1/decisions/{identity}/replay", {"key": "decide"}),
        ("POST", f"/v1/decisions/{made}/replay", "/v1/decisions/{identity}/replay", {}),
        *(("GET", path, path, {"key": None}) for path in OPEN),
    ]
    seen = set()
    for method, path, pattern, more in asked:
        answer = served.ask(method, path, **more)
        named = schema["paths"][pattern][method.lower()]["responses"]
        assert str(answer.status_code) in named, (method, path, answer.status_code)
        seen.add(answer.status_code)
        kind = answer.headers["content-type"].split(";")[0]
        assert kind in named[str(answer.status_code)]["content"]
        if answer.status_code != 200:
            content = named[str(answer.status_code)]["content"]
            assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    assert seen == {200, 400, 401, 403, 404, 413, 415, 422, 431}
    assert set(schema["components"]["schemas"]) == {"Error"}
    assert "HTTPValidationError" not in str(schema)


def test_the_ways_to_send_a_key_are_named_where_one_is_asked_for(served) -> None:
    schema = served.ask("GET", "/openapi.json", key=None).json()
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert schema["components"]["securitySchemes"]["header"]["name"] == "X-API-Key"
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["security"] == ([] if path in OPEN else [{"bearer": []}, {"header": []}])


@pytest.mark.parametrize("keyed", [True, False])
def test_without_keys_no_scheme_is_named(keyed: bool) -> None:
    app = FastAPI()

    @app.post("/v1/decide")
    async def decide() -> None:
        """Decide."""

    document(app, keyed=keyed)
    schema = app.openapi()
    assert ("securitySchemes" in schema["components"]) is keyed
    assert bool(schema["paths"]["/v1/decide"]["post"]["security"]) is keyed
