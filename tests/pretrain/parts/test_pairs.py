"""Two passages in one row: where a document is cut, and how the row is put together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.pretrain_toys import tokenizer

from penjing.pretrain.parts.batch import TokenRow
from penjing.pretrain.parts.heads import PairHead
from penjing.pretrain.parts.marks import find_marks
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.pairs import cut_row, join_pairs, pair_loss

MARKS = find_marks(tokenizer(), "encoder")
CLS, SEP = 2, 3


def row(count: int, words: list[int]) -> TokenRow:
    ids = np.array([CLS, *range(10, 10 + count), SEP])
    begins = np.zeros(count + 2, dtype=np.bool_)
    begins[[1 + place for place in words]] = True
    content = np.array([False, *[True] * count, False])
    return TokenRow(ids, np.ones(count + 2, dtype=np.int64), begins, content, np.zeros(count + 2, dtype=np.int64))


def test_a_document_is_cut_before_a_word_of_its_middle_half() -> None:
    for seed in range(20):
        (first, begins), (second, others) = cut_row(row(8, [0, 1, 4, 7]), np.random.default_rng(seed))
        assert first.tolist() == [10, 11, 12, 13] and second.tolist() == [14, 15, 16, 17]
        assert begins.tolist() == [True, True, False, False] and others.tolist() == [True, False, False, True]
    # No word begins there: in the middle, which counts as the beginning of one.
    (first, _), (_, others) = cut_row(row(6, [0]), np.random.default_rng(0))
    assert first.tolist() == [10, 11, 12] and others.tolist() == [True, False, False]


@pytest.mark.parametrize(("length", "second"), [(20, [20, 21, 22]), (8, [20, 21]), (3, [20])])
def test_a_row_holds_both_passages_and_the_second_is_cut(length: int, second: list[int]) -> None:
    passages = [(np.array(ids), np.ones(len(ids), dtype=np.bool_)) for ids in ([10, 11, 12], [20, 21, 22])]
    batch = join_pairs([(passages[0], passages[1])], np.array([7]), MARKS, length)
    assert batch.ids[0].tolist() == [CLS, 10, 11, 12, SEP, *second, SEP]
    assert batch.types[0].tolist() == [0] * 5 + [1] * (len(second) + 1)
    assert batch.content[0].tolist() == [False, True, True, True, False, *[True] * len(second), False]
    assert batch.sources.tolist() == [7]


def test_a_head_of_zeros_does_not_know_the_order() -> None:
    head = PairHead(4)
    for parameter in head.parameters():
        torch.nn.init.zeros_(parameter)
    network = NetworkWithHeads(torch.nn.Linear(4, 4), {"sop": head})
    loss = pair_loss(network, "sop", torch.randn(3, 5, 4), np.array([0, 1, 1]))
    assert loss.item() == pytest.approx(np.log(2))
