"""Next sentence: the other passage is that of another document, and labels say which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.pretrain_toys import batch_of, kit_of

from penjing.pretrain.nsp import NextSentence, Options
from penjing.pretrain.parts.batch import TextBatch


def second(batch: TextBatch, row: int) -> list[int]:
    return batch.ids[row][batch.content[row] & (batch.types[row] == 1)].tolist()  # type: ignore[no-any-return]


def test_a_passage_of_another_document_is_labelled(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "bert", length=64)
    batch = batch_of(kit.marks, [24] * 200)
    made = NextSentence(kit, Options()).arrange(batch, np.random.default_rng(0))
    labels = made.targets["other"]
    assert labels.mean() == pytest.approx(0.5, abs=0.15)
    for row, label in enumerate(labels):
        document = batch.ids[row][batch.content[row]].tolist()
        follows = document[-len(second(made, row)) :] == second(made, row)
        assert follows != bool(label)


def test_one_document_alone_has_no_other(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "bert", length=64)
    made = NextSentence(kit, Options()).arrange(batch_of(kit.marks, [24]), np.random.default_rng(0))
    assert made.targets["other"].tolist() == [0]
