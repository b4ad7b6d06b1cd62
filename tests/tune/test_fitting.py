"""What a `TuningMethod` changes: which parameters learn, what is learned, which hooks act, which files are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.tune.test_full import QUICK, base_folder, inputs  # noqa: F401 - fixtures
from torch import nn

from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs, Run
from penjing.core.own_code import OwnCode
from penjing.model.encoder import Classifier, load_classifier, load_encoder
from penjing.train.hooks import Hook, Moment
from penjing.train.loop import Objective
from penjing.train.supervised import Supervised
from penjing.tune import ensemble
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.full import Options
from penjing.tune.job import Job


class Counts(Hook):
    """Counts the steps."""

    def __init__(self) -> None:
        self.steps = 0

    def after_step(self, moment: Moment) -> None:  # noqa: ARG002
        self.steps += 1


def test_each_part_of_a_method_is_used(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    counts, asked = Counts(), list[str]()

    def only_biases(classifier: Classifier, job: Job) -> None:  # noqa: ARG001
        for name, parameter in classifier.encoder.named_parameters():
            parameter.requires_grad_(name.endswith("bias"))

    def merge(classifier: Classifier, job: Job):  # type: ignore[no-untyped-def]  # noqa: ARG001
        asked.append("merge")
        return lambda folder: (folder / "beside.txt").write_text("x", encoding="utf-8")

    def objective(job: Job, model: nn.Module, supervised: Supervised) -> Objective:  # noqa: ARG001
        asked.append("objective")
        return supervised

    def hooks(job: Job, model: nn.Module, supervised: Supervised) -> Sequence[Hook]:  # noqa: ARG001
        return (counts,)

    assert inputs.parent is not None
    before = load_encoder(inputs.parent).state_dict()
    method = TuningMethod("tune.some", prepare=only_biases, merge=merge, objective=objective, hooks=hooks)
    made = tune(inputs, Options(**QUICK | {"layers": 1}), Run(tmp_path / "out", tmp_path / "s", threads=1), method)
    assert made.card.method == made.card.lineage[-1]["method"] == "tune.some"
    assert (made.folder / "beside.txt").is_file()
    assert asked == ["objective", "merge"]
    assert counts.steps == made.card.curves.loss[-1][0]
    after = load_classifier(made).encoder.state_dict()
    # The table of embeddings has got rows for the placeholders of masking.
    layers = [name for name in before if name.startswith("encoder.layer.")]
    changed = {name for name in layers if not torch.equal(before[name], after[name])}
    assert changed and all(name.endswith("bias") and "layer.1." in name for name in changed), "of the trained layer"
    learned = sum(before[name].numel() for name in layers if name.endswith("bias") and "layer.1." in name)
    assert made.card.notes["learned_parameters"] == learned + 3 * 32 + 3, "and the head"


@pytest.mark.parametrize("members", [None, "soup"])
def test_a_loss_of_the_teams_own_that_is_not_finite_is_named(
    inputs: Inputs,  # noqa: F811
    tmp_path: Path,
    members: str | None,
) -> None:
    """It is finite on the four rows on which it is tried, and not in training."""
    source = "def mine(outputs, targets):\n    return outputs[:, 0] / float(len(outputs) == 4)\n"
    code = OwnCode("mine", source, "losses.py")
    given = QUICK | {"loss": "losses.py:mine", "learning_rate": (1e-3,)}
    with pytest.raises(UsageError, match="the loss `mine` was not finite") as caught:
        run = Run(tmp_path / "out", tmp_path / "s", threads=1)
        if members:
            ensemble.apply(replace(inputs, code=code), ensemble.Options(**given, members=2), run)
        else:
            tune(replace(inputs, code=code), Options(**given), run, TuningMethod("tune.some"))
    assert caught.value.where == "losses.py"


def test_another_method_does_not_take_over_a_finished_training(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    scratch = tmp_path / "scratch"
    first = tune(inputs, Options(**QUICK), Run(tmp_path / "a", scratch, threads=1), TuningMethod("tune.one"))
    counts = Counts()
    method = TuningMethod("tune.two", hooks=lambda *_: (counts,))
    second = tune(inputs, Options(**QUICK), Run(tmp_path / "b", scratch, threads=1), method)
    assert counts.steps > 0, "the training of the other method is not its own"
    assert first.id != second.id
