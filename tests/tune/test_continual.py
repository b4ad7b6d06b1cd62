"""Going on from an earlier model: its head is taken over by label, and its answers and weights are kept to."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tune.test_full import LABELS, QUICK, WORDS, base_folder  # noqa: F401 - a fixture

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.model.adapters import FOLDER, read_adapter
from penjing.model.base import open_base
from penjing.model.encoder import load_classifier
from penjing.runtime.open import open_session
from penjing.tune import continual, full


def rows(count: int, seed: int, labels: tuple[str, ...]) -> Table:
    """Texts of six words, of their label and of all."""
    draw = random.Random(seed)
    said = [labels[number % len(labels)] for number in range(count)]
    texts = [
        " ".join(draw.choices([word for word in WORDS if word.startswith((label, "common"))], k=6)) for label in said
    ]
    return Table(texts=texts, labels=said)


OLD, NEW = ("delivery", "quality"), LABELS


@pytest.fixture(scope="module")
def earlier(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:  # noqa: F811
    """A model of two labels."""
    folder = tmp_path_factory.mktemp("earlier")
    inputs = Inputs(open_base(str(base_folder), Path("/")), rows(80, 1, OLD), rows(40, 2, OLD), language="en")
    return full.apply(inputs, full.Options(**QUICK), Run(folder / "made", folder / "scratch", threads=1))


@pytest.fixture
def go_on(earlier: Artifact, tmp_path: Path) -> Callable[..., Artifact]:
    """Train on texts of the third label and of a few of the first two."""

    def go(name: str, replayed: int = 0, stop: Callable[[], bool] = lambda: False, **options: Any) -> Artifact:
        train, again = rows(90, 3, NEW), rows(40, 4, OLD).take(range(replayed))
        both = Table([*train.texts, *again.texts], [*(train.labels or ()), *(again.labels or ())])
        inputs = Inputs(earlier, both, rows(30, 5, NEW), language="en", replayed=range(len(train), len(both)))
        run = Run(tmp_path / name, tmp_path / f"{name}.scratch", threads=1, stop=stop)
        return continual.apply(inputs, continual.Options(**QUICK | options), run)

    return go


def test_the_head_begins_with_the_rows_of_labels_that_both_have(
    go_on: Callable[..., Artifact], earlier: Artifact
) -> None:
    before = load_classifier(earlier).head
    after = load_classifier(go_on("a", learning_rate=1e-7)).head
    assert after.weight.shape[0] == 3
    for place, label in enumerate(NEW):
        if label in OLD:
            assert torch.allclose(after.weight[place], before.weight[OLD.index(label)], atol=1e-4)
            assert torch.allclose(after.bias[place], before.bias[OLD.index(label)], atol=1e-4)


def test_the_earlier_answers_are_kept_to_as_strongly_as_the_weight_says(
    go_on: Callable[..., Artifact], earlier: Artifact
) -> None:
    texts = list(rows(40, 9, OLD).texts)
    before = next(iter(open_session(earlier, threads=1).outputs(texts).values()))

    def apart(made: Artifact) -> float:
        every = next(iter(open_session(made, threads=1).outputs(texts).values()))
        found = every[:, [NEW.index(label) for label in OLD]]
        return float(abs((found[:, 0] - found[:, 1]) - (before[:, 0] - before[:, 1])).mean())

    free, held = go_on("free", lwf=0, learning_rate=5e-3), go_on("held", lwf=20, learning_rate=5e-3)
    assert apart(held) < 0.8 * apart(free)


def test_ewc_holds_the_weights(go_on: Callable[..., Artifact], earlier: Artifact) -> None:
    before = load_classifier(earlier).encoder.state_dict()

    def apart(made: Artifact) -> float:
        after = load_classifier(made).encoder.state_dict()
        return sum(float((after[name] - value).square().sum()) for name, value in before.items())

    free = go_on("free", replayed=20, lwf=0, layers="all")
    held = go_on("held", replayed=20, lwf=0, layers="all", ewc=1e5, ewc_rows=20)
    assert apart(held) < 0.7 * apart(free)


def test_products_of_low_rank_learn_alone_and_apart_from_the_earlier_ones(
    go_on: Callable[..., Artifact], earlier: Artifact, tmp_path: Path
) -> None:
    low = {"rank": 4, "learning_rate": 1e-2, "lwf": 0, "layers": "all"}
    first = go_on("first", **low)
    changes = read_adapter(first.folder / FOLDER).changes
    assert first.card.notes["learned_parameters"] < 0.5 * first.card.parameters

    def overlap(strength: float) -> float:
        train = rows(90, 6, NEW)
        inputs = Inputs(first, train, rows(30, 7, NEW), language="en")
        run = Run(tmp_path / f"second-{strength}", tmp_path / f"s-{strength}", threads=1)
        second = continual.apply(inputs, continual.Options(**QUICK | low | {"orthogonal": strength}), run)
        found = read_adapter(second.folder / FOLDER).changes
        return sum(
            float((changes[name] @ value.T).square().sum()) for name, value in found.items() if name.endswith(":A")
        )

    assert overlap(10.0) < 0.5 * overlap(0.0)
    assert earlier.id != first.id


def test_what_cannot_go_on_is_refused(
    go_on: Callable[..., Artifact],
    earlier: Artifact,
    base_folder: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="none are learned again"):
        go_on("a", ewc=1.0)
    base = open_base(str(base_folder), Path("/"))
    with pytest.raises(UsageError, match="goes on from a tuned model"):
        continual.apply(
            Inputs(base, rows(9, 1, NEW), rows(9, 2, NEW)),
            continual.Options(**QUICK),
            Run(tmp_path / "o", tmp_path / "s"),
        )
    other = earlier.card.model_copy(update={"task": "several", "labels": (), "task_state": {"labels": list(OLD)}})
    with pytest.raises(UsageError, match="the earlier model has the task several"):
        continual.apply(
            Inputs(Artifact(earlier.folder, earlier.id, other), rows(9, 1, NEW), rows(9, 2, NEW)),
            continual.Options(**QUICK),
            Run(tmp_path / "o", tmp_path / "s"),
        )
