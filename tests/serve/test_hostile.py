"""Hostile input: every answer keeps the one form of an error, and the service stays up."""

from __future__ import annotations

import json
import re
import socket
import threading
import time

import pytest

JSON = {"Content-Type": "application/json"}


HAN = re.compile("[\u4e00-\u9fff]")


def _error(answer) -> dict[str, str]:
    body = answer.json()
    assert answer.headers["vary"] == "Accept-Language"
    assert set(body) == {"error"}
    assert set(body["error"]) == {"type", "code", "message", "fix"}
    assert all(isinstance(value, str) and value for value in body["error"].values())
    return body["error"]


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        (b"", 400, "bad_json", "not valid JSON"),
        (b"{", 400, "bad_json", "line 1, column 2"),
        (b'{"text": "x"} x', 400, "bad_json", "Extra data"),
        (b'{"text": NaN}', 400, "bad_json", "NaN is not a JSON number"),
        (b'{"text": "x", "fields": {"amount": ' + b"9" * 5000 + b"}}", 400, "bad_json", "not valid JSON"),
        (b'{"text": "x", "fields": {"amount": 1e999}}', 422, "bad_request", "amount"),
        (b'{"text": "\xff"}', 400, "encoding", "not UTF-8 (byte 10)"),
        ('{"text": "x"}'.encode("utf-16"), 400, "encoding", "not UTF-8"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "too_deep", "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, "too_deep", "nested too deeply"),
        (b'{"text": "x", "fields": {"a": ' + b"[" * 400 + b"]" * 400 + b"}}", 422, "bad_request", "fields"),
        (b"[]", 422, "bad_request", "must be a JSON object"),
        (b"null", 422, "bad_request", "must be a JSON object"),
        (b'"text"', 422, "bad_request", "must be a JSON object"),
        (b"{}", 422, "bad_request", "`text` is missing"),
        (b'{"text": 5}', 422, "bad_request", "text"),
        (b'{"text": null}', 422, "bad_request", "text"),
        (b'{"text": ["x"]}', 422, "bad_request", "text"),
        (b'{"text": "x", "evidence": "yes"}', 422, "bad_request", "evidence"),
        (b'{"text": "x", "evidance": true}', 422, "bad_request", "unknown key `evidance`"),
        (b'{"text": "x", "fields": []}', 422, "bad_request", "fields"),
        (b'{"text": "x", "fields": {"amount": "3x"}}', 422, "bad_request", "not a number"),
        (b'{"text": "x", "fields": {"channel": "fax"}}', 422, "bad_request", "not one of"),
        (b'{"text": "x", "fields": {"chanel": "web"}}', 422, "bad_request", "unknown field `chanel`"),
        (b'{"text": "x", "fields": {"\\ud800": "web"}}', 422, "bad_request", "unknown field"),
        (b'{"text": "x", "\\ud800": 1}', 422, "bad_request", ""),
        (b'{"text": "\\ud800"}', 422, "bad_request", ""),
        (b'{"text": "a\\u0000b"}', 422, "bad_request", ""),
        (b'{"text": ""}', 422, "bad_request", "empty"),
        (b'{"text": " \\u200b\\n"}', 422, "bad_request", "empty"),
        (b'{"items": []}', 422, "bad_request", "items"),
        (b'{"items": {}}', 422, "bad_request", "items"),
        (b'{"items": [{"text": "x"}, {"text": 1}]}', 422, "bad_request", "items.1.text"),
        (b'{"items": [' + b",".join([b'{"text":"x"}'] * 257) + b"]}", 422, "too_many", "the most is 256"),
        (b'{"text": "x", "text": "y"}', 400, "double_key", "the key `text` occurs twice"),
        (b'{"text": "x", "fields": {"amount": 1, "amount": 2}}', 400, "double_key", "amount"),
        (b'{"items": ["x", 1]}', 422, "bad_request", "items.1"),
        (b'{"text": "' + b"x" * 1_000_000 + b'"}', 422, "too_long", "1,000,000 characters; the most is 20,000"),
        (b'{"text": "' + b"x" * 2_000_000 + b'"}', 413, "too_large", "larger than 1,500,000 bytes"),
    ],
)
def test_bad_bodies(served, body: bytes, status: int, code: str, words: str) -> None:
    answer = served.ask("POST", "/v1/decide", content=body, headers=JSON)
    error = _error(answer)
    assert (answer.status_code, error["code"]) == (status, code), error
    assert words in error["message"]
    assert answer.headers["content-type"] == "application/json"


def test_the_fix_names_what_was_near(served) -> None:
    answer = served.ask("POST", "/v1/decide", json={"text": "x", "evidance": True})
    assert _error(answer)["fix"] == "did you mean `evidence`?"
    answer = served.ask("POST", "/v1/decide", json={"text": "x", "fields": {"chanel": "web"}})
    assert "channel" in _error(answer)["fix"]


