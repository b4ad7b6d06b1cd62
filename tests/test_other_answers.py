"""A release whose answers are numbers or grades: decided, recorded, replayed, reviewed, explained and served.

Nothing here is trained: the weights of the linear model are set by hand, so that the test needs no method.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from penjing.cases.impact import impact
from penjing.cases.record import Ask, work
from penjing.cases.replay import other_outcome, replay_model
from penjing.cases.replay_record import replay_record
from penjing.core.answers import Number, as_kind
from penjing.core.artifact import open_release, write_artifact, write_info
from penjing.core.canon import canonical_json
from penjing.core.certificate import MODEL
from penjing.core.errors import DamageError, DataError, RecipeError, RuleError, UsageError
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Artifact, Card, Prediction, Release, ReleaseInfo
from penjing.core.task import ALL, Task
from penjing.data import fold
from penjing.data.mask import VERSION
from penjing.decide.decider import Decider, Request
from penjing.decide.examine import load_rules
from penjing.decide.policy import PolicySpec
from penjing.decide.schema import FactSchema
from penjing.engines.linear import LinearEngine, columns_of
from penjing.engines.protocol import label_head
from penjing.explain.evidence import explain
from penjing.explain.faithfulness import faithfulness
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck
from penjing.runtime.session import Fields, Session
from penjing.serve.app import build_app
from penjing.serve.auth import KeyRing
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import Store, open_store
from penjing.store.records import get_record, scan_records
from penjing.store.releases import put_in_service
from penjing.store.reviews import export_open, import_verdicts, open_labels, verdicts
from penjing.tasks import card_fields, described, open_reader
from penjing.text.tfidf import fit_features

RULES = """\
name,value,p,text,then,why
vip,,,contains vip,review,a person answers
free,,,contains refund,outcome 0.50,refunds are settled
high,>4,,,review,too good to be true
"""
# The true number of a text with this word; the model says it to the digit, and is less sure of the last one.
VALUES = {"awful": 1.0, "bad": 2.0, "plain": 3.0, "good": 4.0, "superb": 5.0}
NOISE = {"awful": 0.1, "bad": 0.1, "plain": 0.1, "good": 0.1, "superb": 1.5}
ROWS = 60


def texts_and_golds(kind: str) -> tuple[list[str], list[str]]:
    texts, golds = [], []
    for place in range(ROWS):
        for word, value in VALUES.items():
            # Of grades one in four is the next one where there is noise; of numbers the noise goes up and down.
            off = NOISE[word] * math.sin(place) if kind == "number" else -1.0 * (NOISE[word] > 1 and place % 4 == 0)
            texts.append(f"the room was {word}")
            golds.append(f"{value + off:.2f}".rstrip("0").rstrip("."))
    return texts, golds


def make_artifact(folder: Path, kind: str) -> Artifact:
    texts, golds = texts_and_golds(kind)
    task = open_reader("score", {"kind": kind, "within": 0.5 if kind == "number" else 0.0}).learn(golds)
    features = fit_features(list(VALUES), words=1, characters=0)
    coef = np.zeros((len(features), columns_of(task.heads)), dtype=np.float16)
    bias = np.zeros(coef.shape[1], dtype=np.float32)
    for place, term in enumerate(features.vocabulary):
        value = VALUES[term.removeprefix("w")]
        if kind == "number":
            coef[place] = (value - task.state["mean"]) / task.state["scale"]
        else:  # the output of each step from one grade to the next: whether the grade lies above it
            coef[place] = [3.0 if value > grade else -3.0 for grade in task.state["grades"][:-1]]
    engine = LinearEngine(features, coef, bias, task.heads)
    calibration = task.fit(engine.run(engine.encode(texts)), golds)
    card = Card(form="linear", method="by.hand", masking=VERSION, language="en", **card_fields(task, calibration))
    return write_artifact(folder, card, engine.write)


def make_release(
    folder: Path, kind: str = "number", threshold: float = 0.7, words: dict[str, str] | None = None
) -> Release:
    artifact = make_artifact(folder / "made", kind)
    session, fields = open_session(artifact), {"channel": ("web", "vip"), "amount": "float"}
    tolerance = 0.0001
    policy = PolicySpec(
        format=3,
        masking=VERSION,
        folding=fold.VERSION,
        thresholds={ALL: threshold},
        audit=0.0,
        tolerance=tolerance,
        fields=fields,
        **described(session.task),
    )
    rules = RULES if kind == "number" else RULES.replace("0.50", "2.0")
    with sealed_folder(folder / "release") as inside:
        shutil.copytree(artifact.folder, inside / MODEL)
        (inside / "policy").mkdir()
        (inside / "policy" / "policy.json").write_bytes(canonical_json(policy.model_dump(mode="json")))
        (inside / "policy" / "rules.csv").write_text(rules, encoding="utf-8")
        (inside / "certificate.json").write_bytes(canonical_json({"certified": True, "max_error": 0.1}))
        (inside / "regression.jsonl").write_bytes(b"")
        (inside / "selfcheck.json").write_bytes(canonical_json(make_selfcheck(session)))
        write_info(
            inside,
            ReleaseInfo(
                format=3,
                name="stars",
                task=session.task.name,
                task_state=session.task.state,
                language="en",
                fields=fields,
                masking=VERSION,
                artifact=artifact.id,
                tolerance=tolerance,
                fingerprint=session.fingerprint(),
                labels_read_as=words or {},
            ),
        )
    return open_release(folder / "release")


@pytest.fixture(scope="module", params=["number", "grades"])
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make_release(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def stars(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make_release(tmp_path_factory.mktemp("stars"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'penjing.db'}")


def recorded(decider: Decider, store: Store, *texts: str, **fields: Any) -> list[dict[str, Any]]:
    """Decide and record; the answers as they are shown."""
    put_in_service(store, decider.release)
    from penjing.store.records import write_prepared

    answers = work(decider, [Ask(text, fields, evidence=False) for text in texts])
    with store.write() as connection:
        write_prepared(connection, [answer.record for answer in answers if answer.record])
    return [answer.shown for answer in answers]


def test_the_model_decides_where_it_is_sure(release: Release) -> None:
    decider = Decider(release, threads=1)
    plain, superb = decider.decide([Request("the room was bad"), Request("the room was superb")])
    assert (plain.decision.outcome, plain.decision.route) == ("2", "automatic")
    assert plain.decision.facts["value"] == 2.0 and plain.decision.facts["low"] <= 2.0 <= plain.decision.facts["high"]
    assert superb.decision.route == "review", "a rule on the value"
    assert superb.decision.fired == ("high",)
    facts = {**plain.decision.facts, "p": 0.5}
    assert decider.policy.decide("a", facts).reason == "below_threshold"
    assert decider.policy.decide("a", {**facts, "p": 0.70005}).reason == "within_tolerance"


def test_rules_force_an_outcome_as_gold_is_written(release: Release) -> None:
    decider = Decider(release, threads=1)
    forced, vip = decider.decide([Request("a refund for the bad room"), Request("a bad vip room", {"channel": "vip"})])
    assert forced.decision.outcome == ("2" if decider.session.task.state["grades"] else "0.5")
    assert forced.decision.forced and forced.decision.fired == ("free",)
    assert (vip.decision.route, vip.decision.reason, vip.decision.outcome) == ("review", "rule_review", "2")


def test_rules_are_checked_by_the_task(tmp_path: Path, stars: Release, release: Release) -> None:
    schema = Decider(release, threads=1).policy.schema
    path = tmp_path / "rules.csv"
    path.write_text("name,value,then\na,>3,outcome high\n", encoding="utf-8")
    with pytest.raises(RuleError, match="unknown outcome 'high'"):
        load_rules(path, schema)
    path.write_text("name,value,then\na,>3,3\n", encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        load_rules(path, schema)
    assert caught.value.fix == "write `outcome 3`"
    path.write_text("name,label,then\na,x,review\n", encoding="utf-8")
    with pytest.raises(RuleError, match="unknown column `label`"):
        load_rules(path, schema)
    path.write_text("name,p,high,then\nboth,<0.1,>=2.5,review\nlow,<0.1,,review\n", encoding="utf-8")
    load_rules(path, schema)  # of labels such a p cannot occur; of numbers it can
    path.write_text("name,value,then\na,>3,review\nb,>4,outcome 2\n", encoding="utf-8")
    with pytest.raises(RuleError, match="can never fire"):
        load_rules(path, schema)
    with pytest.raises(RecipeError, match="a field cannot be named `value`"):
        FactSchema((), {"value": "float"}, other=described(stars_task(stars))["task"])


def stars_task(release: Release) -> Task:
    return open_session(release.artifact).task


def test_a_record_is_replayed_to_the_byte(release: Release, store: Store) -> None:
    decider = Decider(release, threads=1)
    shown = recorded(decider, store, "the room was good", "the room was superb", "a refund")
    assert [one["p"] for one in shown] == [one["facts"]["p"] for one in shown]
    for one in shown:
        record = get_record(store, one["id"])
        assert record is not None
        assert isinstance(record.predicted().answer, Number)
        again = replay_record(record, decider)
        assert again.same and again.model is not None and again.model.exact
        torn = dataclasses.replace(record, prediction=record.prediction.replace('"kind":"number"', '"kind":"nothing"'))
        with pytest.raises(ValueError, match="nothing"):
            torn.predicted()
        other = {"artifact": "a", "labels": ["x"], "probabilities": [1.0], "too_long": False}
        again = replay_record(dataclasses.replace(record, prediction=json.dumps(other)), decider)
        assert not again.same and again.torn[0].startswith("answer: ")
    text = 'UPDATE decisions SET prediction = replace(prediction, \'"value":\', \'"value":"x","was":\')'
    with store.write() as connection:
        connection.exec_driver_sql(text)
    with pytest.raises(DamageError, match="cannot be read"):
        get_record(store, shown[0]["id"])


class Moved:
    """The same model elsewhere: every value moved by a little."""

    def __init__(self, session: Session, by: float) -> None:
        self.task, self.masking, self._session, self._by = session.task, session.masking, session, by

    def predict(self, masked: Sequence[str], fields: Fields | None = None) -> list[Prediction]:
        found = self._session.predict(masked, fields)
        answers = [as_kind(each.answer, Number) for each in found]
        return [
            dataclasses.replace(each, answer=dataclasses.replace(answer, value=round(answer.value + self._by, 6)))
            for each, answer in zip(found, answers, strict=True)
        ]

    def fingerprint(self) -> dict[str, str]:
        return self._session.fingerprint() | {"engine": "another"}


def test_a_number_within_the_tolerance_is_the_same_outcome_and_a_grade_is_not(stars: Release, tmp_path: Path) -> None:
    decider = Decider(stars, threads=1)
    done = decider.decide([Request("the room was good")])[0]
    for by, held in ((0.00005, True), (0.5, False)):
        found = replay_model(
            Moved(decider.session, by), done.masked.text, done.prediction, decider.session.fingerprint(), 0.0001
        )
        assert found.held == held and (found.outcome is None) == held
    task = Decider(make_release(tmp_path, "grades"), threads=1).session.task
    three, four = Number(3, 3, 4, 0.5, 0.00001), Number(4, 3, 4, 0.5, 0.00001)
    assert other_outcome(task, three, four, 0.0001) == ("3", "4")


def test_impact_lists_changes_of_outcome(stars: Release, store: Store, tmp_path: Path) -> None:
    decider = Decider(stars, threads=1)
    recorded(decider, store, "the room was good", "the room was bad", "a refund")
    records = list(scan_records(store))
    assert impact(decider.policy, decider.session, records).changed == 0
    assert impact(decider.policy, Moved(decider.session, -0.00005), records).changed == 0
    far = impact(decider.policy, Moved(decider.session, 0.25), records)
    assert {str(change) for change in far.changes} == {
        "4, automatic -> 4.25, review",
        "2, automatic -> 2.25, automatic",
    }
    (tmp_path / "new.csv").write_text("name,text,then\nfree,contains refund,outcome 1\n", encoding="utf-8")
    rules = load_rules(tmp_path / "new.csv", decider.policy.schema)
    found = impact(dataclasses.replace(decider.policy, rules=rules), decider.session, records)
    assert [str(change) for change in found.changes] == ["0.5, automatic -> 1, automatic"]


def test_verdicts_are_numbers_in_any_form(stars: Release, store: Store, tmp_path: Path) -> None:
    decider = Decider(stars, threads=1)
    recorded(decider, store, "the room was superb", "a superb night", "superb again")
    assert open_labels(store) == []
    file = tmp_path / "cases.csv"
    assert export_open(store, file) == 3
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["outcome"] for row in rows] == ["5", "5", "5"]

    def give(*given: str) -> None:
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]))
            writer.writeheader()
            writer.writerows(row | {"verdict": verdict} for row, verdict in zip(rows, given, strict=True))

    give("4.50", "high", "3")
    with pytest.raises(DataError, match=r"row 3: 'high' is no answer of this release"):
        import_verdicts(store, file)
    give("4.50", "'-1", "３")
    assert import_verdicts(store, file).recorded == 3
    assert [verdict for _, verdict in verdicts(store)] == ["4.5", "-1", "3"]
    assert import_verdicts(store, file).repeated == 3


def test_verdicts_are_words_that_stand_for_numbers(tmp_path: Path, store: Store) -> None:
    release = make_release(tmp_path, words={"很好": "4.5", "poor": "1"})
    recorded(Decider(release, threads=1), store, "the room was superb", "a superb night", "superb again")
    file = tmp_path / "cases.csv"
    export_open(store, file)
    rows = [line[: line.rindex(",,")] for line in file.read_text(encoding="utf-8-sig").splitlines()[1:]]
    head = file.read_text(encoding="utf-8-sig").splitlines()[0]

    def give(*given: str) -> None:
        lines = [head, *(f"{row}{verdict},," for row, verdict in zip(rows, given, strict=True))]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    give("很好", "fair", "3万")
    with pytest.raises(DataError) as caught:
        import_verdicts(store, file)
    assert "row 3: 'fair' is no answer of this release: the score is `fair`, not a number" in str(caught.value)
    assert "row 4: '3万' is no answer of this release" in str(caught.value)
    assert "write it in digits: 30000" in str(caught.value)
    give("很好", " poor ", "2.25")
    assert import_verdicts(store, file).recorded == 3
    assert [verdict for _, verdict in verdicts(store)] == ["4.5", "1", "2.25"]


def test_a_verdict_needs_the_release_where_it_was_in_service(tmp_path: Path, store: Store) -> None:
    release = make_release(tmp_path)
    recorded(Decider(release, threads=1), store, "the room was superb")
    file = tmp_path / "cases.csv"
    export_open(store, file)
    rows = file.read_text(encoding="utf-8-sig").splitlines()
    file.write_text(rows[0] + "\n" + rows[1][: rows[1].rindex(",,")] + "4,,\n", encoding="utf-8")
    shutil.move(release.folder, tmp_path / "gone")
    with pytest.raises(DataError, match="not where it was in service"):
        import_verdicts(store, file)


def test_evidence_names_the_word_that_makes_the_number(release: Release) -> None:
    session = open_session(release.artifact, threads=1)
    for text in ("we came late, the room was awful, it rained", "we came late, the room was good, it rained"):
        shown = explain(session, text).to_json()
        assert shown["answer"]["kind"] == "number" and "label" not in shown
        words = [span["text"] for span in shown["spans"] if span["kind"] == "word"]
        assert words[0] == text.split()[6].rstrip(",")
    texts = [f"we came late, the room was {word}, it rained" for word in VALUES]
    found = faithfulness(session, session, texts)
    assert found["comprehensiveness"]["evidence"] >= found["comprehensiveness"]["random"]
    assert found["comprehensiveness"]["tfidf"] > 0


def test_it_is_served_over_http(release: Release, store: Store, tmp_path: Path) -> None:
    service = DecisionService(release, store, Settings(threads=1, cache=str(tmp_path), state_seconds=0))
    app = build_app(service, KeyRing(store, required=False))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        made = client.post("/v1/decide", json={"text": "the room was bad", "evidence": True}).json()
        assert (made["outcome"], made["route"]) == ("2", "automatic") and made["p"] == made["facts"]["p"]
        assert made["evidence"]["answer"]["value"] == 2.0
        found = client.get(f"/v1/decisions/{made['id']}").json()
        assert found["facts"] == made["facts"]
        replayed = client.post(f"/v1/decisions/{made['id']}/replay").json()
        assert replayed["same"] and replayed["model"]["exact"]
        predicted = client.post("/v1/predict", json={"items": ["the room was good"]}).json()["items"][0]
        assert predicted["kind"] == "number" and predicted["value"] == 4.0 and not predicted["too_long"]
        ready = client.get("/readyz").json()
        assert ready["task"]["type"] == "score" and "labels" not in ready
        counted = client.get("/metrics").text
        assert 'penjing_decisions_total{decided_by="model",outcome="",route="automatic"} 1.0' in counted
        assert client.get("/openapi.json").status_code == 200


def test_the_command_line_shows_predicts_decides_and_reviews(release: Release, penjing: Any, tmp_path: Path) -> None:
    shown = penjing("show", release.folder)
    assert shown.code == 0 and "score" in shown.out and "every answer: automatic from 0.7000" in shown.out
    assert "labels" not in shown.out
    (tmp_path / "texts.csv").write_text("text\nthe room was bad\nthe room was superb\n", encoding="utf-8")
    lines = penjing("predict", release.folder, "texts.csv").lines
    assert [(line["value"], line["kind"]) for line in lines] == [(2.0, "number"), (5.0, "number")]
    lines = penjing("decide", release.folder, "texts.csv", "--evidence").lines
    assert [(line["outcome"], line["route"]) for line in lines] == [("2", "automatic"), ("5", "review")]
    exported = penjing("review", "export", "cases.csv")
    assert exported.lines == [{"exported": 1, "file": "cases.csv"}]
    assert "the true answer" in exported.err
    assert penjing("replay", lines[0]["id"]).code == 0


def test_policy_and_model_of_different_tasks_are_damage(stars: Release, tmp_path: Path) -> None:
    policy = json.loads((stars.folder / "policy" / "policy.json").read_bytes())

    def changed(**values: Any) -> Release:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        shutil.copytree(stars.folder, folder)
        new = {name: value for name, value in (policy | values).items() if value is not None}
        (folder / "policy" / "policy.json").write_bytes(canonical_json(new))
        return dataclasses.replace(stars, folder=folder)

    for values, words in (
        ({"format": 2, "task": None, "labels": ["a", "b"]}, "have different tasks"),
        ({"task": policy["task"] | {"within": 9.0}}, "have different tasks"),
        ({"task": {"type": "score"}}, "describes no task"),
        ({"format": 2}, r"policy\.json is not valid"),
    ):
        with pytest.raises(DamageError, match=words):
            Decider(changed(**values), threads=1)
    with pytest.raises(UsageError, match="does not know the task `dance`"):
        Decider(changed(task={"type": "dance"}), threads=1)


def test_what_chooses_by_a_label_refuses_other_tasks(stars: Release) -> None:
    with pytest.raises(UsageError, match="a cascade chooses by the probability of one label a text"):
        label_head(stars.artifact, "a cascade")
