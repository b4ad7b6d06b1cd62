"""The pick is certified on calibration rows alone, sealed, and tested through the sealed folder, rules included."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import RunInterruptedError
from penjing.core.folder import folder_size, verify
from penjing.core.nouns import Artifact, Card, Inputs, Release, Run, Silent, Table
from penjing.core.recipe import Recipe
from penjing.data.audit import Audit
from penjing.data.prepare import Prepared
from penjing.decide.examine import load_rules
from penjing.decide.schema import FactSchema
from penjing.make import candidate
from penjing.make.candidate import Models, ReleaseJob
from penjing.make.choose import Setting, measure
from penjing.prove.amend import read_certificate
from penjing.prove.certify import Labelled, row_hash
from penjing.prove.openings import LEDGER, read_openings
from penjing.report.found import ReleaseTest
from penjing.runtime.open import open_session
from penjing.tasks import open_task
from penjing.tune import linear

WORDS = {"bad": ("dirty", "rude", "broken", "late"), "good": ("clean", "kind", "quick", "warm"), "rare": ("noise",)}
COMMON = ("room", "staff", "box", "today", "again", "price", "door", "street", "friend", "morning")
RULES = "name,text,channel,then\nperson,,vip,review\nlottery,contains lottery,,outcome bad\n"
RECIPE = {
    "name": "house",
    "data": {"files": "rows.csv", "fields": {"channel": ["web", "vip"]}},
    "steps": [{"tune.linear": None}],
    "gates": {"keep": 0.97, "size_mb": 30},
    # Every automatic case is drawn for audit: that must not change what is counted as automatic.
    "decide": {"max_error": 0.1, "rules": "rules.csv", "audit": 1.0},
}


def rows(count: int, seed: int) -> Table:
    """Every tenth text speaks of a lottery, every seventh comes from a valued customer, every fortieth is rare."""
    drawn, texts, labels = random.Random(seed), [], []
    for number in range(count):
        label = "rare" if number % 40 == 39 else ("bad", "good")[number % 2]
        words = [*drawn.sample(COMMON, 4), drawn.choice(WORDS[label]), f"n{drawn.randrange(10**6)}"]
        drawn.shuffle(words)
        texts.append(" ".join([*words, "lottery"] if number % 10 == 0 else words))
        labels.append(label)
    channel = [("vip" if number % 7 == 0 else "web") for number in range(count)]
    return Table(texts, labels, rows=range(2, count + 2), fields={"channel": channel})


@dataclass(frozen=True)
class House:
    """What the two functions are given, and what they made."""

    data: Prepared
    artifact: Artifact
    release: Release
    tested: ReleaseTest


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("prove")
    train, validation, calibration, test = (rows(count, seed) for seed, count in enumerate((400, 200, 400, 210)))
    labels = ("bad", "good", "rare")
    audit = Audit(labels={"bad": 600, "good": 580, "rare": 20})
    data = Prepared(
        train,
        validation,
        calibration,
        test,
        labels,
        open_task("classify", {"labels": labels}),
        "en",
        audit,
        "fingerprint",
    )
    run = Run(out=folder / "linear", scratch=folder / "scratch", threads=1)
    artifact = linear.apply(Inputs(None, train, validation, language="en"), linear.Options(c=(16.0,)), run)
    (folder / "rules.csv").write_text(RULES, encoding="utf-8")
    rules = load_rules(folder / "rules.csv", FactSchema(labels, {"channel": ("web", "vip")}))
    recipe, target, task = Recipe.model_validate(RECIPE), folder / "candidate", data.task
    policy = candidate.open_policy(recipe, task, rules, 0.0)
    picked = measure("tune.linear", artifact, Setting(validation, policy, audit.labels, threads=1))
    target.mkdir()
    (target / "left over").write_bytes(b"of a killed run")
    job = ReleaseJob(recipe, data, rules, threads=1, progress=Silent(), ledger=folder / LEDGER)
    sealed = candidate.certify_and_seal(target, job, picked)
    tested = candidate.test_release(sealed, job, Models(artifact, artifact, artifact, artifact))
    return House(data, artifact, sealed.release, tested)


def test_the_release_is_whole_and_says_what_it_is(house: House) -> None:
    release = house.release
    assert verify(release.folder) == release.id
    assert not (release.folder / "left over").exists()
    assert (release.info.name, release.info.labels, release.info.fields) == (
        "house",
        ("bad", "good", "rare"),
        {"channel": ("web", "vip")},
    )
    assert release.info.artifact == release.artifact.id == house.artifact.id
    assert release.info.tolerance == 1e-6
    assert (release.folder / "policy" / "rules.csv").read_text(encoding="utf-8") == RULES


def test_the_policy_holds_the_certified_thresholds(house: House) -> None:
    certificate = read_certificate(house.release)
    policy = json.loads((house.release.folder / "policy" / "policy.json").read_bytes())
    assert certificate.certified and certificate.high is not None and certificate.high <= 0.1
    assert certificate.reviewed == ("rare",)
    assert policy["thresholds"] == certificate.thresholds
    assert policy["thresholds"]["rare"] is None and None not in {policy["thresholds"][name] for name in ("bad", "good")}
    assert (policy["max_error"], policy["audit"], policy["unknown_values"]) == (0.1, 1.0, "review")


def test_only_calibration_rows_certify(house: House) -> None:
    certificate, data = read_certificate(house.release), house.data
    assert certificate.rows == len(data.calibration)
    assert set(certificate.calibration) == {row_hash(text) for text in data.calibration.texts}
    others = [text for part in (data.train, data.validation, data.test) for text in part.texts]
    assert set(certificate.used) == {row_hash(text) for text in others}


def test_the_suite_is_of_validation_rows_that_are_right(house: House) -> None:
    lines = (house.release.folder / "regression.jsonl").read_text(encoding="utf-8").splitlines()
    suite = [json.loads(line) for line in lines]
    known = dict(zip(house.data.validation.texts, house.data.validation.labels or (), strict=True))
    assert len(suite) > 100 and all(known[case["text"]] == case["label"] for case in suite)
    session = open_session(house.release.artifact, threads=1)
    predicted = session.predict([case["text"] for case in suite])
    assert [each.answer.ranked()[0][0] for each in predicted] == [case["label"] for case in suite]


def test_rules_and_fields_are_in_what_is_tested(house: House) -> None:
    tested, table = house.tested, house.data.test
    vip = np.array([channel == "vip" for channel in table.fields["channel"]])
    lottery = np.array(["lottery" in text for text in table.texts])
    assert tested.forced.tolist() == (lottery & ~vip).tolist()
    assert {outcome for outcome, forced in zip(tested.outcomes, tested.forced, strict=True) if forced} == {"bad"}
    assert not tested.automated[vip | lottery].any()
    (names,) = tested.fired  # the rules have no dates, so there is one period
    assert [name != "" for name in names] == (vip | lottery).tolist()


def test_a_case_drawn_for_audit_counts_as_decided_by_the_model(house: House) -> None:
    tested, certificate = house.tested, read_certificate(house.release)
    thresholds = [certificate.thresholds[outcome] for outcome in tested.scored.outcomes]
    sure = [
        threshold is not None and p >= threshold + 1e-6
        for threshold, p in zip(thresholds, tested.scored.p, strict=True)
    ]
    plain = [
        channel == "web" and "lottery" not in text
        for channel, text in zip(house.data.test.fields["channel"], house.data.test.texts, strict=True)
    ]
    inside = [not each.out_of_scope for each in tested.scored.predictions]
    assert tested.automated.tolist() == [all(each) for each in zip(sure, plain, inside, strict=True)]
    assert tested.automated.sum() > 50


def test_the_harm_table_counts_what_the_rules_force(house: House) -> None:
    harm = {each.label: each for each in house.tested.harm}
    gold = house.data.test.labels or ()
    rows = zip(gold, house.data.test.texts, house.data.test.fields["channel"], strict=True)
    forced = [label for label, text, channel in rows if "lottery" in text and channel == "web"]
    assert {label: each.rows for label, each in harm.items()} == {name: gold.count(name) for name in set(gold)}
    assert harm["good"].forced == forced.count("good") and harm["bad"].forced == 0
    assert harm["good"].wrong >= harm["good"].forced and harm["rare"].wrong >= harm["rare"].forced
    assert harm["good"].wrong / harm["good"].rows < harm["good"].high
    assert house.tested.forecast.needs == {}, "it is certified"
    assert [offer.max_error for offer in house.tested.forecast.menu] == [0.005, 0.01, 0.02, 0.05, 0.1, 0.2]


def test_the_sealed_model_is_measured_as_it_serves(house: House) -> None:
    tested = house.tested
    assert tested.size_mb == folder_size(house.release.folder) / 1e6
    # The reference is the sealed model itself, of which it keeps everything by definition.
    assert {gate.name: (gate.state, gate.note) for gate in tested.gates} == {"size_mb": ("held", "")}
    assert tested.scored.outcomes == tested.teacher.outcomes == tested.linear.outcomes
    assert tested.speed.calls == 5 * len(house.data.test) > 1000, "every text once a window"
    assert tested.speed_evidence.calls == candidate.MOST_EVIDENCE_CALLS
    assert tested.rivals == {}, "a linear model has no encoder to be compared with"
    assert 0 < tested.faithful["rows"] <= candidate.FAITHFUL_ROWS


def test_uncalibrated_answers_are_those_at_temperature_1(house: House) -> None:
    tested, temperature = house.tested, house.artifact.card.temperature
    assert temperature != 1.0 and tested.uncalibrated is not None
    plain, scaled = (
        np.array([answer.probabilities for answer in each.answers]) for each in (tested.uncalibrated, tested.scored)
    )
    sharp = np.maximum(plain, 1e-9) ** (1 / temperature)
    np.testing.assert_allclose(sharp / sharp.sum(axis=1, keepdims=True), scaled, atol=1e-3)
    assert tested.uncalibrated.outcomes == tested.scored.outcomes


@pytest.mark.parametrize(
    ("card", "tolerance"),
    [
        (Card(form="linear", method="tune.linear"), 1e-6),
        (Card(form="onnx", method="compress.export"), 1e-4),
        (Card(form="openvino", method="compress.int8", notes={"precision": "int8"}), 0.01),
    ],
)
def test_the_tolerance_of_a_replay_is_that_of_the_precision(tmp_path: Path, card: Card, tolerance: float) -> None:
    assert candidate.TOLERANCE[candidate._precision(Artifact(tmp_path, "", card))] == tolerance


def test_the_calibration_rows_were_entered_in_the_ledger(house: House) -> None:
    certificate = read_certificate(house.release)
    (opening,) = read_openings(house.release.folder.parent / LEDGER)
    assert opening.rows == {*certificate.calibration} and opening.delta == 0.05 and certificate.openings == ()


@pytest.mark.parametrize("calls", [0, 3, 1_400])
def test_the_test_of_a_release_stops_between_two_texts(house: House, tmp_path: Path, calls: int) -> None:
    """The times of a release take most of its test: a stop is not held up until they are taken."""
    left = calls

    def stop() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    recipe, artifact = Recipe.model_validate(RECIPE), house.artifact
    job = ReleaseJob(recipe, house.data, None, 1, Silent(), tmp_path / LEDGER, stop)
    sealed = candidate.Sealed(house.release, Labelled((), (), ()), Labelled((), (), ()))
    with pytest.raises(RunInterruptedError):
        candidate.test_release(sealed, job, Models(artifact, artifact, artifact, artifact))
    assert left == -1, "nothing more is timed"
