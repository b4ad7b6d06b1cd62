"""The addresses: what they answer, who may ask, and that what was answered is on record."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from tests.serve.conftest import start
from tests.tampering import by_hand

from penjing.core.artifact import open_release
from penjing.core.canon import canonical_json
from penjing.core.folder import MANIFEST, sealed_folder
from penjing.core.zone import find_zone
from penjing.decide.policy import load_policy
from penjing.serve.auth import FRESH_SECONDS
from penjing.store.database import open_store
from penjing.store.erasure import erase_decisions
from penjing.store.keys import create_key, digest_of, revoke_key
from penjing.store.records import get_record


def test_a_decision_is_answered_recorded_and_replayed(served, tiny_release) -> None:
    made = served.decide(text="win cash now 打13812345678", fields={"channel": "web", "amount": 3})
    assert (made["route"], made["fired"], made["decided_by"]) == ("review", ["phone"], "rule")
    assert made["release"] == tiny_release.id
    assert made["facts"]["fields"] == {"channel": "web", "amount": 3.0}
    found = served.ask("GET", f"/v1/decisions/{made['id']}").json()
    assert "13812345678" not in str(found)
    assert {key: found.get(key) for key in made.keys() - {"p", "rule_why"}} == {
        key: made[key] for key in made.keys() - {"p", "rule_why"}
    }
    replayed = served.ask("POST", f"/v1/decisions/{made['id']}/replay").json()
    assert (replayed["same"], replayed["model"]["exact"]) == (True, True)
    store = open_store(served.db)
    record = get_record(store, made["id"])
    store.close()
    assert record is not None
    assert canonical_json(record.decided()).decode() == record.decision


def test_the_reasons_in_words_are_answered_and_not_recorded(served) -> None:
    body = {"items": [{"text": "a lottery", "fields": {"channel": "app"}}, "win cash now"], "why": "zh"}
    items = served.ask("POST", "/v1/decide", json=body).json()["items"]
    assert items[0]["why"] == [
        "规则 `lottery` 直接判定为 `spam`，不看模型",
        "规则 `lottery` 的理由：lotteries are always spam",
    ]
    assert "why" not in served.ask("GET", f"/v1/decisions/{items[0]['id']}").json()
    assert "the rule `lottery` decides" in served.decide(**body["items"][0], why="en")["why"][0]
    assert served.ask("POST", "/v1/decide", json={"text": "x", "why": "fr"}).status_code == 422


def test_a_counterfactual_is_answered_on_request(served) -> None:
    made = served.decide(text="thanks mum, a lottery", fields={"channel": "app"}, counterfactual=True)
    found = made["counterfactual"]
    assert found["removed"] == ["lottery"] and found["text"] == "thanks mum, a"
    assert (found["outcome"], found["route"]) != (made["outcome"], made["route"])
    again = served.decide(text=found["text"], fields={"channel": "app"})
    assert (again["outcome"], again["route"]) == (found["outcome"], found["route"])
    assert "counterfactual" not in served.ask("GET", f"/v1/decisions/{made['id']}").json()


def test_several_at_once_keep_their_order(served) -> None:
    texts = [f"message {number} win cash" for number in range(40)] + ["明天开会"]
    answer = served.ask("POST", "/v1/decide", json={"items": [{"text": text} for text in texts]})
    assert answer.status_code == 200
    items = answer.json()["items"]
    assert len({item["id"] for item in items}) == 41
    single = served.ask("POST", "/v1/predict", json={"text": "明天开会"}).json()
    assert single["probabilities"] == items[-1]["facts"]["probabilities"]


def test_a_batch_is_recorded_whole_or_not_at_all(served) -> None:
    def count() -> float:
        lines = served.ask("GET", "/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("penjing_decisions_total{"))

    before = count()
    answer = served.ask("POST", "/v1/decide", json={"items": [{"text": "ok"}, {"text": "a\x00b"}]})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("items.1: the text has")
    assert count() == before


def test_predict_records_nothing(served) -> None:
    answer = served.ask("POST", "/v1/predict", json={"items": [{"text": "win cash"}, {"text": "thanks mum"}]})
    assert [item["label"] for item in answer.json()["items"]] == ["spam", "ham"]
    assert "id" not in answer.json()["items"][0]


def test_evidence_is_answered_and_recorded(served) -> None:
    made = served.decide(text="明天开会。win cash now, free prize!", evidence=True)
    assert made["evidence"]
    assert served.ask("GET", f"/v1/decisions/{made['id']}").json()["evidence"] == made["evidence"]
    assert "evidence" not in served.decide(text="明天开会")


def test_states(served, tiny_release) -> None:
    assert served.ask("GET", "/healthz", key=None).json() == {"ok": True}
    ready = served.ask("GET", "/readyz", key=None).json()
    assert ready["release"] == tiny_release.id
    assert ready["gates"] == {"keep": "held", "p99_ms": "unproven"}
    assert (ready["unproven"], ready["certified"], ready["max_error"]) == (["p99_ms"], True, 0.1)
    assert ready["certify"] == "case"


def test_metrics_count_and_never_hold_what_a_client_wrote(served) -> None:
    served.decide(text="win cash")
    served.ask("GET", "/made-up-by-a-client")
    served.ask("GET", "/v1/decisions/secret-id")
    page = served.ask("GET", "/metrics", key=None).text
    for name in (
        'penjing_requests_total{path="/v1/decide",status="200"}',
        'penjing_requests_total{path="other",status="404"}',
        "penjing_decisions_total{",
        "penjing_request_seconds_bucket{",
        "penjing_review_share ",
        "penjing_waiting_texts 0.0",
        "penjing_commit_seconds_count",
        "penjing_release_info{",
    ):
        assert name in page, name
    assert "made-up" not in page
    assert "secret-id" not in page


@pytest.mark.parametrize(
    ("method", "path", "need"),
    [
        ("POST", "/v1/decide", "decide"),
        ("POST", "/v1/predict", "decide"),
        ("GET", "/v1/decisions/x", "read"),
        ("POST", "/v1/decisions/x/replay", "read"),
    ],
)
def test_keys_and_scopes(served, method: str, path: str, need: str) -> None:
    body = {"json": {"text": "x"}} if need == "decide" else {}
    none = served.ask(method, path, key=None, **body)
    assert (none.status_code, none.json()["error"]["code"]) == (401, "no_key")
    assert none.headers["www-authenticate"] == "Bearer"
    for wrong in ("pj_wrong", "x" * 5000, "é"):
        answer = served.ask(method, path, key=None, headers={"X-API-Key": wrong.encode()}, **body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unknown_key")
    other = "read" if need == "decide" else "decide"
    assert served.ask(method, path, key=other, **body).json()["error"]["code"] == "scope"
    assert served.ask(method, path, key=other, **body).status_code == 403
    assert served.ask(method, path, key=need, **body).status_code in {200, 404}
    header = {"X-API-Key": served.keys[need]}
    assert served.ask(method, path, key=None, headers=header, **body).status_code in {200, 404}


def test_a_new_key_opens_and_a_revoked_one_is_refused_a_second_later(strict) -> None:
    store = open_store(strict.db)
    key, secret = create_key(store, "passing", ["decide"])
    time.sleep(FRESH_SECONDS + 0.1)
    headers = {"X-API-Key": secret}
    assert strict.ask("POST", "/v1/predict", key=None, json={"text": "x"}, headers=headers).status_code == 200
    revoke_key(store, key.id)
    store.close()
    time.sleep(FRESH_SECONDS + 0.1)
    assert strict.ask("POST", "/v1/predict", key=None, json={"text": "x"}, headers=headers).status_code == 401


def test_the_schema_names_every_address(served) -> None:
    schema = served.ask("GET", "/openapi.json", key=None).json()
    assert set(schema["paths"]) == {
        "/v1/decide",
        "/v1/predict",
        "/v1/decisions",
        "/v1/decisions/{identity}",
        "/v1/decisions/{identity}/replay",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    forms = schema["paths"]["/v1/decide"]["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert [sorted(form["properties"]) for form in forms] == [
        [
            *(
                "counterfactual",
                "evidence",
                "evidence_of",
                "fields",
                "head",
                "keep",
                "other",
                "question",
                "ref",
                "tail",
            ),
            *("text", "why"),
        ],
        ["counterfactual", "evidence", "evidence_of", "items", "why"],
    ]


CHANGES = [
    "decision = '{'",
    "decision = '[]'",
    "decision = x'00'",
    "decision = replace(decision, '\"p\":', '\"q\":')",
    "prediction = '{}'",
    "prediction = replace(prediction, '0.', '\"x\",0.')",
    "prediction = replace(prediction, '0.', 'NaN,0.')",
    "fingerprint = '[]'",
    "fingerprint = '{\"threads\":1}'",
    "text = CAST(x'ff' AS TEXT)",
    "text = x'ff'",
    "evidence = '1'",
    "outcome = CAST(x'ff' AS TEXT)",
]


def test_a_record_that_was_changed_is_named_and_stops_no_other(server) -> None:
    served = server()
    other = served.decide(text="see you at lunch")
    for change in CHANGES:
        made = served.decide(text="win cash now", evidence=True)
        by_hand(served.db, f"UPDATE decisions SET {change} WHERE id = '{made['id']}'")
        check_named(served, change, made, other)


def check_named(served, change: str, made, other) -> None:
    for method, path in (("GET", ""), ("POST", "/replay")):
        answer = served.ask(method, f"/v1/decisions/{made['id']}{path}")
        assert answer.status_code == 409, (change, answer.text)
        error = answer.json()["error"]
        assert error["code"] == "damage" and made["id"] in error["message"] and "`penjing verify`" in error["fix"]
        assert served.ask(method, f"/v1/decisions/{other['id']}{path}").status_code == 200


def test_an_erased_record_says_when(served) -> None:
    made = served.decide(text="win cash now")
    store = open_store(served.db)
    noted = erase_decisions(store, [made["id"]])
    store.close()
    found = served.ask("GET", f"/v1/decisions/{made['id']}").json()
    assert (found["text"], found["erased"]) == (None, noted)
    replayed = served.ask("POST", f"/v1/decisions/{made['id']}/replay").json()
    assert (replayed["same"], replayed["erased"]) == (True, noted)


def test_a_key_that_was_put_into_the_table_opens_nothing(server) -> None:
    served = server()
    store = open_store(served.db)
    revoked, secret = create_key(store, "old")
    revoke_key(store, revoked.id)
    store.close()
    forged = "pj_" + "x" * 43
    by_hand(
        served.db,
        f"INSERT INTO keys VALUES ('evil', 'n', '{digest_of(forged)}', 'decide,read', '2026', NULL)",
        f"UPDATE keys SET revoked = NULL WHERE id = '{revoked.id}'",
    )
    time.sleep(1.1)
    for key in (forged, secret):
        answer = served.ask("POST", "/v1/decide", key=None, headers={"X-API-Key": key}, json={"text": "x"})
        assert answer.status_code == 401
    assert served.ask("POST", "/v1/decide", json={"text": "x"}).status_code == 200


def test_readyz_speaks_of_the_period_that_holds(tiny_release, tmp_path) -> None:
    # The certificate as a whole is that of the worst period; the service decides by the thresholds of this one.
    found = json.loads((tiny_release.folder / "certificate.json").read_bytes())
    proven = {"certified": True, "rows": 300, "automation": 0.8, "error": 0.01}
    periods = [{"first": None, "last": 0, "rows": 20}, {"first": 1, "last": None, **proven}]
    found |= {"format": 3, "certified": False, "periods": periods}
    with sealed_folder(tmp_path / "dated") as inside:
        shutil.copytree(tiny_release.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        (inside / "certificate.json").write_bytes(canonical_json(found))
    (tmp_path / "served").mkdir()
    running = start(open_release(tmp_path / "dated"), tmp_path / "served")
    try:
        ready = running.ask("GET", "/readyz", key=None).json()
    finally:
        running.stop()
        assert running.process.stdout is not None
        running.process.stdout.close()
    assert ready["certified"] is True
    assert [(each["now"], each["certified"]) for each in ready["periods"]] == [(True, True), (False, False)]
    assert (ready["periods"][0]["from"], ready["periods"][0]["automation"]) == ("1970-01-01T00:00:01Z", 0.8)


def test_a_release_with_a_zone_is_served_where_the_machine_has_no_zone_database(tiny_release, tmp_path) -> None:
    spec = load_policy(tiny_release).spec.model_copy(update={"time_zone": find_zone("Asia/Shanghai")}).newest_rules()
    with sealed_folder(tmp_path / "zoned") as inside:
        shutil.copytree(tiny_release.folder, inside, dirs_exist_ok=True)
        (inside / MANIFEST).unlink()
        (inside / "policy" / "policy.json").write_bytes(canonical_json(spec.model_dump(mode="json")))
        rules = "name,text,then,valid_from,valid_to\nnow,contains lottery,review,2026-01-01,2099-12-31\n"
        (inside / "policy" / "rules.csv").write_text(rules, encoding="utf-8")
    # An empty package of that name hides the database that pip installs.
    (tmp_path / "without" / "tzdata").mkdir(parents=True)
    (tmp_path / "without" / "tzdata" / "__init__.py").touch()
    (tmp_path / "served").mkdir()
    path = os.pathsep.join([str(tmp_path / "without"), *filter(None, [os.environ.get("PYTHONPATH")])])
    hidden = {"PYTHONPATH": path, "PYTHONTZPATH": ""}
    known = subprocess.run(
        [sys.executable, "-c", "from penjing.core.zone import nearest_zone; print(nearest_zone('Asia/Shanghai'))"],
        env={**os.environ, **hidden}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert known.stdout == "this machine has no zone database: `pip install tzdata`\n"
    running = start(open_release(tmp_path / "zoned"), tmp_path / "served", env=hidden)
    try:
        assert running.ask("GET", "/healthz", key=None).json() == {"ok": True}
        assert running.ask("GET", "/readyz", key=None).json()["ready"]
        made = running.decide(text="a lottery", fields={"channel": "web"})
        assert made["fired"] == ["now"]
        assert running.ask("POST", f"/v1/decisions/{made['id']}/replay").json()["same"]
    finally:
        running.stop()
        assert running.process.stdout is not None
        running.process.stdout.close()
