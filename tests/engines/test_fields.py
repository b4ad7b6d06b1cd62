"""What declared fields add to the outputs of an encoder, in the same way in every engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from penjing.core.artifact import write_artifact
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact
from penjing.engines.fields import FIELDS, write_fields
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck, run_selfcheck

WEIGHTS = np.array([[0.5, -0.5], [0.0, 0.25]], dtype=np.float32)
TEXTS = ("good", "房间很干净", "slow late " * 40)
READ = {"amount": {"mean": 10.0, "scale": 2.0}}


@pytest.fixture
def joined(artifacts: dict[str, Artifact], tmp_path: Path) -> Callable[..., Artifact]:
    def make(form: str, weights: np.ndarray[tuple[int, int], np.dtype[np.float32]] = WEIGHTS) -> Artifact:
        plain = artifacts[form]

        def fill(inside: Path) -> None:
            for path in plain.folder.iterdir():
                if path.is_dir():
                    shutil.copytree(path, inside / path.name)
                elif path.name not in ("MANIFEST", "card.json"):
                    shutil.copyfile(path, inside / path.name)
            write_fields(inside, weights)

        return write_artifact(tmp_path / form, plain.card.model_copy(update={"features": READ}), fill)

    return make


@pytest.mark.parametrize("form", ["torch", "onnx", "openvino"])
def test_outputs_are_those_of_the_text_and_of_the_fields(
    joined: Callable[..., Artifact], artifacts: dict[str, Artifact], form: str
) -> None:
    session, plain = open_session(joined(form), threads=1), open_session(artifacts[form], threads=1)
    given: Sequence[dict[str, float | None]] = [{"amount": 14.0}, {"amount": None}, {"amount": 8.0}]
    alone = np.concatenate([session.logits([text], [one]) for text, one in zip(TEXTS, given, strict=True)])
    wanted = np.concatenate([plain.logits([text]) for text in TEXTS])
    wanted += np.array([[1.0, -1.0], [0.0, 0.25], [-0.5, 0.5]])
    np.testing.assert_allclose(alone, wanted, atol=1e-5)
    np.testing.assert_allclose(session.logits(TEXTS, given), alone, atol=1e-5)
    check = make_selfcheck(session)
    assert len(check["features"]) == len(check["inputs"])
    assert run_selfcheck(session, check) <= check["tolerance"]


def test_a_map_that_does_not_fit_is_damage(joined: Callable[..., Artifact]) -> None:
    with pytest.raises(DamageError, match=FIELDS):
        open_session(joined("onnx", WEIGHTS[:1]), threads=1)
