"""The linear engine of several answers: its parts in one folder, and what is missing there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.core.artifact import open_artifact
from penjing.core.errors import DamageError
from penjing.core.nouns import Inputs, Run, Table
from penjing.engines.linear_joint import FOLDER, JointLinearEngine
from penjing.tasks import open_reader
from penjing.tune import linear

TEXTS = [f"{kind} in {city} {n}" for n in range(20) for kind in ("refund", "praise") for city in ("Oslo", "Lima")]
GOLDS = [f'{{"topic": "{text.split()[0]}", "place": [{{"start": 10, "end": 14, "label": "city"}}]}}' for text in TEXTS]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("joint")
    reader = open_reader("together", {"tasks": {"topic": {"type": "classify"}, "place": {"type": "tag"}}})
    golds = [reader.read(gold) for gold in GOLDS]
    table = Table(TEXTS, golds, list(range(len(TEXTS))), None, {})
    inputs = Inputs(None, table, table, task=reader.learn(golds), language="en")
    linear.apply(inputs, linear.Options(), Run(out=folder / "model", scratch=folder / "scratch"))
    return folder / "model"


def test_one_run_gives_all_heads_and_each_text_alone_gives_the_same(made: Path) -> None:
    engine = JointLinearEngine.load(open_artifact(made))
    assert {head.kind for head in engine.heads.values()} == {"pooled", "token"}
    whole = engine.alone(TEXTS[:4])
    for place, text in enumerate(TEXTS[:4]):
        one = engine.alone([text])
        for name in engine.heads:
            np.testing.assert_array_equal(one[name][0], whole[name][place])
    assert engine.parameters == engine.pooled.parameters + sum(e.parameters for e in engine.by_token.values())  # type: ignore[union-attr]


def test_a_folder_that_is_missing_is_told(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "model")
    artifact = replace(open_artifact(made), folder=tmp_path / "model")
    (missing,) = (tmp_path / "model").glob(f"{FOLDER}*")
    shutil.rmtree(missing)
    with pytest.raises(DamageError, match=missing.name):
        JointLinearEngine.load(artifact)
