"""The smallest weights become zero and stay zero; the packed form is smaller and says the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from penjing.compress import distill, export, int8
from penjing.compress.magnitude import Options, apply, matrices, prune
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.encoder import load_classifier
from penjing.runtime.open import open_session


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


def zeros(artifact: Artifact, *, embeddings: bool = True) -> list[torch.Tensor]:
    return [weight == 0 for weight in matrices(load_classifier(artifact), embeddings=embeddings)]


def test_the_smallest_go() -> None:
    weight = torch.nn.Parameter(torch.tensor([[3.0, -0.1, 0.5], [-2.0, 0.1, 0.2]]))
    prune(weight, 0.5)
    assert weight.tolist() == [[3.0, 0.0, 0.5], [-2.0, 0.0, 0.0]]
    prune(weight, 0.01)
    assert weight.tolist() == [[3.0, 0.0, 0.5], [-2.0, 0.0, 0.0]]


def test_what_is_zero_stays_zero_while_the_rest_heals(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    made = apply(inputs, Options(sparsity=0.6), run(tmp_path / "a"))
    before = zeros(made)
    assert made.card.sparsity == pytest.approx(0.6, abs=0.01)
    assert all(float(each.float().mean()) == pytest.approx(0.6, abs=0.01) for each in before)
    healing = replace(inputs, parent=made, teachers={"tuned": inputs.parent})
    healed = distill.apply(healing, distill.Options(epochs=1, copies=0, learning_rate=3e-3), run(tmp_path / "b"))
    assert all(bool((one <= two).all()) for one, two in zip(before, zeros(healed), strict=True))
    changed = (load_classifier(made).state_dict(), load_classifier(healed).state_dict())
    assert any(not torch.equal(one, changed[1][name]) for name, one in changed[0].items())
    kept = apply(inputs, Options(sparsity=0.6, embeddings=False), run(tmp_path / "c"))
    assert all(each.any() for each in zeros(kept, embeddings=False)) and not zeros(kept)[-1].all()


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
def test_the_packed_form_is_smaller_and_says_the_same(
    inputs: Inputs, tmp_path: Path, engine: Literal["openvino", "onnx"]
) -> None:
    sparse = replace(inputs, parent=apply(inputs, Options(sparsity=0.8), run(tmp_path / "sparse")))
    loose, packed = (
        export.apply(sparse, export.Options(engine=engine, packed=one), run(tmp_path / str(one)))
        for one in (False, True)
    )
    name = export.FILES[engine][-1]
    sizes = [(loose.folder / name).stat().st_size, (packed.folder / f"{name}.gz").stat().st_size]
    assert sizes[1] < 0.6 * sizes[0] and not (packed.folder / name).exists()
    texts = inputs.validation.texts
    wanted = open_session(loose, threads=1).logits(texts)
    np.testing.assert_array_equal(open_session(packed, threads=1).logits(texts), wanted)

    small = int8.apply(
        replace(inputs, parent=packed),
        int8.Options(engine=engine, packed=True, calibration_texts=8),
        run(tmp_path / "int8"),
    )
    assert (small.folder / f"{name}.gz").stat().st_size < sizes[0]
    assert float(np.mean(open_session(small, threads=1).logits(texts).argmax(1) == wanted.argmax(1))) > 0.9
