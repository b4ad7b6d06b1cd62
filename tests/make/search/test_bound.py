"""The least size of a chain: below every form that is really made, and none where nothing is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penjing.core.nouns import Artifact, Card
from penjing.make.plan import single_step
from penjing.make.search.bound import least_mb
from penjing.make.search.chains import behind_static, chains, with_small_embeddings


@pytest.fixture
def teacher(tmp_path: Path) -> Artifact:
    (tmp_path / "encoder").mkdir()
    config = {"vocab_size": 20000, "hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 4}
    (tmp_path / "encoder" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return Artifact(tmp_path, "id", Card(form="torch", method="tune.full", labels=("no", "yes")))


def test_words_and_matrices_are_counted_by_their_bits(teacher: Artifact) -> None:
    words, layer = 20000 * 384, 4 * 384 * 384 + 2 * 384 * 1536
    by_title = {chain.title: chain for chain in chains(4)}

    def least(title: str) -> float:
        return least_mb(by_title[title].steps, by_title[title].layers, teacher)

    assert least("all layers") == pytest.approx(2 * (words + 4 * layer) / 1e6)
    assert least("1 layer, INT8") == pytest.approx((words + layer) / 1e6)
    assert least("static") == pytest.approx(2 * 2**17 * 2 / 1e6)
    small = with_small_embeddings(by_title["all layers, INT8"])
    assert least_mb(small.steps, small.layers, teacher) == pytest.approx((words / 2 + 4 * layer) / 1e6)
    cascade = behind_static(by_title["1 layer, INT8"], 0.99)
    assert least_mb(cascade.steps, cascade.layers, teacher) == pytest.approx(least("1 layer, INT8") + least("static"))


def test_where_nothing_is_known_nothing_is_ruled_out(teacher: Artifact, tmp_path: Path) -> None:
    (tmp_path / "encoder" / "config.json").write_text("{}", encoding="utf-8")
    assert least_mb([single_step("compress.int8")], 4, teacher) == 0
    assert least_mb([single_step("compress.magnitude")], 4, teacher) == 0
