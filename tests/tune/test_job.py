"""What all rates of a tuning share: layers, tokens, targets; and what is refused before any training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tune.test_full import QUICK, base_folder, inputs  # noqa: F401 - fixtures

from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs, Run
from penjing.train.supervised import Supervised
from penjing.tune.full import Options
from penjing.tune.job import check_layers, check_tokens, prepare_job, whole_model


def test_it_has_the_rows_of_both_tables_and_their_fingerprint(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    job = prepare_job("tune.full", inputs, Options(**QUICK), run)
    assert job.method == "tune.full"
    assert (len(job.train.ids), len(job.validation.ids)) == (len(inputs.train), len(inputs.validation))
    assert job.golds == (inputs.train.labels, inputs.validation.labels)
    assert max(len(ids) for ids in job.train.ids) == 16, "as long as `max_tokens`"
    fewer = replace(inputs, train=inputs.train.take(range(100)))
    assert prepare_job("tune.full", fewer, Options(**QUICK), run).data != job.data
    model, objective = whole_model(job)
    assert isinstance(objective, Supervised)
    assert sum(len(batch) for batch in objective.batches(0)) == len(inputs.train)
    assert sum(one.numel() for one in model.parameters()) > 0


@pytest.mark.parametrize(("layers", "total", "right"), [(2, 2, True), (3, 2, False), ("all", 2, True)])
def test_more_layers_than_there_are_are_refused(layers: int | str, total: int, right: bool) -> None:
    if right:
        check_layers(layers, total)
        return
    with pytest.raises(UsageError, match="this base has 2 layers") as told:
        check_layers(layers, total)
    assert told.value.where == "layers"


def test_more_tokens_than_the_base_takes_are_refused() -> None:
    check_tokens(32, 32)
    with pytest.raises(UsageError, match="takes at most 32 tokens"):
        check_tokens(33, 32)
