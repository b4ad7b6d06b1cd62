"""A model that computes otherwise than its maker's is found before it decides anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Card, Release
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck, run_selfcheck
from penjing.runtime.session import Session


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_the_same_engine_agrees(open_form: Callable[..., Session], form: str) -> None:
    session = open_form(form)
    stored = make_selfcheck(session)
    assert canonical_json(stored) == canonical_json(make_selfcheck(session)), "the same model, the same check"
    restored = json.loads(canonical_json(stored))
    assert run_selfcheck(session, restored) <= 1e-6
    assert run_selfcheck(session.engine, restored) <= 1e-6
    lengths = {len(ids) for ids in stored["inputs"]}
    assert len(lengths) >= 5 and max(lengths) == 40


def test_engines_agree_among_each_other(open_form: Callable[..., Session]) -> None:
    assert run_selfcheck(open_form("onnx"), make_selfcheck(open_form("openvino"))) < 1e-4


def test_a_changed_weight_is_found(
    artifacts: dict[str, Artifact], open_form: Callable[..., Session], tmp_path: Path
) -> None:
    stored = make_selfcheck(open_form("onnx"))
    import onnx
    from onnx import numpy_helper

    folder = tmp_path / "changed"
    shutil.copytree(artifacts["onnx"].folder, folder)
    model = onnx.load(folder / "model.onnx")
    weight = next(tensor for tensor in model.graph.initializer if tensor.name == "head.bias")
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) + np.float32(0.3), weight.name))
    onnx.save(model, folder / "model.onnx")
    changed = open_session(Artifact(folder, "", artifacts["onnx"].card), threads=1)
    with pytest.raises(DamageError, match="does not agree") as caught:
        run_selfcheck(changed, stored)
    assert "penjing doctor" in str(caught.value) and "onnxruntime" in str(caught.value)


def test_a_result_that_depends_on_its_neighbours_is_found(open_form: Callable[..., Session]) -> None:
    session = open_form("onnx")
    stored = make_selfcheck(session)

    class Dynamic:
        """Adds the batch's size, as dynamic scales add the batch's range."""

        encode, fingerprint = session.engine.encode, session.engine.fingerprint

        def run(self, batch: list[np.ndarray]) -> dict[str, np.ndarray]:
            return {"label": session.engine.run(batch)["label"] + np.float32(1e-5 * (len(batch) - 1))}

    with pytest.raises(DamageError, match="other texts of its batch"):
        run_selfcheck(Dynamic(), stored)  # type: ignore[arg-type]


def test_the_last_bit_of_a_large_output_is_no_dependence(open_form: Callable[..., Session]) -> None:
    session = open_form("onnx")

    class Large:
        """Outputs of some hundreds; in a batch they differ in the last bit, as float32 sums in another order do."""

        encode, fingerprint = session.engine.encode, session.engine.fingerprint

        def run(self, batch: list[np.ndarray]) -> dict[str, np.ndarray]:
            found = session.engine.run(batch)["label"] * np.float32(300)
            return {"label": np.nextafter(found, np.float32(np.inf)) if len(batch) > 1 else found}

    stored = make_selfcheck(session)
    large = [[300 * value for value in row] for row in stored["logits"]]
    assert run_selfcheck(Large(), stored | {"logits": large, "tolerance": 0.1}) < 0.1  # type: ignore[arg-type]


def test_a_check_of_another_model_is_refused(open_form: Callable[..., Session]) -> None:
    session = open_form("onnx")
    stored = make_selfcheck(session)
    for bad in (
        {},
        stored | {"logits": stored["logits"][:-1]},
        stored | {"tolerance": None},
        stored | {"inputs": [], "logits": []},
        stored | {"logits": [[*row, 0.0] for row in stored["logits"]]},
    ):
        with pytest.raises(DamageError, match=r"selfcheck\.json does not fit"):
            run_selfcheck(session, bad)


def test_not_a_number_never_passes(open_form: Callable[..., Session]) -> None:
    session = open_form("onnx")
    stored = make_selfcheck(session)
    with pytest.raises(DamageError):
        run_selfcheck(session, stored | {"logits": [[float("nan")] * 2 for _ in stored["logits"]]})


def test_a_release_carries_its_check(tiny_release: Release, tmp_path: Path) -> None:
    session = open_session(tiny_release.artifact)
    assert run_selfcheck(session, tiny_release) == pytest.approx(0, abs=1e-6)
    without = Release(tmp_path, "", tiny_release.info, tiny_release.artifact)
    with pytest.raises(DamageError, match=r"selfcheck\.json cannot be read"):
        run_selfcheck(session, without)


class Numbers:
    """An engine of two heads over texts: a number of the text, and one of each of its characters."""

    def __init__(self, added: float = 0.0) -> None:
        self.added = np.float32(added)

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [np.frombuffer(text.encode("utf-16-le"), dtype=np.uint16) for text in texts]

    def run(self, batch: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        tags = np.full((len(batch), max(map(len, batch)), 1), np.nan, dtype=np.float32)
        for place, row in enumerate(batch):
            tags[place, : len(row), 0] = row / 1000 + self.added
        return {"score": np.array([[len(row) / 10] for row in batch], dtype=np.float32), "tag": tags}

    def fingerprint(self) -> dict[str, str]:
        return {"engine": "numbers"}


def test_outputs_of_several_heads_are_stored_and_compared_by_name(tmp_path: Path) -> None:
    card = Card(form="linear", method="none", task="score", task_state={"kind": "number"})
    session = SimpleNamespace(artifact=Artifact(tmp_path, "", card), engine=Numbers(), tokens=None, stages={})
    session.fingerprint = session.engine.fingerprint
    stored = json.loads(canonical_json(make_selfcheck(session)))  # type: ignore[arg-type]
    assert stored["format"] == 2 and set(stored["outputs"]) == {"score", "tag"}
    assert run_selfcheck(Numbers(), stored) <= 1e-4  # type: ignore[arg-type]
    with pytest.raises(DamageError, match="does not agree"):
        run_selfcheck(Numbers(2.0), stored)  # type: ignore[arg-type]
    with pytest.raises(DamageError, match="stored score"):
        run_selfcheck(Numbers(), stored | {"outputs": {"score": stored["outputs"]["score"]}})  # type: ignore[arg-type]
    with pytest.raises(DamageError, match="2 heads"):
        run_selfcheck(Numbers(), {name: one for name, one in stored.items() if name != "outputs"} | {"logits": []})  # type: ignore[arg-type]
