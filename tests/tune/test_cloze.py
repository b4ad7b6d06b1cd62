"""Cloze: what the classifier learns by hand, options that are refused, bases without the head, a whole small run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.tune.toy_base import make_base
from torch import nn

from penjing.core.errors import RecipeError, RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.options import build_options
from penjing.core.task import Item
from penjing.model.token_head import TokenHead, save_token_head
from penjing.tasks import open_reader
from penjing.train.batches import Budget
from penjing.train.losses import hard_loss, soft_loss
from penjing.train.supervised import IdRows, TargetRows
from penjing.tune.cloze import Options, Taught, apply

WORDS = [f"{kind}{number}" for kind in ("good", "bad", "the") for number in range(6)] + ["it", "fine", "poor"]
QUICK: dict[str, Any] = {
    "template": "{text} it [MASK]", "words": {"good": ["fine"], "bad": ["poor"]}, "max_tokens": 16, "layers": "all",
    "cloze_rate": 5e-3, "learning_rate": 5e-3, "cloze_epochs": 6, "epochs": 4,
}  # fmt: skip


class Net(nn.Module):
    """Outputs of a text of one token: (its id, 0)."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        first = ids[:, :1].float() * mask[:, :1]
        return torch.cat([first, torch.zeros_like(first)], dim=1)

    def parameters(self, recurse: bool = True) -> Any:  # noqa: ARG002
        return iter([nn.Parameter(torch.zeros(()))])


def test_the_classifier_learns_scores_and_the_labels_that_are_known() -> None:
    task = open_reader("classify", {}).learn(["a", "b"])
    rows = IdRows([np.array([one], dtype=np.int64) for one in (1, 2, -1)], 0)
    labelled = TargetRows.of(task, IdRows(rows.ids[:1], 0), ["b"], [Item("")])
    scores = np.array([[0.5, -1.0], [2.0, 0.0], [0.0, 3.0]], dtype=np.float32)
    taught = Taught(
        task=task, train=labelled, validation=labelled, budget=Budget(4, 100), seed=0,
        options=Options(gold=0.25, temperature=2.0), rows=rows, scores=scores,
    )  # fmt: skip
    assert sorted(row for batch in taught.batches(0) for row in batch) == [0, 1, 2]
    outputs = torch.tensor([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]])
    soft = soft_loss("cross_entropy", outputs, torch.from_numpy(scores), 2.0, "none")
    hard = hard_loss("cross_entropy", outputs[:1], torch.tensor([1]))
    wanted = (0.75 * soft[0] + 0.25 * hard + soft[1] + soft[2]) / 3
    assert taught.loss(Net(), np.arange(3)).item() == pytest.approx(wanted.item(), abs=1e-6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"template": "no gap"}, "`template` needs `{text}` once and `[MASK]` once"),
        ({"template": "{text} [MASK] [MASK]"}, "`template` needs `{text}` once and `[MASK]` once"),
        ({"words": {"good": []}}, "`words` has no word for `good`"),
    ],
)
def test_options_that_make_no_cloze_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        build_options(Options, given, "recipe.yaml:3:5")
    assert caught.value.what == said and caught.value.fix


def table(rows: int, seed: int) -> Table:
    draw = np.random.default_rng(seed)
    labels = [("bad", "good")[number % 2] for number in range(rows)]
    texts = []
    for label in labels:
        own, others = draw.integers(6, size=2), draw.integers(6, size=3)
        texts.append(" ".join([*(f"{label}{one}" for one in own), *(f"the{one}" for one in others)]))
    return Table(texts, labels)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    folder = tmp_path / "base"
    folder.mkdir()
    base = make_base(folder, WORDS)
    torch.manual_seed(1)
    save_token_head(folder, TokenHead(32, 32, 5 + len(WORDS)))
    return Inputs(base, table(32, 1), table(32, 2), language="en", unlabelled=table(64, 3).texts)


def test_a_classifier_is_made_that_knows_no_template_and_a_kill_costs_nothing(inputs: Inputs, tmp_path: Path) -> None:
    def go(name: str, stop: Any = lambda: False, **options: Any) -> Artifact:
        return apply(
            inputs, Options(**QUICK | options), Run(tmp_path / name, tmp_path / f"{name}s", threads=1, stop=stop)
        )

    made = go("a")
    assert made.card.metrics["validation_accuracy"] > 0.9
    assert made.card.lineage[0]["options"]["words"] == {"good": ["fine"], "bad": ["poor"]}
    calls = iter(range(1000))
    with pytest.raises(RunInterruptedError):
        go("b", stop=lambda: next(calls) > 18)
    assert list((tmp_path / "bs" / "gap").iterdir()), "it was stopped behind the gap"
    assert go("b").id == made.id
    # Nothing is learned from labels here, and random weights know nothing of words.
    nothing = go("c", cloze_epochs=0, gold=0, epochs=1)
    assert nothing.card.metrics["validation_accuracy"] < made.card.metrics["validation_accuracy"]


def test_a_base_without_the_head_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    (inputs.parent.folder / "mlm_head.safetensors").unlink()
    with pytest.raises(UsageError, match="this base has no head that predicts hidden tokens") as caught:
        apply(replace(inputs), Options(**QUICK), Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    assert "`pretrain.mlm`" in (caught.value.fix or "")
