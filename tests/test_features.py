"""Declared fields that a model reads beside the text: made, certified, decided, recorded, replayed and served."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from penjing.cases.impact import impact
from penjing.cases.record import Ask, work
from penjing.cases.replay import replay_decision
from penjing.cases.replay_record import replay_record
from penjing.core.errors import RecipeError
from penjing.core.nouns import Inputs, Release, Run, Silent, Table
from penjing.core.recipe import load_recipe
from penjing.decide.decider import Decider, Request
from penjing.explain.evidence import explain
from penjing.make.check_recipe import check_recipe
from penjing.make.order import feature_faults
from penjing.make.plan import build_plan
from penjing.make.run import Made, make_release
from penjing.measure import latency
from penjing.prove.amend import amend
from penjing.runtime.open import open_session
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import Store, open_store
from penjing.store.records import scan_records, write_prepared
from penjing.store.releases import put_in_service
from penjing.tune import linear

WORDS = ("pump", "valve", "motor", "belt", "sensor", "fan", "gear", "shaft", "hose", "left", "right", "again", "today")
RECIPE = """\
name: machines
data:
  files: rows.csv
  fields: {temperature: float, site: [north, south], note: str}
  features: [temperature, site]
steps:
- tune.linear: {c: [16]%s}
gates: {unproven: allow}
decide: {max_error: 0.10, audit: 0.0}
threads: 1
"""


def rows(count: int, seed: int) -> list[tuple[str, float, str, str]]:
    """Texts that say nothing; hot machines break, and in the south the warm ones too."""
    drawn, found = random.Random(seed), []
    for _ in range(count):
        site, temperature = drawn.choice(["north", "south"]), round(drawn.uniform(0, 100), 1)
        if abs(temperature - 50) > 5:
            text = " ".join(drawn.sample(WORDS, 6))
            found.append((text, temperature, site, "broken" if temperature > 50 else "sound"))
    return found


def table(count: int, seed: int) -> Table:
    texts, temperatures, sites, labels = zip(*rows(count, seed), strict=True)
    return Table(texts, labels, fields={"temperature": temperatures, "site": sites})


def make(folder: Path, options: str = "") -> Made:
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "Temperature", "site", "note", "label"])
        for text, temperature, site, label in rows(500, 0):
            writer.writerow([text, temperature, site.upper(), "", label])
    (folder / "recipe.yaml").write_text(RECIPE % options, encoding="utf-8")
    return make_release(folder / "recipe.yaml", folder / "out")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "_window", lambda *_, **__: 4)
        yield make(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def release(made: Made) -> Release:
    assert made.release is not None, made.refused
    return made.release


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'penjing.db'}")


def test_the_fields_decide_where_the_text_says_nothing(made: Made, tmp_path: Path) -> None:
    assert made.report.test.score.value > 0.95
    assert made.report.data.features == ("temperature", "site")
    assert made.release is not None and set(made.release.artifact.card.features) == {"temperature", "site"}
    train, validation = table(500, 0), table(200, 1)
    run = Run(out=tmp_path / "out", scratch=tmp_path / "scratch")
    blind = linear.apply(Inputs(None, train, validation), linear.Options(c=(1.0,)), run)
    assert blind.card.metrics["validation_accuracy"] < 0.65


def test_a_field_counts_however_it_is_written(release: Release) -> None:
    decider = Decider(release, threads=1)
    ways: list[dict[str, Any]] = [
        {"temperature": 90, "site": "north"},
        {"site": "NORTH", "Temperature": "90.0"},
        {"site": "north", "temperature": 90.0, "note": "the model does not read this"},
    ]
    hot = [decider.decide([Request("pump left", fields)])[0] for fields in ways]
    assert {one.decision.outcome for one in hot} == {"broken"}
    assert len({one.prediction for one in hot}) == 1
    cold = decider.decide([Request("pump left", {"temperature": 10, "site": "north"})])[0]
    assert cold.decision.outcome == "sound"


def test_a_field_that_is_not_given_is_missing(release: Release) -> None:
    decider = Decider(release, threads=1)
    none, blank = decider.decide([Request("pump left"), Request("pump left", {"temperature": None, "site": ""})])
    assert none.prediction == blank.prediction == decider.session.predict(["pump left"])[0]
    hot = decider.decide([Request("pump left", {"temperature": 90, "site": "north"})])[0]
    assert none.prediction.answer.top()[1] < hot.prediction.answer.top()[1], "without the field it knows less"


def test_neighbours_and_their_fields_change_nothing(release: Release) -> None:
    decider = Decider(release, threads=1)
    asked = [Request(text, {"temperature": t, "site": site}) for text, t, site, _ in rows(300, 5)]
    alone = [decider.decide([one])[0].prediction for one in asked]
    assert [one.prediction for one in decider.decide(asked)] == alone
    assert len(asked) > 256, "more than one pass"


def test_what_is_recorded_is_replayed_to_the_same_bytes(release: Release, store: Store) -> None:
    decider = Decider(release, threads=1)
    put_in_service(store, release)
    fields = [{"temperature": 12.3456789, "site": "south"}, {"temperature": 99}, {}]
    answers = work(decider, [Ask("belt again", one, evidence=True) for one in fields])
    with store.write() as connection:
        write_prepared(connection, [answer.record for answer in answers if answer.record])
    records = list(scan_records(store))
    for record in records:
        replayed = replay_record(record, decider)
        assert replayed.same and replayed.model is not None and replayed.model.exact, replayed.to_json()
    assert impact(decider.policy, decider.session, records).changed == 0
    assert len({json.dumps(answer.shown["facts"]["probabilities"], sort_keys=True) for answer in answers}) == 3


def test_evidence_varies_the_words_and_keeps_the_fields(release: Release) -> None:
    decider = Decider(release, threads=1)
    fields = {"temperature": 90.0, "site": "north"}
    said = decider.decide([Request("pump, belt again", fields)])[0]
    evidence = explain(decider.session.given(fields), said.masked.text)
    assert evidence.answer == said.prediction.answer
    assert explain(decider.session, said.masked.text).answer != said.prediction.answer


def test_it_is_served_with_its_fields(release: Release, store: Store, tmp_path: Path) -> None:
    service = DecisionService(release, store, Settings(threads=1, cache=str(tmp_path), state_seconds=0))
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        asked = {"text": "pump left", "fields": {"temperature": 90, "site": "north"}}
        decided = client.post("/v1/decide", json=asked | {"evidence": True}).json()
        assert decided["outcome"] == "broken"
        assert client.post(f"/v1/decisions/{decided['id']}/replay").json()["model"]["exact"]
        assert client.post("/v1/predict", json=asked).json()["p"] == decided["p"]
        both = client.post("/v1/predict", json={"items": [asked, "pump left"]}).json()["items"]
        assert both[0]["p"] == decided["p"] != both[1]["p"]


def test_the_command_line_reads_them_from_the_file(release: Release, penjing: Any, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text(
        "SITE,text,temperature\nnorth,pump left,90\nsouth,pump left,10\n", encoding="utf-8"
    )
    said = [line["label"] for line in penjing("predict", release.folder, "texts.csv").lines]
    assert said == ["broken", "sound"]
    lines = penjing("decide", release.folder, "texts.csv", "--evidence").lines
    assert [line["outcome"] for line in lines] == said
    assert [line["evidence"]["label"] for line in lines] == said


@pytest.mark.usefixtures("short_times")
def test_a_model_of_the_fields_alone(tmp_path: Path) -> None:
    made = make(tmp_path, ", text: false")
    assert made.release is not None, made.refused
    assert made.report.test.score.value > 0.95
    session = open_session(made.release.artifact)
    hot: dict[str, Any] = {"temperature": 90.0, "site": "north"}
    assert session.predict(["pump"], [hot])[0] == session.predict(["anything else, 其他"], [hot])[0]
    assert session.given(hot).predict(["pump"]) == session.predict(["pump"], [hot])


def test_search_is_refused_beside_features(tmp_path: Path) -> None:
    steps = "- tune.full: {}\nsearch: compress"
    text = RECIPE.replace("- tune.linear: {c: [16]%s}", steps).replace("gates: {", "gates: {keep: 0.9, ")
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    file = load_recipe(tmp_path / "recipe.yaml")
    (fault,) = feature_faults(file, build_plan(file))
    assert fault.what.startswith("`search` tries models that read the text alone")
    assert fault.where is not None and fault.where.endswith("recipe.yaml:8:1")


def test_what_reads_the_text_alone_is_refused_with_its_line(tmp_path: Path) -> None:
    for steps, said, line in (
        ("- tune.linear: {}\n- compress.static: {}", "`compress.static` makes a model that reads the text alone", 8),
        ("- tune.linear: {text: false}", "the recipe names no `features`", 6),
    ):
        with pytest.raises(RecipeError, match=said) as caught:
            text = RECIPE.replace("- tune.linear: {c: [16]%s}", steps)
            text = text if "static" in steps else text.replace("  features: [temperature, site]\n", "")
            (tmp_path / "rows.csv").write_text("text,temperature,site,note,label\n", encoding="utf-8")
            (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
            make_release(tmp_path / "recipe.yaml", tmp_path / "out")
        assert f"recipe.yaml:{line}:" in str(caught.value)


@pytest.mark.whole
@pytest.mark.usefixtures("short_times")
def test_an_encoder_that_reads_fields_the_whole_way(
    tiny_base: Path, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        globals(), "WORDS", tuple(f"common{i}" for i in range(10)) + tuple(f"price{i}" for i in range(10))
    )
    steps = (
        f"base: {tiny_base}\nchoose: validation\nsteps:\n"
        f"- tune.full: {{epochs: 6, learning_rate: 2e-3, max_tokens: 16}}\n"
        "- compress.int8: {engine: openvino, calibration_texts: 32}"
    )
    monkeypatch.setitem(globals(), "RECIPE", RECIPE.replace("steps:\n- tune.linear: {c: [16]%s}", steps + "%s"))
    made = make(tmp_path)
    assert made.release is not None, made.refused
    assert made.report.test.score.value > 0.95 and made.report.teacher.score.value > 0.95
    assert {row.name for row in made.report.variants} >= {"compress.export", "compress.int8", "tune.linear"}
    assert min(row.score.value for row in made.report.variants) > 0.95, "every form is scored with its fields"
    decider = Decider(made.release, threads=1)
    put_in_service(store, made.release)
    answers = work(decider, [Ask("common1 price2", {"temperature": heat}, evidence=False) for heat in (10, 90)])
    with store.write() as connection:
        write_prepared(connection, [answer.record for answer in answers if answer.record])
    assert [answer.shown["outcome"] for answer in answers] == ["sound", "broken"]
    for record in scan_records(store):
        replayed = replay_record(record, decider)
        assert replayed.same and replayed.model is not None and replayed.model.exact


def test_a_feature_that_is_mostly_empty_is_told(tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "temperature", "site", "note", "label"])
        for place, (text, temperature, site, label) in enumerate(rows(300, 0)):
            writer.writerow([text, temperature if place % 5 else "", site, "", label])
    (tmp_path / "recipe.yaml").write_text(RECIPE % "", encoding="utf-8")
    told = check_recipe(load_recipe(tmp_path / "recipe.yaml"), Silent()).audit.problems
    (found,) = [each for each in told if each.code == "features"]
    assert found.message.startswith("the feature `temperature` is empty in ")


COMPLETE = {"temperature": 90, "site": "north"}
UNMET = [
    ({}, "missing_feature", {"temperature": "missing", "site": "missing"}),
    ({"temperature": "", "site": "south"}, "missing_feature", {"temperature": "missing"}),
    ({"temperature": 100.5, "site": "north"}, "unseen_feature", {"temperature": "outside"}),
]


def test_what_training_never_had_goes_to_a_person_at_every_door(
    release: Release, store: Store, penjing: Any, tmp_path: Path
) -> None:
    policy = json.loads((release.folder / "policy" / "policy.json").read_bytes())
    assert (policy["format"], policy["facts"], set(policy["features"])) == (5, "5", {"temperature", "site"})
    assert policy["features"]["site"] == {"empty": False, "values": ["north", "south"]}
    decider = Decider(release, threads=1)
    python = [decider.decide([Request("pump left", fields)])[0].decision.to_json() for fields, _, _ in UNMET]
    service = DecisionService(release, store, Settings(threads=1, cache=str(tmp_path), state_seconds=0))
    with TestClient(build_app(service, KeyRing(store, required=False)), base_url="http://127.0.0.1") as client:
        served = [client.post("/v1/decide", json={"text": "pump left", "fields": one}).json() for one, _, _ in UNMET]
        for each in served:
            assert client.post(f"/v1/decisions/{each['id']}/replay").json()["decision"]["same"]
        whole = client.post("/v1/decide", json={"text": "pump left", "fields": COMPLETE}).json()
        assert whole["facts"]["features"] == {} and whole["reason"] == "above_threshold"
    written = "\n".join(json.dumps({"text": "pump left", **fields}) for fields, _, _ in UNMET)
    (tmp_path / "rows.jsonl").write_text(written, encoding="utf-8")
    read = penjing("decide", release.folder, "rows.jsonl").lines
    for decided in (python, served, read):
        found = [(one["route"], one["reason"], one["facts"]["features"]) for one in decided]
        assert found == [("review", reason, faults) for _, reason, faults in UNMET]


def test_a_recorded_missing_feature_replays_without_its_fields(release: Release) -> None:
    decider = Decider(release, threads=1)
    for fields, _, _ in UNMET:
        recorded = decider.decide([Request("pump left", fields)])[0].decision.to_json()
        assert replay_decision(decider.policy, recorded).same
        erased = {**recorded, "facts": {**recorded["facts"], "fields": None}}
        assert replay_decision(decider.policy, erased).same, "which field was missing is kept, its value is not needed"
    later = {**recorded, "facts": {**recorded["facts"], "version": "6"}}
    found = replay_decision(decider.policy, later)
    assert not found.same and found.differences[0].startswith("facts: recorded in version 6, this release records")


def test_rows_of_one_text_with_other_features_certify_each(release: Release, tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,temperature,then\nhot,>=99,review\n", encoding="utf-8")
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "temperature", "site", "note", "label"])
        fresh = [(place / 7, "north") for place in range(100)] + [(10, "south"), ("10.0", "south")]
        writer.writerows(["the machine", heat, site, "", "sound"] for heat, site in fresh)
        used = rows(500, 0)[:20]
        writer.writerows([text, heat, site, "", label] for text, heat, site, label in used)
        # A text that was trained on certifies beside no other features; two of these five were calibration rows.
        writer.writerows([text, 55.5, site, "", label] for text, _, site, label in rows(500, 0)[20:25])
    done = amend(release, tmp_path / "rules.csv", tmp_path / "rows.csv", tmp_path / "out", threads=1)
    assert (done.rows, done.used, done.repeated, done.certificate.rows) == (127, 23, 1, 103)


def test_the_regression_suite_has_the_fields_that_the_model_reads(release: Release) -> None:
    decider = Decider(release, threads=1)
    cases = [json.loads(line) for line in (release.folder / "regression.jsonl").read_text("utf-8").splitlines()]
    decided = decider.decide([Request(case["text"], case["fields"]) for case in cases[:50]])
    assert [one.decision.outcome for one in decided] == [case["label"] for case in cases[:50]]


def test_a_listed_value_that_no_train_row_has_is_told(tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "temperature", "site", "note", "label"])
        writer.writerows([text, temperature, site, "", label] for text, temperature, site, label in rows(300, 0))
    text = (RECIPE % "").replace("[north, south]", "[north, east, south]")
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    told = check_recipe(load_recipe(tmp_path / "recipe.yaml"), Silent()).audit.problems
    (found,) = [each for each in told if each.code == "features"]
    assert found.message == "no train row has the feature `site` as `east`: such a case goes to a person"
