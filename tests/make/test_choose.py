"""The pick: the last encoder variant that no gate refuses, and the linear model where the encoder proves nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.core.nouns import Artifact, Card, Inputs, Run, Silent, Table
from penjing.core.recipe import Gates, load_recipe
from penjing.data.prepare import prepare
from penjing.make import choose as choose_module
from penjing.make.choose import beats, choose, gate, recipe_gates
from penjing.make.plan import single_step
from penjing.measure.evaluate import bootstrap
from penjing.measure.latency import Latency
from penjing.model.base import open_base
from penjing.prove.score import Scored, promised_labels, score
from penjing.report.found import Variant
from penjing.runtime.open import open_session
from penjing.tasks import open_reader

LABELS = ("no", "yes")
FAST = Latency(1.0, 2.0, 500.0, (1.0,) * 5, (2.0,) * 5, 1000, 32)


def scored(right: float, rows: int = 400) -> Scored:
    truth = np.arange(rows) % 2
    wrong = np.random.default_rng(int(right * 1000)).permutation(rows) >= round(right * rows)
    return Scored(LABELS, [], np.zeros((rows, 2)), truth, np.where(wrong, 1 - truth, truth))


def variant(name: str, right: float, size_mb: float = 10.0) -> Variant:
    found = scored(right)
    return Variant(
        name=name,
        artifact=Artifact(Path(name), name, Card(form="onnx", method=name, labels=LABELS)),
        session=None,  # type: ignore[arg-type]
        scored=found,
        macro_f1=bootstrap(found.truth, found.guess, 2),
        latency=FAST,
        size_mb=size_mb,
    )


def test_a_broken_promise_is_refused_with_its_figures() -> None:
    gates = Gates(keep=0.97, p99_ms=20, size_mb=30)
    teacher = scored(0.95)
    assert gate(variant("int8", 0.95), teacher, gates, [0, 1]).refused == ""
    assert "size_mb 80 against 30" in gate(variant("export", 0.95, 80.0), teacher, gates, [0, 1]).refused
    assert "keep" in gate(variant("absurd", 0.60), teacher, gates, [0, 1]).refused


def test_each_promised_time_is_judged_in_its_own_windows() -> None:
    speed = replace(FAST, windows_mean_ms=(0.4, 0.4, 0.5, 0.6, 0.4))
    gates = Gates(p50_ms=1, p99_ms=1.5, mean_ms=0.55)
    states = {one.name: one.state for one in recipe_gates(scored(0.95), scored(0.95), speed, 1.0, gates, [0, 1])}
    assert states == {"p50_ms": "held", "p99_ms": "broken", "mean_ms": "unproven"}
    speed = replace(speed, windows_times_faster=(70, 49, 60, 80, 55))
    for least, state in ((49, "held"), (50, "unproven"), (81, "broken")):
        found = recipe_gates(scored(0.95), scored(0.95), speed, 1.0, Gates(times_faster=least), [0, 1])
        assert [(one.name, one.state) for one in found] == [("times_faster", state)]


def test_unproven_on_validation_refuses_nobody() -> None:
    found = gate(variant("int8", 0.945), scored(0.95), Gates(keep=0.99), [0, 1])
    assert found.gates[0].state == "unproven"
    assert found.refused == ""


def test_the_last_that_passes_is_picked() -> None:
    linear = variant("linear", 0.70)
    gates, teacher = Gates(size_mb=30), scored(0.95)
    export = gate(variant("export", 0.95, 80.0), teacher, gates, [0, 1])
    int8 = gate(variant("int8", 0.94), teacher, gates, [0, 1])
    choice = choose([export, int8], linear, [0, 1], proven=True)
    assert choice is not None
    assert (choice.variant.name, choice.fell_back) == ("int8", False)


def test_the_linear_model_is_sealed_where_nothing_better_is_proven() -> None:
    choice = choose([variant("int8", 0.95)], variant("linear", 0.945), [0, 1], proven=False)
    assert choice is not None
    assert choice.fell_back
    assert choice.variant.name == "linear"
    assert "is not proven better than the linear model" in choice.why


def test_a_linear_model_beside_a_better_encoder_is_held_to_the_encoder() -> None:
    gates, teacher = Gates(keep=0.9, size_mb=30), scored(0.95)
    assert beats(teacher, scored(0.70), [0, 1])
    assert not beats(teacher, scored(0.949), [0, 1])
    large = gate(variant("export", 0.95, 80.0), teacher, gates, [0, 1])
    near, far = (gate(variant("linear", right), teacher, gates, [0, 1]) for right in (0.90, 0.70))
    choice = choose([large], near, [0, 1], proven=True)
    assert choice is not None
    assert (choice.variant.name, choice.fell_back) == ("linear", False)
    assert choice.why == "Every form of the encoder breaks a promise."
    # The linear model may not stand in for an encoder whose score it does not keep.
    assert choose([large], far, [0, 1], proven=True) is None


def test_nothing_passes() -> None:
    gates, teacher = Gates(size_mb=1), scored(0.95)
    refused = [gate(variant(name, 0.95), teacher, gates, [0, 1]) for name in ("export", "linear")]
    assert choose(refused[:1], refused[1], [0, 1], proven=True) is None


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
    assert choose_module.race([slow, quick], table, None) is quick  # type: ignore[arg-type]
    assert asked["slow"] == asked["quick"] != []
    assert choose_module.race([slow], table, None) is slow  # type: ignore[arg-type]


def test_small_labels_are_in_no_promise() -> None:
    assert promised_labels(("a", "b", "c"), {"a": 100, "b": 29, "c": 30}) == [0, 2]
    assert promised_labels(("a", "b"), {"a": 3, "b": 4}) == [0, 1]


@pytest.mark.slow
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
        return gate(replace(one, artifact=artifact, scored=found), teacher, Gates(keep=0.97), [0, 1])

    tuned = made("tune.full", base, epochs=2, learning_rate=1e-3, layers=2, max_tokens=32)
    teacher = score(open_session(tuned), data.validation)
    assert judged(made("compress.export", tuned)).refused == ""
    without = made("compress.vocabulary", tuned, characters=False, seen=10_000)
    assert judged(made("compress.export", without)).refused.startswith("keep ")
    one = {"input_ids": np.array([[0, 3, 2]]), "attention_mask": np.array([[1, 1, 1]])}
    monkeypatch.setattr("penjing.compress.int8.calibration_samples", lambda *_: [one] * 8)
    assert judged(made("compress.int8", tuned, engine="openvino")).refused.startswith("keep ")