def test_odd_but_valid_json_is_fine(served) -> None:
    for body in (
        b'\xef\xbb\xbf{"text": "thanks mum"}',
        b' \n{"text":"\\ud83d\\ude00 ok"}',
        '{"text":"\u2028x"}'.encode(),
    ):
        assert served.ask("POST", "/v1/decide", content=body, headers=JSON).status_code == 200
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert served.ask("POST", "/v1/decide", content=b'{"text":"x"}', headers=kind).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/v1/decide", b"", 405),
        ("POST", "/v1/decisions/x", b"", 405),
        ("GET", "/nothing", b"", 404),
        ("GET", "/v1/decisions/x", b"", 404),
        ("GET", "/v1%2fdecide", b"", 400),
        ("POST", "/v1/decide", b"{", 400),
        ("POST", "/v1/decide", b'{"text": "x", "text": "y"}', 400),
        ("POST", "/v1/decide", b'{"text": "x", "evidance": true}', 422),
        ("POST", "/v1/decide", b'{"text": "x", "fields": {"amount": "3x"}}', 422),
        ("POST", "/v1/decide", b'{"text": ""}', 422),
    ],
)
def test_message_and_fix_are_in_the_language_that_is_asked_for(
    served, method: str, path: str, content: bytes, status: int
) -> None:
    chinese = served.ask(method, path, content=content, headers=JSON | {"Accept-Language": "zh-CN,zh;q=0.9"})
    english = served.ask(method, path, content=content, headers=JSON | {"Accept-Language": "en"})
    assert chinese.status_code == english.status_code == status
    said, plain = _error(chinese), _error(english)
    assert HAN.search(said["message"]) and HAN.search(said["fix"]), said
    assert not HAN.search(plain["message"] + plain["fix"])
    assert chinese.headers["content-language"] == "zh" and "content-language" not in english.headers
    assert (said["type"], said["code"]) == (plain["type"], plain["code"])


def test_other_addresses_methods_and_types(served) -> None:
    for path in ("/", "/v1", "/v1/decide/", "/docs", "/%00", "/v1/decisions/", "/" + "a" * 5000):
        answer = served.ask("GET", path)
        assert (answer.status_code, _error(answer)["code"]) == (404, "not_found"), path
    for address in ("/v1%2fdecide", "/v1/decisions/..%2F..", "/v1/decisions/x%5cy", "/healthz%2f", "/%2e%2e%2fetc"):
        answer = served.ask("GET", address)
        assert (answer.status_code, _error(answer)["code"]) == (400, "bad_path"), address
    for identity in ("x", "%00", "%ff", "'; DROP TABLE decisions; --", "x" * 5000):
        answer = served.ask("GET", f"/v1/decisions/{identity}")
        assert answer.status_code == 404
        _error(answer)
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = served.ask(method, "/v1/decide")
        assert (answer.status_code, _error(answer)["code"]) == (405, "method"), method
        assert answer.headers["allow"] == "POST"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = served.ask("POST", "/v1/decide", content=b'{"text":"x"}', headers={"Content-Type": kind})
        assert (answer.status_code, _error(answer)["code"]) == (415, "content_type")


def _head(served, *lines: str) -> bytes:
    head = [
        "POST /v1/decide HTTP/1.1",
        "Host: x",
        f"X-API-Key: {served.keys['both']}",
        "Content-Type: application/json",
    ]
    return ("\r\n".join([*head, *lines]) + "\r\n\r\n").encode()


def _refused(raw: bytes, status: int, code: str) -> None:
    assert raw.startswith(f"HTTP/1.1 {status} ".encode()), raw[:200]
    assert json.loads(raw.split(b"\r\n\r\n", 1)[1])["error"]["code"] == code


def test_a_large_body_is_refused_by_its_length_before_it_comes(served) -> None:
    _refused(served.raw(_head(served, "Content-Length: 99999999999")), 413, "too_large")
    _refused(served.raw(_head(served, "Content-Length: " + "9" * 18)), 413, "too_large")


def test_a_large_body_without_a_length_is_refused_while_it_streams(served) -> None:
    def send(connection: socket.socket) -> None:
        for _ in range(64):
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    _refused(served.raw(_head(served, "Transfer-Encoding: chunked"), more=send), 413, "too_large")


