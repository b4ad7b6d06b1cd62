"""The engine form is the same model: labels, temperature and lineage, sealed to the same id every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from penjing.compress.export import Options, apply
from penjing.core.artifact import open_artifact
from penjing.core.errors import RecipeError, RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Card, Inputs, Run
from penjing.core.options import build_options
from penjing.runtime.open import open_session
from penjing.tasks.metrics import accuracy, encode_labels


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
def test_the_engine_form_gives_the_parents_logits(inputs: Inputs, tmp_path: Path, engine: str) -> None:
    assert inputs.parent is not None
    options = build_options(Options, {"engine": engine, "storage": "float32"}, "recipe.yaml:1:1")
    artifact = apply(inputs, options, Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1))  # type: ignore[arg-type]
    expected = open_session(inputs.parent, threads=1).logits(inputs.validation.texts)
    session = open_session(open_artifact(artifact.folder), threads=1)
    found = session.logits(inputs.validation.texts)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)

    card = artifact.card
    assert card.form == engine and card.method == "compress.export" and card.precision == "float32"
    assert card.lineage[-1] == {
        "method": "compress.export",
        "options": options.model_dump(mode="json"),
        "parent": inputs.parent.id,
    }
    assert card.lineage[:-1] == inputs.parent.card.lineage and card.labels == inputs.parent.card.labels
    truth = encode_labels(inputs.validation.labels or (), card.labels)
    assert card.metrics["validation_accuracy"] == pytest.approx(accuracy(truth, found.argmax(axis=1)), abs=1e-6)
    assert card.metrics["validation_macro_f1"] > 0.9
    assert card.temperature != 1.0, "fitted through this engine"
    files = {path.name for path in artifact.folder.iterdir()} - {"MANIFEST", "card.json", "tokenizer.json"}
    assert files == ({"model.onnx"} if engine == "onnx" else {"model.xml", "model.bin"})


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
def test_weights_in_float16_take_half_the_room_and_give_nearly_the_same_logits(
    inputs: Inputs, tmp_path: Path, engine: Literal["openvino", "onnx"]
) -> None:
    assert inputs.parent is not None

    def make(storage: Literal["float32", "float16"]) -> Artifact:
        run = Run(tmp_path / storage, tmp_path / f"{storage}.scratch", threads=1)
        return apply(inputs, Options(engine=engine, storage=storage), run)

    full, half = make("float32"), make("float16")
    weights = "model.bin" if engine == "openvino" else "model.onnx"
    sizes = [(one.folder / weights).stat().st_size for one in (full, half)]
    assert sizes[1] < 0.75 * sizes[0], "a tiny model: names and biases weigh too"
    expected = open_session(inputs.parent, threads=1).logits(inputs.validation.texts)
    found = open_session(half, threads=1).logits(inputs.validation.texts)
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert half.card.notes["storage"] == "float16"


def test_the_same_step_gives_the_same_id(inputs: Inputs, tmp_path: Path) -> None:
    first, second = (
        apply(inputs, Options(), Run(out=tmp_path / name, scratch=tmp_path / f"{name}.scratch", threads=1))
        for name in ("first", "second")
    )
    assert first.id == second.id


def test_an_onnx_artifact_becomes_an_openvino_one_but_not_back(inputs: Inputs, tmp_path: Path) -> None:
    run = Run(out=tmp_path / "onnx", scratch=tmp_path / "a", threads=1)
    onnx = apply(inputs, Options(engine="onnx"), run)
    openvino = apply(
        replace(inputs, parent=onnx),
        Options(engine="openvino"),
        Run(out=tmp_path / "ov", scratch=tmp_path / "b", threads=1),
    )
    assert [step["method"] for step in openvino.card.lineage] == ["tune.full", "compress.export", "compress.export"]
    with pytest.raises(UsageError, match="cannot become `onnx`"):
        apply(replace(inputs, parent=openvino), Options(engine="onnx"), replace(run, scratch=tmp_path / "c"))


def test_a_stopped_export_goes_on_from_its_scratch(inputs: Inputs, tmp_path: Path) -> None:
    run = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1)
    calls = iter(range(100))
    with pytest.raises(RunInterruptedError):
        apply(inputs, Options(engine="openvino"), replace(run, stop=lambda: next(calls) >= 1))
    assert not run.out.exists() and (run.scratch / "openvino" / "MANIFEST").is_file()
    made = (run.scratch / "openvino" / "model.bin").stat().st_mtime_ns
    artifact = apply(inputs, Options(engine="openvino"), run)
    assert (run.scratch / "openvino" / "model.bin").stat().st_mtime_ns == made, "it was not exported again"
    assert (
        artifact.id
        == apply(inputs, Options(engine="openvino"), replace(run, out=tmp_path / "b", scratch=tmp_path / "d")).id
    )


def test_a_torn_scratch_is_made_again(inputs: Inputs, tmp_path: Path) -> None:
    run = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1)
    artifact = apply(inputs, Options(engine="openvino"), run)
    with (run.scratch / "openvino" / "model.bin").open("r+b") as file:
        file.truncate(100)
    assert apply(inputs, Options(engine="openvino"), replace(run, out=tmp_path / "again")).id == artifact.id


@pytest.mark.parametrize(
    "card", [None, Card(form="torch", method="base"), Card(form="linear", method="tune.linear", labels=("a",))]
)
def test_only_a_tuned_encoder_can_be_exported(inputs: Inputs, tmp_path: Path, card: Card | None) -> None:
    parent = None if card is None else Artifact(tmp_path, "", card)
    with pytest.raises(UsageError, match=r"put `tune\.full` before it"):
        apply(replace(inputs, parent=parent), Options(), Run(out=tmp_path / "out", scratch=tmp_path / "scratch"))


def test_without_labelled_validation_rows_the_temperature_is_kept(inputs: Inputs, tmp_path: Path) -> None:
    empty = inputs.validation.take([])
    run = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1)
    artifact = apply(replace(inputs, validation=empty), Options(), run)
    assert inputs.parent is not None
    assert artifact.card.temperature == inputs.parent.card.temperature and artifact.card.metrics == {}


def test_unknown_options_are_refused() -> None:
    with pytest.raises(RecipeError, match="`engine`"):
        build_options(Options, {"engin": "onnx"}, "recipe.yaml:3:5")
    with pytest.raises(RecipeError):
        build_options(Options, {"engine": "tensorrt"}, "recipe.yaml:3:5")
