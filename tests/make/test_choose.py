"""The pick: the last encoder variant that no gate refuses, and the linear model where the encoder proves nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.core.answers import Choice
from penjing.core.nouns import Artifact, Card, Inputs, Prediction, Run, Silent, Table
from penjing.core.recipe import Gates, load_recipe
from penjing.data.prepare import prepare
from penjing.make import choose as choose_module
from penjing.make.choose import beats, choose, gate, recipe_gates
from penjing.make.plan import single_step
from penjing.measure.latency import Latency
from penjing.model.base import open_base
from penjing.prove.score import Scored, judge, score
from penjing.report.chosen_part import ChosenByFolds, PairedDifference
from penjing.report.found import Variant
from penjing.report.verdict import note_of
from penjing.runtime.open import open_session
from penjing.tasks import open_reader, open_task

LABELS = ("no", "yes")
FAST = Latency(1.0, 2.0, 500.0, (1.0,) * 5, (2.0,) * 5, 1000, 32)


def scored(right: float, rows: int = 400) -> Scored:
    truth = np.arange(rows) % 2
    wrong = np.random.default_rng(int(right * 1000)).permutation(rows) >= round(right * rows)
    guess = np.where(wrong, 1 - truth, truth)
    task = open_task("classify", {"labels": ["no", "yes"]})
    answers = [Choice(("no", "yes"), (1.0 - place, float(place))) for place in guess.tolist()]
    return judge(task, [Prediction("", answer) for answer in answers], [task.scopes[place] for place in truth])


def variant(name: str, right: float, size_mb: float = 10.0) -> Variant:
    found = scored(right)
    return Variant(
        name=name,
        artifact=Artifact(Path(name), name, Card(form="onnx", method=name, labels=LABELS)),
        session=None,  # type: ignore[arg-type]
        scored=found,
        score=found.interval(),
        latency=FAST,
        size_mb=size_mb,
    )


def test_a_broken_promise_is_refused_with_its_figures() -> None:
    gates = Gates(keep=0.97, p99_ms=20, size_mb=30)
    teacher = scored(0.95)
    assert gate(variant("int8", 0.95), teacher, gates).refused == ""
    assert "size_mb 80 against 30" in gate(variant("export", 0.95, 80.0), teacher, gates).refused
    assert "keep" in gate(variant("absurd", 0.60), teacher, gates).refused


def test_each_promised_time_is_judged_in_its_own_windows() -> None:
    speed = replace(FAST, windows_mean_ms=(0.4, 0.4, 0.5, 0.6, 0.4))
    gates = Gates(p50_ms=1, p99_ms=1.5, mean_ms=0.55)
    states = {one.name: one.state for one in recipe_gates(scored(0.95), scored(0.95), speed, 1.0, gates)}
    assert states == {"p50_ms": "held", "p99_ms": "broken", "mean_ms": "unproven"}
    speed = replace(speed, windows_times_faster=(70, 49, 60, 80, 55))
    for least, state in ((49, "held"), (50, "unproven"), (81, "broken")):
        found = recipe_gates(scored(0.95), scored(0.95), speed, 1.0, Gates(times_faster=least))
        assert [(one.name, one.state) for one in found] == [("times_faster", state)]


def test_unproven_on_validation_refuses_nobody() -> None:
    found = gate(variant("int8", 0.945), scored(0.95), Gates(keep=0.99))
    assert found.gates[0].state == "unproven"
    assert found.refused == ""


def test_the_last_that_passes_is_picked() -> None:
    linear = variant("linear", 0.70)
    gates, teacher = Gates(size_mb=30), scored(0.95)
    export = gate(variant("export", 0.95, 80.0), teacher, gates)
    int8 = gate(variant("int8", 0.94), teacher, gates)
    choice = choose([export, int8], linear, proven=True)
    assert choice is not None
    assert (choice.variant.name, choice.fell_back) == ("int8", False)


def test_the_linear_model_is_sealed_where_nothing_better_is_proven() -> None:
    choice = choose([variant("int8", 0.95)], variant("linear", 0.945), proven=False)
    assert choice is not None
    assert choice.fell_back
    assert choice.variant.name == "linear"
    assert "is not proven better than the plain word model" in choice.why


@pytest.mark.parametrize(("right", "told"), [(0.95, True), (0.94, False), (0.60, False)])
def test_more_rows_are_named_where_the_encoder_is_ahead(right: float, told: bool) -> None:
    more = note_of("why_more_rows", rows="400", all="1,700", folds="5")
    choice = choose([variant("int8", right)], variant("linear", 0.945), proven=False, more=more)
    assert choice is not None and choice.variant.name == "linear"
    assert choice.more == (more if told else None)


def test_an_encoder_that_is_proven_worse_is_called_worse() -> None:
    choice = choose([variant("int8", 0.60)], variant("linear", 0.945), proven=False)
    assert choice is not None and choice.variant.name == "linear"
    assert "The encoder is worse than the plain word model" in choice.why and "upper bound -0." in choice.why


def test_folds_choose_where_validation_rows_prove_nothing() -> None:
    def compared(value: float, lower: float, upper: float) -> ChosenByFolds:
        found = PairedDifference(value=value, low=lower - 0.01, high=upper + 0.01, lower=lower, upper=upper)
        scores = {"linear_score": 0.6, "tuned_score": 0.6 + value, "form_score": 0.6 + value}
        about = {"rows": 160, "units": 150, "folds": 5, "metric": "macro_f1", "form": "int8"}
        return ChosenByFolds.model_validate({**about, **scores, "tuned": found, "chosen": found})

    tied, linear = variant("int8", 0.95), variant("linear", 0.945)
    better = choose([tied], linear, proven=True, folds=compared(0.041, 0.012, 0.07))
    assert better is not None and (better.variant, better.fell_back) == (tied, False)
    assert better.why == (
        "Chosen out of fold over 160 train and validation rows, in 5 folds: the encoder is better than the plain "
        "word model by +4.1 points of macro-F1, at least +1.2."
    )
    same = choose([tied], linear, proven=False, folds=compared(0.02, -0.01, 0.05))
    assert same is not None and (same.variant, same.fell_back) == (linear, True)
    assert "differs by +2.0 points, lower bound -1.0" in same.why
    worse = choose([variant("int8", 0.99)], variant("linear", 0.7), proven=False, folds=compared(-0.05, -0.09, -0.01))
    assert worse is not None and worse.variant.name == "linear", "whatever validation rows say"
    assert "differs by -5.0 points, upper bound -1.0" in worse.why


def compared(tuned: tuple[float, float, float], form: tuple[float, float, float]) -> ChosenByFolds:
    """Out of fold, the value and both one-sided bounds of the tuned model and of its form `int8`."""

    def paired(value: float, lower: float, upper: float) -> PairedDifference:
        return PairedDifference(value=value, low=lower - 0.01, high=upper + 0.01, lower=lower, upper=upper)

    scores = {"linear_score": 0.6, "tuned_score": 0.6 + tuned[0], "form_score": 0.6 + form[0]}
    about = {"rows": 160, "units": 150, "folds": 5, "metric": "macro_f1", "form": "int8"}
    return ChosenByFolds.model_validate({**about, **scores, "tuned": paired(*tuned), "chosen": paired(*form)})


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ((0.01, -0.02, 0.04), "is not: macro-F1 of the form differs by +1.0 points, lower bound -2.0."),
        ((-0.05, -0.09, -0.01), "is worse: macro-F1 of the form differs by -5.0 points, upper bound -1.0."),
    ],
)
def test_a_better_encoder_whose_form_is_not_is_told_from_one_that_is_not_better(
    form: tuple[float, float, float], says: str
) -> None:
    linear, folds = variant("linear", 0.945), compared((0.05, 0.02, 0.08), form)
    choice = choose([variant("int8", 0.95)], linear, proven=True, folds=folds)
    assert choice is not None and (choice.variant, choice.fell_back) == (linear, False)
    assert choice.why == (
        "The tuned encoder is proven better than the plain word model out of fold over 160 train and validation rows, "
        "in 5 folds, but its form int8 " + says
    )
    not_proven = choose([variant("int8", 0.95)], linear, proven=False, folds=compared((0.05, -0.01, 0.08), form))
    assert not_proven is not None and "The tuned encoder is proven" not in not_proven.why


@pytest.mark.parametrize(
    ("right", "says"), [(0.946, "no form of it that passes is: "), (0.60, "its form that passes is worse: ")]
)
def test_the_same_of_validation_rows(right: float, says: str) -> None:
    choice = choose([variant("int8", right)], variant("linear", 0.945), proven=True)
    assert choice is not None and choice.variant.name == "linear" and not choice.fell_back
    assert choice.why.startswith("The tuned encoder is proven better than the plain word model, but " + says)


def test_a_linear_model_beside_a_better_encoder_is_held_to_the_encoder() -> None:
    gates, teacher = Gates(keep=0.9, size_mb=30), scored(0.95)
    assert beats(teacher, scored(0.70))
    assert not beats(teacher, scored(0.949))
    large = gate(variant("export", 0.95, 80.0), teacher, gates)
    near, far = (gate(variant("linear", right), teacher, gates) for right in (0.90, 0.70))
    choice = choose([large], near, proven=True)
    assert choice is not None
    assert (choice.variant.name, choice.fell_back) == ("linear", False)
    assert choice.why == "Every form of the encoder breaks a promise."
    # The linear model may not stand in for an encoder whose score it does not keep.
    assert choose([large], far, proven=True) is None


def test_nothing_passes() -> None:
    gates, teacher = Gates(size_mb=1), scored(0.95)
    refused = [gate(variant(name, 0.95), teacher, gates) for name in ("export", "linear")]
    assert choose(refused[:1], refused[1], proven=True) is None


def test_the_fastest_of_some_is_told_on_the_same_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, list[str]] = {"slow": [], "quick": []}
    slow, quick = (replace(variant(name, 0.9), session=name) for name in asked)  # type: ignore[arg-type]

    def decisions(session: str, _: object) -> Callable[[list[str]], None]:
        def run(texts: list[str]) -> None:
            asked[session] += texts
            time.sleep(0.002 if session == "slow" else 0)

        return run

    monkeypatch.setattr(choose_module, "decisions", decisions)
    table = Table(texts=["a", "b", "c"], labels=["x", "y", "x"])
    assert choose_module.fastest([slow, quick], table, None) is quick  # type: ignore[arg-type]
    assert asked["slow"] == asked["quick"] != []
    assert choose_module.fastest([slow], table, None) is slow  # type: ignore[arg-type]


def test_small_labels_are_in_no_promise() -> None:
    task = open_task("classify", {"labels": ["a", "b", "c"]})
    said = [Prediction("", Choice(("a", "b", "c"), row)) for row in ((1.0, 0, 0), (1.0, 0, 0), (0, 0, 1.0))]
    few = judge(task.with_rows({"a": 100, "b": 29, "c": 30}), said, ["a", "b", "c"])
    assert few.value() == pytest.approx((2 / 3 + 1) / 2), "without `b`, which has 29 rows"
    assert judge(task.with_rows({"a": 3, "b": 4}), said, ["a", "b", "c"]).value() == pytest.approx((2 / 3 + 0 + 1) / 3)


def test_the_gate_on_the_score_is_that_on_the_first_metric() -> None:
    found = recipe_gates(scored(0.9), scored(0.95), FAST, 1.0, Gates(score=0.8, macro_f1=0.8))
    assert [(one.name, one.state) for one in found] == [("score", "held"), ("macro_f1", "held")]
    assert found[0].measured == found[1].measured == pytest.approx(0.9, abs=1e-3)


@pytest.mark.whole
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_broken_compression_is_refused_by_its_gate(
    recipe_in: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INT8 with absurd calibration, and a vocabulary without Chinese: by their score on real validation rows."""
    data = prepare(load_recipe(recipe_in()), open_reader("classify", {}), Silent())
    base = open_base("penjing/mini", tmp_path)

    def made(name: str, parent: Artifact, **options: object) -> Artifact:
        step = single_step(name, options)
        run = Run(out=tmp_path / step.name / parent.id[:8], scratch=tmp_path / "scratch" / name / parent.id[:8])
        return step.method.apply(Inputs(parent, data.train, data.validation, language="zh"), step.options, run)

    def judged(artifact: Artifact) -> Variant:
        found = score(open_session(artifact), data.validation)
        one = variant(artifact.card.method, 0.95)
        return gate(replace(one, artifact=artifact, scored=found), teacher, Gates(keep=0.97))

    tuned = made("tune.full", base, epochs=2, learning_rate=1e-3, layers=1, max_tokens=32)
    teacher = score(open_session(tuned), data.validation)
    assert judged(made("compress.export", tuned)).refused == ""
    without = made("compress.vocabulary", tuned, characters=False, seen=10_000)
    assert judged(made("compress.export", without)).refused.startswith("keep ")
    one = {"input_ids": np.array([[0, 3, 2]]), "attention_mask": np.array([[1, 1, 1]])}
    monkeypatch.setattr("penjing.compress.int8.calibration_samples", lambda *_: [one] * 8)
    assert judged(made("compress.int8", tuned, engine="openvino")).refused.startswith("keep ")
