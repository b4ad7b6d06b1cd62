"""What earlier code sealed and recorded: it loads, verifies, decides and replays to the same bytes, always."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from penjing.cases.replay import replay_decision, replay_model
from penjing.cases.rule_reasons import doubts
from penjing.core.answers import answer_to_json
from penjing.core.artifact import open_release
from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError
from penjing.core.nouns import Prediction
from penjing.decide.decider import Decider, Request
from penjing.decide.draw import Drawer
from penjing.decide.policy import load_policy
from penjing.explain.evidence import explain
from penjing.prove.amend import read_certificate
from penjing.store.audits import closed_audits
from penjing.store.case_data import refs_with
from penjing.store.database import open_store
from penjing.store.records import Record, scan_records
from penjing.store.signing import load_key
from penjing.store.verify import verify_store

GOLDEN = Path(__file__).parent / "golden"
IDS = {
    "linear": "7d7c100fda1d9cbe275d51a3079040df41a1c541c05ea2c8943d14f87faa645d",
    "int8": "13efb953a314af9b73f11ff3bdb532845d1fd2cb9e0dd08b238a6c600345e255",
    "cascade": "6e418e25e94b46ea0af3585363c57b6b5056b70bb981eecb5bef85eff39b2c16",
}
# Those of later forms, with a database of their own.
SECOND = GOLDEN / "second"
IDS_SECOND = {
    "ngrams": "1e9d1ca95ea2355a2092eb445a7540a1f95fb2389f7f975cd518ee6030864a65",
    "cascade-2": "eb8e109629c8ef4dbefd30be30de28d9c7a09dc5c975b37ac1a5f051db2f4ed9",
}
# Rules of the second edition, with word lists, queues and dates; audits drawn by the key of the database.
THIRD = GOLDEN / "third"
IDS_THIRD = {"rules-2": "89dbca333727c15981bf69ea6e87688df3c921d3bc919c3f094657506d0161b2"}
# Facts of version 4: whether a text is out of scope.
FOURTH = GOLDEN / "fourth"
IDS_FOURTH = {"scope": "03d46742b9348e642f4423fbb240c3393db1a2fbab83efd9826c127eefc4741b"}
# Any number of labels a text.
FIFTH = GOLDEN / "fifth"
IDS_FIFTH = {"several": "8eab65af098ba7c61b977a760f3a10fdf56d4ca7c7c4ea24b518350f13967107"}
# Sets of labels certified label by label, and entities certified one by one: policy formats 6 and 7.
SIXTH = GOLDEN / "sixth"
IDS_SIXTH = {
    "by-label": "37bfb04d9936a9d733dd14074ef091a37f7b734c0571a15cf6bc0226e483ea31",
    "by-item": "badb0acbfc1b29cabab8eeab6a6ad71b0a11f525d90b302e75b01b6df37d21b0",
}
# The other tasks, and entities of a model that has learned what follows what (`chain`).
SEVENTH = GOLDEN / "seventh"
IDS_SEVENTH = {
    "relate": "594139744f394584d0f74efefee331787d3e77fcba921184222a8a96ef91b65b",
    "match": "46b30b8150c925f5b1130f66d06bf28c1a3b2dbe4adcac6a1331dd5e88873999",
    "answer": "fa14a0eff5e78bdb0bc70d6a9c5cb6830e5069c57b19f62630bff5cc9ce71873",
    "nearest": "b4fc87a24babb30ad2ded5316e45de3ecf44298a9aedb3706385291acae83c78",
    "triples": "09c7600cd19c2e0255cd3066e54366096bd2b260fcef67bbe48ffae5d07cb88b",
    "together": "d4128dd8c53518366ad6943a26502cbe6c9d321002be833eb2d2e0a27f5b2925",
    "score": "e5c65da068f73c40ba99f04797fe427a05c1e6c7a3af3fde3a1a6bec51d6a8ee",
    "chain": "59672a44c166bfd3110bd7e925e5206b55c1f5d7dde60fa3b6c99ffafe82fa2a",
}
FOLDERS = dict.fromkeys(IDS, GOLDEN) | dict.fromkeys(IDS_SECOND, SECOND) | dict.fromkeys(IDS_THIRD, THIRD)
FOLDERS |= dict.fromkeys(IDS_FOURTH, FOURTH) | dict.fromkeys(IDS_FIFTH, FIFTH)
FOLDERS |= dict.fromkeys(IDS_SIXTH, SIXTH) | dict.fromkeys(IDS_SEVENTH, SEVENTH)
ALL_IDS = IDS | IDS_SECOND | IDS_THIRD | IDS_FOURTH | IDS_FIFTH | IDS_SIXTH | IDS_SEVENTH
# How many requests each release of a folder decided, where it is not 30.
COUNTS = {THIRD: 37, SEVENTH: 12}
# Of a release in INT8 on a CPU whose INT8 instructions saturate where those of its maker do not: it is refused there.
OTHER_ENGINE = "this machine's engine does not agree with the one that made the release"
TABLES = ("decisions", "reviews", "releases", "keys", "audit")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Record]]:
    """The records of each release, in the order of the requests, read from migrated copies of the databases."""
    found = {}
    for folder in (GOLDEN, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH):
        store = open_store(f"sqlite:///{copied(folder, tmp_path_factory.mktemp('golden'))}")
        mine = {name: identity for name, identity in ALL_IDS.items() if FOLDERS[name] == folder}
        found |= {name: list(scan_records(store, release=identity)) for name, identity in mine.items()}
        store.close()
    return found


def copied(folder: Path, target: Path) -> Path:
    """A copy of the database of a folder, with its key and its signed head if it has them."""
    for file in folder.glob("store.sqlite*"):
        hidden = "." if file.suffix in (".key", ".head") else ""
        shutil.copyfile(file, target / f"{hidden}{file.name}").chmod(0o600)
    return target / "store.sqlite"


def requests_of(decider: Decider) -> list[Request]:
    """The requests that a release decided; their fields are strings, as in a file.

    Each release of a folder decided all of them, where no column says which release did.
    """
    name = name_of(decider)
    with (FOLDERS[name] / "requests.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("release", name) == name]
    return [Request(row["text"], decider.policy.schema.from_strings(row)) for row in rows]


@pytest.fixture(scope="module", params=list(ALL_IDS))
def decider(request: pytest.FixtureRequest) -> Decider:
    try:
        made = Decider(open_release(FOLDERS[request.param] / request.param), threads=1)
    except DamageError as error:
        if OTHER_ENGINE not in error.what:
            raise
        pytest.skip(error.what)
    key = load_key(FOLDERS[request.param] / "store.sqlite.key")
    if key is not None:  # as `Store.audit_key`
        made.drawer = Drawer(key.derive(b"penjing: draws for audits"))
    return made


def name_of(decider: Decider) -> str:
    return decider.release.folder.name


def same_machine(decider: Decider, record: Record) -> None:
    """Skip where the numbers may differ within the tolerance."""
    here = decider.session.fingerprint()
    if dict(record.fingerprint) != here:
        pytest.skip(f"another numeric fingerprint: recorded {dict(record.fingerprint)}, here {here}")


@pytest.mark.parametrize("name", ALL_IDS)
def test_a_release_verifies_under_its_id(name: str) -> None:
    assert open_release(FOLDERS[name] / name).id == ALL_IDS[name]


@pytest.mark.parametrize("name", ALL_IDS)
def test_a_certificate_is_read_whole(name: str) -> None:
    release = open_release(FOLDERS[name] / name)
    sealed = json.loads((release.folder / "certificate.json").read_bytes())
    read = read_certificate(release).model_dump(mode="json")
    assert canonical_json({key: read[key] for key in sealed}) == canonical_json(sealed)


def test_recorded_facts_give_the_recorded_decision(decider: Decider, records: dict[str, list[Record]]) -> None:
    policy = load_policy(decider.release)
    found = records[name_of(decider)]
    assert len(found) == COUNTS.get(FOLDERS[name_of(decider)], 30)
    for record in found:
        replayed = replay_decision(policy, record.decided())
        assert replayed.same, replayed.differences
        assert replayed.replayed.decode() == record.decision


def test_a_request_is_masked_as_it_was(decider: Decider, records: dict[str, list[Record]]) -> None:
    for request, record in zip(requests_of(decider), records[name_of(decider)], strict=True):
        _, masked, fields = decider.read(request)
        facts = record.decided()["facts"]
        assert masked.text == record.text
        assert masked.counts == facts["pii"]
        assert dict(fields) == facts["fields"]


def test_a_request_is_decided_to_the_same_bytes(decider: Decider, records: dict[str, list[Record]]) -> None:
    found = records[name_of(decider)]
    same_machine(decider, found[0])
    for request, record in zip(requests_of(decider), found, strict=True):
        clock = record.decided()["facts"]["clock"]
        decided = decider.decide([Request(request.text, request.fields, record.id)], clock=clock)[0]
        assert canonical_json(decided.decision.to_json()).decode() == record.decision
        assert bytes_of(decided.prediction) == record.prediction.encode()


def test_a_masked_text_gives_the_same_probabilities(decider: Decider, records: dict[str, list[Record]]) -> None:
    tolerance = decider.release.info.tolerance
    for record in records[name_of(decider)]:
        assert record.text is not None
        played = replay_model(decider.session, record.text, record.predicted(), record.fingerprint, tolerance)
        assert played.held, played.why
        if not played.changed:
            assert played.exact


def test_the_evidence_is_the_same(decider: Decider, records: dict[str, list[Record]]) -> None:
    found = records[name_of(decider)]
    same_machine(decider, found[0])
    for record in found[:10]:
        assert record.text is not None and record.evidence is not None
        again = explain(decider.session, record.text).to_json()
        assert canonical_json(again) == canonical_json(dict(record.evidence))


def test_a_database_of_the_first_form_migrates_without_loss(tmp_path: Path) -> None:
    before = rows_of(GOLDEN / "store.sqlite")
    copy = shutil.copyfile(GOLDEN / "store.sqlite", tmp_path / "store.sqlite")
    open_store(f"sqlite:///{copy}").close()
    after = rows_of(copy)
    assert {name: len(rows) for name, rows in before.items()} == {
        "decisions": 90, "reviews": 27, "releases": 3, "keys": 2, "audit": 7,
    }  # fmt: skip
    for name, rows in before.items():
        kept = [{column: row[column] for column in rows[0]} for row in after[name][: len(rows)]]
        assert kept == rows


def rows_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the first form, as plain values in the order in which they were written."""
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY rowid")] for name in TABLES
        }
    finally:
        connection.close()


