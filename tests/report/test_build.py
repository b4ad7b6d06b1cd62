"""The report of a run says what its parts found: counts, comparisons with the right rival, and what was sealed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penjing.core.answers import Choice as Answer
from penjing.core.certificate import Certificate
from penjing.core.methods import Done
from penjing.core.nouns import Artifact, Card, Prediction, Release, ReleaseInfo, Table
from penjing.core.recipe import Gates, Recipe, RecipeFile
from penjing.data.audit import Audit
from penjing.data.prepare import Prepared
from penjing.make.plan import single_step
from penjing.measure.latency import Latency
from penjing.prove.score import Scored, judge
from penjing.report.build import MISTAKES, Found, fill
from penjing.report.found import ChosenVariant, ReleaseTest, Variant
from penjing.report.verdict import note_of
from penjing.tasks import open_task

LABELS = ("no", "yes")
ROWS = 200
HOUSE = Path("out")


def timed(p50_ms: float, texts_per_s: float = 500.0) -> Latency:
    return Latency(p50_ms, 2 * p50_ms, texts_per_s, (p50_ms,) * 5, (2 * p50_ms,) * 5, 1000, 32)


def scored(wrong: int, first: int = 0) -> Scored:
    """Alternating labels with `wrong` mistakes from row `first` on; the later a row, the less sure the model."""
    truth = np.arange(ROWS) % 2
    guess = truth.copy()
    guess[first : first + wrong] = 1 - guess[first : first + wrong]
    sure = 0.99 - 0.4 * np.arange(ROWS) / ROWS
    probabilities = np.where(guess[:, None] == np.arange(2), sure[:, None], 1 - sure[:, None])
    return judged(probabilities, truth)


def judged(probabilities: Any, truth: Any, rows: dict[str, int] | None = None) -> Scored:
    task = open_task("classify", {"labels": LABELS}).with_rows(rows or {"no": 400, "yes": 400})
    said = [Prediction("", Answer(LABELS, tuple(row))) for row in probabilities.tolist()]
    return judge(task, said, [LABELS[place] for place in truth])


def artifact(name: str, form: Any = "onnx", **more: Any) -> Artifact:
    return Artifact(HOUSE / name, f"id of {name}", Card(form=form, method=name, labels=LABELS, **more))


def done(name: str, **more: Any) -> Done:
    step = replace(single_step("tune.linear"), name=name)
    return Done(step, artifact(name, **more), seconds=1.234, cached=name == "tune.linear")


def variant(name: str, wrong: int, refused: str = "") -> Variant:
    found = scored(wrong)
    return Variant(
        name=name,
        artifact=artifact(name, "linear" if name == "tune.linear" else "onnx"),
        session=None,  # type: ignore[arg-type]
        scored=found,
        score=found.interval(),
        latency=timed(4.0),
        size_mb=12.3456,
        refused=refused,
    )


CURVES = {"curves": {"loss": [[1, 0.9], [2, 0.5]], "validation": [{"step": 2, "macro_f1": 0.8, "loss": 0.4}]}}


@pytest.fixture
def found() -> Found:
    """A run that tuned an encoder, refused its plain export and sealed its INT8."""
    lineage = ({"method": "base"}, {"method": "tune.full"}, {"method": "compress.int8"})
    sealed = artifact("compress.int8", lineage=lineage, temperature=1.5)
    info = ReleaseInfo(
        name="house", language="en", labels=LABELS, masking="1", artifact=sealed.id, tolerance=0.01, fingerprint={}
    )
    release = Release(HOUSE / "release", "id of the release", info, sealed)
    certificate = Certificate(
        max_error=0.05, confidence=0.95, certified=True, thresholds={"no": 0.8, "yes": 0.7}, grid={}, steps=(),
        rows=300, automation=0.5, error=0.02, high=0.04, forced=0.0, ruled=0.0, rows_missing=0, missing={},
        reviewed=(), calibration=(), used=(),
    )  # fmt: skip
    mine = scored(wrong=10, first=5)
    tested = ReleaseTest(
        release=release,
        certificate=certificate,
        scored=mine,
        teacher=scored(wrong=4),
        linear=scored(wrong=60),
        uncalibrated=judged(np.tile([0.6, 0.4], (ROWS, 1)), np.arange(ROWS) % 2),
        outcomes=("no",) * ROWS,
        automated=np.arange(ROWS) < 80,
        forced=np.arange(ROWS) >= 190,
        speed=timed(4.0, 500.0),
        speed_evidence=timed(20.0),
        size_mb=31.23456,
        gates=(),
        faithful={},
        rivals={"penjing": timed(5.0, 400.0), "pipeline": timed(40.0, 50.0), "onnx_int8": timed(4.0, 500.0)},
    )
    notes = {"notes": CURVES}
    steps = [done("tune.linear"), done("tune.full", **notes), done("compress.export", **notes), done("compress.int8")]
    variants = [variant("compress.export", 4, "size_mb 80 against 30"), variant("compress.int8", 8)]
    part = Table([f"text {i}" for i in range(ROWS)], [LABELS[i % 2] for i in range(ROWS)], rows=range(2, ROWS + 2))
    audit = Audit(rows=1000, labels={"no": 400, "yes": 400})
    data = Prepared(
        part, part, part, part, LABELS, open_task("classify", {"labels": LABELS}), "en", audit, "fingerprint"
    )
    recipe = Recipe.model_validate({"name": "house", "data": {"files": "a.csv"}, "steps": [{"tune.full": None}]})
    file = RecipeFile(path=HOUSE / "recipe.yaml", recipe=recipe)
    choice = ChosenVariant(variants[1], fell_back=False)
    return Found(file, data, steps, variants, variant("tune.linear", 60), choice, tested, release)


def test_names_and_ids_are_those_of_what_was_sealed(found: Found) -> None:
    report = fill(found, threads=3)
    assert (report.sealed, report.release, report.model) == (True, "id of the release", "tune.full + compress.int8")
    assert report.tested == "compress.int8"
    assert fill(replace(found, choice=None, variants=found.variants[:1]), threads=3).tested == "compress.export"
    assert (report.name, report.base, report.language) == ("house", "penjing/mini", "en")
    assert report.speed.threads == 3 and report.size_mb == 31.235 and report.calibration.temperature == 1.5
    assert [(step.name, step.cached) for step in report.steps][:2] == [("tune.linear", True), ("tune.full", False)]
    assert report.verdict == "", "the verdict is written with the page"
    refused = fill(replace(found, release=None), threads=1)
    assert (refused.sealed, refused.release) == (False, None)


def test_scores_are_compared_with_the_teacher_and_with_the_linear_model(found: Found) -> None:
    report = fill(found, threads=1)
    assert report.test.metrics["accuracy"].value == 0.95 and report.test.rows == ROWS
    linear, teacher = report.baseline.linear, report.teacher
    assert teacher is not None and teacher.kept is not None
    assert (linear.name, linear.metrics["accuracy"].value) == ("tune.linear", 0.7)
    assert linear.difference is not None and 0.1 < linear.difference.low < linear.difference.value
    assert linear.difference.value == pytest.approx(report.test.score.value - linear.score.value, abs=1e-5)
    assert teacher.name == "tune.full"
    assert teacher.kept.value == pytest.approx(report.test.score.value / teacher.score.value, abs=1e-5)


def test_what_is_decided_without_a_person_is_counted(found: Found) -> None:
    decisions = fill(found, threads=1).decisions
    assert decisions.automation_rate == 0.4, "80 of 200 rows"
    assert decisions.error_among_automated.value == 0.125, "10 wrong ones among 80"
    high = decisions.error_among_automated.high
    assert high is not None and 0.125 < high < 0.25
    assert decisions.forced == 0.05
    assert decisions.certified_point is not None
    point = decisions.certified_point
    assert (point.threshold, point.coverage, point.risk) == (0.7, 0.4, 0.125)
    assert decisions.curve[-1].coverage == 1.0 and decisions.curve[-1].risk == 0.05
    assert decisions.rows == 300 and decisions.thresholds == {"no": 0.8, "yes": 0.7}


def test_where_nothing_is_automatic_there_is_no_rate_of_errors(found: Found) -> None:
    closed = found.tested.certificate.model_copy(update={"certified": False, "thresholds": dict.fromkeys(LABELS)})
    tested = replace(found.tested, certificate=closed, automated=np.zeros(ROWS, dtype=bool))
    decisions = fill(replace(found, tested=tested), threads=1).decisions
    assert (decisions.error_among_automated.value, decisions.error_among_automated.high) == (None, None)
    assert decisions.certified_point is None and decisions.automation_rate == 0


def test_every_variant_is_shown_with_what_became_of_it(found: Found) -> None:
    shown = {one.name: one for one in fill(found, threads=1).variants}
    assert {name: one.state for name, one in shown.items()} == {
        "compress.export": "refused",
        "compress.int8": "sealed",
        "tune.linear": "passed",
    }
    assert shown["compress.export"].because == "size_mb 80 against 30"
    assert shown["compress.export"].agreement == 1.0 and shown["compress.int8"].agreement == 0.98
    assert shown["tune.linear"].agreement is None
    unsealed = fill(replace(found, release=None), threads=1)
    assert "sealed" not in {one.state for one in unsealed.variants}


def test_the_linear_model_is_shown_once_where_it_is_the_only_one(found: Found) -> None:
    choice = ChosenVariant(found.linear, fell_back=True, note=note_of("why_refused"))
    alone = replace(found, variants=[found.linear], choice=choice)
    report = fill(alone, threads=1)
    assert [one.name for one in report.variants] == ["tune.linear"]
    assert report.fell_back and [note.text for note in report.notes] == ["Every form of the encoder breaks a promise."]


def test_curves_are_those_of_the_tuning_and_not_of_steps_that_inherit_its_notes(found: Found) -> None:
    drawn = [(curve.name, curve.kind, curve.points) for curve in fill(found, threads=1).curves]
    assert drawn == [
        ("tune.full", "train_loss", ((1, 0.9), (2, 0.5))),
        ("tune.full", "validation_score", ((2, 0.8),)),
    ]


def test_mistakes_are_the_most_certain_ones_with_their_rows(found: Found) -> None:
    assert [one.row for one in fill(found, threads=1).errors] == list(range(7, 17))
    many = replace(found.tested, scored=scored(wrong=MISTAKES + 20, first=50))
    errors = fill(replace(found, tested=many), threads=1).errors
    assert [one.row for one in errors] == list(range(52, 52 + MISTAKES))
    assert [one.p for one in errors] == sorted((one.p for one in errors), reverse=True)
    assert (errors[0].text, errors[0].truth, errors[0].guess) == ("text 50", "no", "yes")


def test_what_the_probabilities_were_fitted_to(found: Found) -> None:
    fitted = fill(found, threads=1).calibration
    assert (fitted.rows, fitted.errors) == (ROWS, 8), "the validation rows of the form that was chosen"


def test_a_promise_that_cannot_be_tested_is_named(found: Found) -> None:
    assert "keep_untested" not in [note.phrase for note in fill(found, threads=1).notes]
    recipe = found.file.recipe.model_copy(update={"gates": Gates(keep=0.9)})
    report = fill(replace(found, file=RecipeFile(path=found.file.path, recipe=recipe)), threads=1)
    assert [note.phrase for note in report.notes] == ["keep_untested"]


def test_rows_that_another_file_has_are_scored_apart(found: Found) -> None:
    assert fill(found, threads=1).test.apart is None
    copied = replace(found.data, copied=tuple(range(15, ROWS)))
    apart = fill(replace(found, data=copied), threads=1).test.apart
    assert apart is not None and apart.value < 0.5, "10 of the first 15 rows are wrong"
    everywhere = replace(found.data, copied=tuple(range(ROWS)))
    assert fill(replace(found, data=everywhere), threads=1).test.apart is None


def test_a_label_with_few_rows_is_in_no_score(found: Found) -> None:
    both = fill(found, threads=1).test.score.value
    few = replace(found.data, audit=Audit(rows=1000, labels={"no": 400, "yes": 12}))
    guess = np.arange(ROWS) % 2
    guess[1::4] = 0
    lopsided = judged(np.eye(2)[guess], np.arange(ROWS) % 2, {"no": 400, "yes": 12})
    tested = replace(found.tested, scored=lopsided)
    report = fill(replace(found, data=few, tested=tested), threads=1)
    assert report.test.score.value == pytest.approx(2 * 100 / (100 + 150), abs=1e-5), "F1 of `no` alone"
    assert report.data.small_labels == ("yes",) and both != report.test.score.value


def test_rivals_are_held_against_what_was_timed_in_turn_with_them(found: Found) -> None:
    against = {one.name: (one.times_faster, one.times_throughput) for one in fill(found, threads=1).speed.against}
    assert against == {"pipeline": (8.0, 8.0), "onnx_int8": (0.8, 0.8)}
    alone = replace(found, tested=replace(found.tested, rivals={}))
    assert fill(alone, threads=1).speed.against == ()


def test_faithfulness_that_rests_on_no_row_is_left_out(found: Found) -> None:
    parts = {"evidence": 0.3, "random": 0.1, "tfidf": 0.2}
    for rows, shown in ((0, False), (12, True)):
        faithful: Any = {"rows": rows, "sufficiency": parts, "comprehensiveness": parts}
        report = fill(replace(found, tested=replace(found.tested, faithful=faithful)), threads=1)
        assert (report.faithfulness is not None) == shown
