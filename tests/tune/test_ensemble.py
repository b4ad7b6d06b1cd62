"""Several models made one: the soup is a mean that is at least as good, the student follows the members."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.tune.test_full import QUICK, base_folder, inputs  # noqa: F401 - fixtures

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.encoder import load_classifier
from penjing.train.loop import Outcome
from penjing.tune import ensemble, full


def made(inputs: Inputs, folder: Path, **changes: Any) -> Artifact:  # noqa: F811
    options = ensemble.Options(**QUICK | {"members": 2} | changes)
    return ensemble.apply(inputs, options, Run(folder / "out", folder / "scratch", threads=1))


@pytest.mark.parametrize("kind", ["soup", "distil"])
def test_it_learns_and_is_one_plain_model(inputs: Inputs, tmp_path: Path, kind: str) -> None:  # noqa: F811
    one = made(inputs, tmp_path, kind=kind, epochs=6, learning_rate=[2e-3, 1e-3])
    assert one.card.metrics["validation_macro_f1"] > 0.75
    alone = full.apply(inputs, full.Options(**QUICK), Run(tmp_path / "full", tmp_path / "s", threads=1))
    assert one.card.parameters == alone.card.parameters
    assert {name: value.shape for name, value in load_classifier(one).state_dict().items()} == {
        name: value.shape for name, value in load_classifier(alone).state_dict().items()
    }


@pytest.mark.parametrize("kind", ["soup", "distil"])
def test_members_may_have_rates_of_their_own(inputs: Inputs, tmp_path: Path, kind: str) -> None:  # noqa: F811
    """More rates than members, as the defaults have; the card names the rate of the best member, and it alone."""
    one = made(inputs, tmp_path, kind=kind, epochs=2, learning_rate=[1.0e-6, 2.0e-3, 1.0e-3])
    assert one.card.notes["learning_rate"] == 2.0e-3
    assert [row["learning_rate"] for row in one.card.notes["learning_rates"]] == [2.0e-3]


def test_the_soup_is_greedy() -> None:
    """Of members 0, 2 and 10 the mean of the first two is kept: with the third the loss rises."""
    model = torch.nn.Linear(1, 1, bias=False)

    class Near:
        """The loss is lower the nearer the weight is to 1."""

        def score(self, model: torch.nn.Linear) -> dict[str, float]:
            return {"loss": abs(model.weight.item() - 1.0)}

    members = [Outcome(weights={"weight": torch.tensor([[each]])}, scores={"loss": 1.0}) for each in (0.0, 2.0, 10.0)]
    job = SimpleNamespace(metric="loss")
    outcome, used = ensemble._soup(members, model, Near(), job)  # type: ignore[arg-type]
    assert used == 2
    assert outcome.weights["weight"].item() == model.weight.item() == 1.0