def bytes_of(prediction: Prediction) -> bytes:
    """A prediction as it is recorded."""
    return canonical_json(
        {
            "artifact": prediction.artifact,
            **answer_to_json(prediction.answer),
            "too_long": prediction.too_long,
            **prediction.scope,
        }
    )


def test_a_database_of_the_fourth_form_migrates_and_verifies(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{copied(SECOND, tmp_path)}")
    done = verify_store(store)
    store.close()
    assert done.findings == [] and done.rows["decision"] == 60 and done.rows["review"] == 6


def test_a_database_of_the_fifth_form_verifies_and_has_the_callers_numbers(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{copied(THIRD, tmp_path)}")
    done = verify_store(store)
    assert done.findings == [] and (done.rows["decision"], done.rows["case data"], done.rows["review"]) == (37, 37, 20)
    (one,) = closed_audits(store)
    assert one.drawn == 0.1 and refs_with(store, "K-030")
    store.close()


def test_texts_out_of_scope_stay_so(decider: Decider, records: dict[str, list[Record]]) -> None:
    found = [record.predicted() for record in records[name_of(decider)]]
    if FOLDERS[name_of(decider)] != FOURTH:
        assert all((each.far is not None) == decider.policy.spec.scope for each in found)
        return
    assert sum(each.out_of_scope for each in found) == 10
    reasons = [record.decided()["reason"] for record in records["scope"]]
    assert {reasons.count(each) for each in ("out_of_scope", "rule_outcome", "rule_review")} == {7, 2}


def test_sets_of_labels_and_their_verdicts_verify(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{copied(FIFTH, tmp_path)}")
    done = verify_store(store)
    found = [record.decided() for record in scan_records(store, release=IDS_FIFTH["several"])]
    assert done.findings == [] and (done.rows["decision"], done.rows["verdict"]) == (30, 3)
    assert {"none", "card", "card;fees;loan"} <= {each["outcome"] for each in found}
    assert sum(each["route"] == "automatic" for each in found) == 13
    store.close()


def test_labels_and_entities_certified_one_by_one_stay_so(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{copied(SIXTH, tmp_path)}")
    done = verify_store(store)
    assert done.findings == [] and (done.rows["decision"], done.rows["verdict"]) == (60, 4)
    for name, shape, automatic, doubtful in (("by-label", 6, 11, 13), ("by-item", 7, 10, 20)):
        policy = load_policy(open_release(SIXTH / name))
        found = [record.decided() for record in scan_records(store, release=IDS_SIXTH[name])]
        assert policy.spec.format == shape and read_certificate(open_release(SIXTH / name)).certified
        assert sum(each["route"] == "automatic" for each in found) == automatic
        assert sum(bool(doubts(policy, each)) for each in found) == doubtful
    store.close()


def test_the_other_tasks_verify_and_decide_without_a_person(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{copied(SEVENTH, tmp_path)}")
    done = verify_store(store)
    assert done.findings == [] and done.rows["decision"] == 12 * len(IDS_SEVENTH)
    for name, identity in IDS_SEVENTH.items():
        routes = [record.decided()["route"] for record in scan_records(store, release=identity)]
        assert "automatic" in routes, name
    store.close()
    card = json.loads((SEVENTH / "chain" / "model" / "card.json").read_bytes())
    assert card["chained"] and card["calibration"]["following"]
