"""A decision is found again by the caller's own case number, page by page, with what the caller sent along."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.serve.conftest import start

from penjing.cases.rule_reasons import RuleReasons
from penjing.core.artifact import open_release
from penjing.core.errors import DamageError
from penjing.serve.lookups import describe
from penjing.store.database import Store, open_store
from penjing.store.erasure import erase_decisions
from penjing.store.records import get_record, scan_records
from penjing.store.releases import put_in_service

REF = "案件 7/2026 & co"
GOLDEN = Path(__file__).parents[1] / "golden"


def golden_store(name: str, folder: Path) -> Store:
    """A copy of the database of an earlier version."""
    for file in (GOLDEN / name).glob("store.sqlite*"):
        hidden = "." if file.suffix in (".key", ".head") else ""
        shutil.copyfile(file, folder / f"{hidden}{file.name}").chmod(0o600)
    return open_store(f"sqlite:///{folder / 'store.sqlite'}")


def _list(served, query: str, status: int = 200):
    answer = served.ask("GET", f"/v1/decisions?{query}", key="read")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_decisions_of_a_case_are_listed_in_the_order_of_time(served) -> None:
    keep = {"支行": "杭州", "amount": 3.5, "vip": True, "none": None}
    first = served.decide(text="win cash now", ref=REF, keep=keep)
    assert (first["ref"], first["keep"]) == (REF, keep)
    body = {
        "items": [{"text": "thanks mum", "ref": REF}, {"text": "see you", "ref": "other"}, "plain"],
        "evidence": True,
    }
    items = served.ask("POST", "/v1/decide", json=body).json()["items"]
    assert [item.get("ref") for item in items] == [REF, "other", None]
    assert "ref" not in items[2] and "keep" not in items[2]
    long = served.decide(text="win cash " * 400, ref=REF)  # decided by the slow process
    found = _list(served, f"ref={quote(REF)}")
    assert [item["id"] for item in found["items"]] == [first["id"], items[0]["id"], long["id"]]
    assert found["next"] is None
    assert found["items"][0] == served.ask("GET", f"/v1/decisions/{first['id']}").json()
    assert found["items"][0]["keep"] == keep and found["items"][0]["text"] == "win cash now"
    page = _list(served, f"ref={quote(REF)}&limit=2")
    assert [item["id"] for item in page["items"]] == [first["id"], items[0]["id"]]
    rest = _list(served, f"ref={quote(REF)}&limit=2&after={page['next']}")
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([long["id"]], None)
    assert _list(served, "ref=nothing") == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "the query names no case"),
        ("ref=", "the query names no case"),
        ("ref=a&limit=101", "`limit` is no number of decisions"),
        ("ref=a&limit=x", "`limit` is no number of decisions"),
        ("ref=a&limit=0000000019999", "`limit` is no number of decisions"),
        ("ref=a&limit=000000001" + "9" * 5000, "`limit` is no number of decisions"),
        ("ref=a&ref=b", "`ref` is given twice"),
        ("ref=a&since=1", "`since` is unknown in a query"),
        ("ref=a&after=none", "`after` names no decision of this case"),
    ],
)
def test_a_query_that_means_nothing_is_refused(served, query: str, said: str) -> None:
    error = _list(served, query, 422)["error"]
    assert (error["code"], error["message"]) == ("bad_request", said) and error["fix"]


def test_the_list_needs_the_scope_of_reading(served) -> None:
    assert served.ask("GET", "/v1/decisions?ref=a", key="decide").status_code == 403
    assert served.ask("GET", "/v1/decisions?ref=a", key=None).status_code == 401


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"ref": "x" * 201}, "has 201 characters; at most 200 are kept"),
        ({"ref": 7}, "ref"),
        ({"keep": {f"c{n}": 1 for n in range(21)}}, "21 columns to pass through; at most 20"),
        ({"keep": {"a": "x" * 2000}}, "2,001 characters; at most 2,000"),
        ({"keep": {"a": ["x"]}}, "keep"),
    ],
)
def test_beyond_the_bounds_nothing_is_decided(served, item, said: str) -> None:
    answer = served.ask("POST", "/v1/decide", json={"items": ["fine", {"text": "win cash", **item}]})
    assert answer.status_code == 422
    assert "items.1" in answer.json()["error"]["message"] and said in answer.json()["error"]["message"]


def test_they_are_no_part_of_the_decision_and_are_erased_with_it(served) -> None:
    made = served.decide(text="win cash now", ref="C-erased", keep={"name": "王芳"})
    store = open_store(served.db)
    record = get_record(store, made["id"])
    assert record is not None and "王芳" not in record.decision and "ref" not in record.decided()
    erase_decisions(store, [made["id"]])
    store.close()
    assert _list(served, "ref=C-erased")["items"] == []
    found = served.ask("GET", f"/v1/decisions/{made['id']}").json()
    assert found["erased"] and "ref" not in found and "keep" not in found
    assert served.ask("POST", f"/v1/decisions/{made['id']}/replay").json()["same"]


def test_a_waiting_case_has_its_text_where_the_release_keeps_none(tiny_release_maker, tmp_path: Path) -> None:
    served = start(tiny_release_maker(tmp_path / "none", texts="none"), tmp_path)
    try:
        waiting = served.decide(text="打13812345678 " * 300, fields={"channel": "app"})  # by the slow process
        decided = served.decide(text="a lottery", fields={"channel": "app"})
        assert (waiting["route"], decided["route"]) == ("review", "automatic")
        assert served.ask("GET", f"/v1/decisions/{waiting['id']}").json()["text"].startswith("打")
        assert served.ask("GET", f"/v1/decisions/{decided['id']}").json()["text"] is None
    finally:
        served.stop()


def test_what_a_case_drew_for_an_audit_is_in_no_answer_and_replays(tmp_path: Path) -> None:
    release = open_release(Path(__file__).parents[1] / "golden" / "third" / "rules-2")
    served = start(release, tmp_path)
    try:
        made = served.decide(text="the parcel came late", ref="C-1")
        slow = served.decide(text="the parcel came late. " * 400, ref="C-1")
        evidence = served.decide(text="the parcel came late", ref="C-1", evidence=True)
        ids = [made["id"], slow["id"], evidence["id"]]
        single = [served.ask("GET", f"/v1/decisions/{identity}").json() for identity in ids]
        shown = [made, slow, evidence, *single, *_list(served, "ref=C-1")["items"]]
        assert len(shown) == 9
        for answer in shown:
            assert answer["facts"]["p"] and "audit" not in answer["facts"] and "draw" not in json.dumps(answer)
        store = open_store(served.db)
        for identity in ids:
            record = get_record(store, identity)
            assert record is not None and 0 <= record.decided()["facts"]["audit"]["draw"] < 1
            replayed = served.ask("POST", f"/v1/decisions/{identity}/replay").json()
            assert replayed["same"] and "draw" not in json.dumps(replayed)
        store.close()
    finally:
        served.stop()


@pytest.mark.parametrize("name", ["third/rules-2", "sixth/by-label", "sixth/by-item"])
def test_a_decision_that_is_found_again_says_what_its_answer_said(name: str, tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden" / name
    with (golden.parent / "requests.csv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    served = start(open_release(golden), tmp_path)
    try:
        items = [{"text": text, "ref": "C-1"} for text in texts]
        made = served.ask("POST", "/v1/decide", json={"items": items}).json()["items"]
        found = _list(served, "ref=C-1&limit=100")["items"]
        one = served.ask("GET", f"/v1/decisions/{made[0]['id']}").json()
    finally:
        served.stop()
    assert one == found[0] and len(found) == len(made)
    later = {"created", "text", "evidence"}
    for answer, again in zip(made, found, strict=True):  # the places in the raw text, which is not kept, are left out
        assert {name: part for name, part in again.items() if name not in later} == {
            name: part for name, part in answer.items() if name != "in_text"
        }
    wanted = "rule_why" if name.startswith("third") else "doubts"
    assert sum(wanted in answer for answer in made) > 1


def test_a_decision_of_a_release_that_is_gone_has_no_doubts_and_a_changed_one_is_damage(tmp_path: Path) -> None:
    store = golden_store("sixth", tmp_path)
    named = [record for record in scan_records(store) if RuleReasons(store).doubts(record.release, record.decided())]
    release = open_release(GOLDEN / "sixth" / "by-label")
    put_in_service(store, release)
    here, nothing = RuleReasons(store), RuleReasons(store, {release.id: None})
    record = next(one for one in scan_records(store, release=release.id) if here.doubts(one.release, one.decided()))
    assert named == [] and describe(store, here, record)["doubts"]
    assert "doubts" not in (gone := describe(store, nothing, record)) and gone["p"] == record.decided()["facts"]["p"]
    facts = {name: part for name, part in record.decided()["facts"].items() if name != "clock"}
    changed = replace(record, decision=json.dumps({**record.decided(), "facts": facts}))
    with pytest.raises(DamageError, match="changed outside Penjing"):
        describe(store, here, changed)
    store.close()


@pytest.mark.parametrize("name", ["second", "third", "fourth", "fifth", "sixth", "seventh"])
def test_every_recorded_decision_of_an_earlier_version_is_found_with_its_parts(name: str, tmp_path: Path) -> None:
    store = golden_store(name, tmp_path)
    for folder in sorted((GOLDEN / name).iterdir()):
        if folder.is_dir():
            put_in_service(store, open_release(folder))
    reasons = RuleReasons(store)
    answers = [describe(store, reasons, record) for record in scan_records(store)]
    assert len(answers) > 20
    for answer in answers:
        assert answer["p"] == answer["facts"]["p"] and answer.get("doubts", {"": ""})
    store.close()