def test_bad_http_is_answered_in_the_one_form(served) -> None:
    for sent in (
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        _refused(served.raw(sent), 400, "bad_http")
    smuggled = _head(served, "Content-Length: 5", "Transfer-Encoding: chunked")
    _refused(served.raw(smuggled + b"0\r\n\r\n"), 400, "bad_http")


def test_headers_without_end_are_refused(served) -> None:
    def send(connection: socket.socket) -> None:
        for _ in range(100):
            connection.sendall(b"x" * 4096)

    raw = served.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", more=send)
    assert raw == b"" or b" 431 " in raw  # a reset may overtake the answer while bytes are still coming in
    assert served.ask("GET", "/healthz").status_code == 200


def test_a_client_that_goes_away_harms_nobody(served) -> None:
    for _ in range(20):
        host, port = served.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(_head(served, "Content-Length: 100") + b'{"text": "half')
    assert served.decide(text="still here")["id"]


def test_a_slow_body_is_given_up(strict) -> None:
    def wait(_connection: socket.socket) -> None:
        time.sleep(0.6)

    _refused(strict.raw(_head(strict, "Content-Length: 100") + b'{"text', more=wait), 408, "too_slow")


@pytest.mark.slow
def test_too_many_at_once_are_told_to_come_back(strict) -> None:
    seen: list[int] = []

    def ask() -> None:
        for _ in range(10):
            answer = strict.ask("POST", "/v1/decide", json={"items": [{"text": "x " * 2000}] * 6})
            seen.append(answer.status_code)
            if answer.status_code == 503:
                assert _error(answer)["code"] == "overloaded"
                assert answer.headers["retry-after"] == "5"

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {200, 503}
    assert strict.decide(text="x")["id"]


def test_one_request_may_hold_many_texts_with_or_without_fields(served) -> None:
    answer = served.ask("POST", "/v1/decide", json={"items": ["win cash now", {"text": "see you at lunch"}] * 50})
    assert answer.status_code == 200
    assert len({item["id"] for item in answer.json()["items"]}) == 100


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
def test_head_is_answered_as_get_without_the_body(served, path: str) -> None:
    answer, whole = served.ask("HEAD", path, key=None), served.ask("GET", path, key=None)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == whole.headers["content-type"]
    assert served.ask("HEAD", "/v1/decide").status_code == 405


_FLOOD = "Q" * 5000  # no word of the service holds this letter


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/decide", {_FLOOD: 1}),
        ("/v1/decide", {"text": "x", _FLOOD: [_FLOOD]}),
        ("/v1/decide", {"text": [_FLOOD]}),
        ("/v1/decide", {"text": {_FLOOD: _FLOOD}}),
        ("/v1/decide", {"text": "x", "evidence": _FLOOD}),
        ("/v1/decide", {"text": "x", "fields": _FLOOD}),
        ("/v1/decide", {"text": "x", "fields": {_FLOOD: "web"}}),
        ("/v1/decide", {"text": "x", "fields": {_FLOOD: [_FLOOD]}}),
        ("/v1/decide", {"text": "x", "fields": {"channel": _FLOOD}}),
        ("/v1/decide", {"text": "x", "fields": {"amount": _FLOOD}}),
        ("/v1/decide", {"items": [{"text": "x", "fields": {_FLOOD: {_FLOOD: _FLOOD}}}]}),
        ("/v1/decide", {"items": _FLOOD}),
        ("/v1/predict", {"items": [{_FLOOD: _FLOOD}]}),
        ("/v1/decide", {_FLOOD: 1, "text": _FLOOD + "\x00"}),
        ("/v1/decide", f'{{"{_FLOOD}": 1, "{_FLOOD}": 2}}'.encode()),
        ("/v1/decide", f'{{"text": {_FLOOD}}}'.encode()),
        ("/v1/decide", f'["{_FLOOD}"'.encode()),
        (f"/{_FLOOD}", {}),
        (f"/v1/decisions/{_FLOOD}/replay", {}),
        (f"/v1/decide?{_FLOOD}={_FLOOD}", {}),
    ],
)
def test_an_error_repeats_little_of_what_was_sent(served, path: str, body) -> None:
    more = {"content": body} if isinstance(body, bytes) else {"json": body}
    answer = served.ask("POST", path, headers=JSON, **more)
    assert answer.status_code >= 400
    assert answer.text.count("Q") <= 200
    assert len(answer.text) < 1000


def test_a_bad_head_is_not_repeated(served) -> None:
    for sent in (
        f"GET /{_FLOOD} {_FLOOD}\r\n\r\n",
        f"{_FLOOD} / HTTP/1.1\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {_FLOOD} x\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\n{_FLOOD} : y\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {_FLOOD}\r\nContent-Length: {_FLOOD}\r\n\r\n",
        f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {_FLOOD}\r\n\r\n",
        f"GET /v1/decisions/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {_FLOOD}\r\n\r\n",
    ):
        raw = served.raw(sent.encode())
        assert raw.startswith(b"HTTP/1.1 4"), raw[:100]
        assert raw.count(b"Q") <= 200
