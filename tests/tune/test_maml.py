"""The start is learned on small tasks, then tuned; what has no small tasks is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tune.test_full import QUICK, base_folder, inputs  # noqa: F401 - fixtures

from penjing.core.errors import DataError
from penjing.core.nouns import Inputs, Run, Table
from penjing.tune import maml

META = {"episodes": 20, "ways": 3, "shots": 4, "outer_rate": 2e-3}


@pytest.mark.parametrize("kind", ["reptile", "fomaml"])
def test_it_learns_from_its_start(inputs: Inputs, tmp_path: Path, kind: str) -> None:  # noqa: F811
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    made = maml.apply(inputs, maml.Options(**QUICK | META | {"kind": kind}), run)
    assert made.card.method == "tune.maml"
    assert made.card.metrics["validation_macro_f1"] > 0.7
    again = Run(tmp_path / "again", tmp_path / "more", threads=1)
    assert maml.apply(inputs, maml.Options(**QUICK | META | {"kind": kind}), again).id == made.id


def test_rows_without_small_tasks_are_refused(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    few = Table(["price1 price2", "quality1", "delivery1"], ["price", "quality", "delivery"])
    with pytest.raises(DataError, match="two labels of two rows"):
        maml.apply(
            Inputs(inputs.parent, few, few), maml.Options(**QUICK), Run(tmp_path / "o", tmp_path / "s", threads=1)
        )
