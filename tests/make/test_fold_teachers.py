"""A teacher of a fold is tuned on the other rows, with what was chosen for the tuned model, once for all runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.compress.parts.folds import without_fold
from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs, Silent, Table
from penjing.data.features import rows_fingerprint
from penjing.make.cache import Cache
from penjing.make.fold_teachers import tune_folds
from penjing.make.plan import single_step
from penjing.model.base import open_base

STEP = single_step(
    "tune.full", {"epochs": 1, "learning_rate": [1e-3, 2e-3], "layers": "auto", "max_tokens": 16, "batch_rows": 8}
)


def table(first: int, rows: int, groups: list[str] | None = None) -> Table:
    kinds = ("delivery", "price")
    texts = [f"{kinds[number % 2]}{number % 10} common{number // 10}" for number in range(first, first + rows)]
    return Table(texts, [kinds[number % 2] for number in range(rows)], range(1, rows + 1), groups)


def test_each_is_tuned_without_its_rows_and_kept(tiny_base: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Says(Silent):
        def say(self, line: str) -> None:
            said.append(line)

    cache = Cache(tmp_path / "cache", 0, 1, Says(), lambda: False)
    inputs = Inputs(open_base(str(tiny_base), tmp_path), table(0, 60), table(60, 20), language="en")
    tuned = cache.run(STEP, inputs).artifact
    found = tune_folds(STEP, inputs, tuned, 3, cache)
    assert sorted(found) == ["fold-1", "fold-2", "fold-3"]
    assert len({one.id for one in (tuned, *found.values())}) == 4
    chosen = tuned.card.notes["learning_rate"]
    for fold, name in enumerate(sorted(found)):
        card = found[name].card
        rest = Inputs(None, without_fold(inputs.train, 3, fold), inputs.validation)
        assert card.data == rows_fingerprint(rest) != tuned.card.data
        options = card.lineage[-1]["options"]
        # Two rates were compared for the tuned model, and three quarters of two layers are two.
        assert (options["learning_rate"], options["layers"]) == ([chosen], tuned.card.notes["layers"])
        assert card.labels == tuned.card.labels
    lines = [line for line in said if "without fold" in line]
    assert len(lines) == 3 and lines[0].startswith("tune.full without fold 1 of 3: ")
    again = tune_folds(STEP, inputs, tuned, 3, cache)
    assert {name: one.id for name, one in again.items()} == {name: one.id for name, one in found.items()}
    assert said[-1] == "tune.full without fold 3 of 3: from the cache"


def test_rows_of_one_group_cannot_be_divided(tiny_base: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 0, 1, Silent(), lambda: False)
    inputs = Inputs(open_base(str(tiny_base), tmp_path), table(0, 20, ["one"] * 20), table(60, 20), language="en")
    tuned = cache.run(STEP, inputs).artifact
    with pytest.raises(UsageError, match="all of them are in one group"):
        tune_folds(STEP, inputs, tuned, 2, cache)
