"""The order in which a training reads: every document once a pass, another order in each, the same for a seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tests.pretrain_toys import ToyCorpus, tokenizer

from penjing.core.errors import DataError
from penjing.data.corpus.tokens import TokenSettings, open_tokens
from penjing.pretrain.parts.marks import find_marks
from penjing.pretrain.parts.stream import RowShape, Stream


def stream(folder: Path, tokens: int, *, packed: bool, seed: int = 0, domain: int | None = None) -> Stream:
    words = tokenizer()
    store = open_tokens([ToyCorpus(10)], "train", TokenSettings(words), folder)
    return Stream(store, find_marks(words, "encoder"), RowShape(24, 96, packed), seed, tokens, domain)


@pytest.mark.parametrize("packed", [True, False])
def test_a_pass_reads_every_document_once_and_the_next_in_another_order(tmp_path: Path, packed: bool) -> None:
    whole = stream(tmp_path, 1, packed=packed).pass_tokens
    made = stream(tmp_path, 2 * whole, packed=packed)
    assert len(made.ends) == 2 and made.steps == made.ends[-1]
    passes = [list(made.batches(0, made.ends[0])), list(made.batches(made.ends[0], made.steps))]
    for batches in passes:
        assert sum(made.count(batch) for batch in batches) == whole
        read = [made.read(batch) for batch in batches]
        ids = Counter(int(one) for batch in read for one in batch.ids[batch.content])
        assert ids == Counter(
            int(one) for d in range(20) for one in made.store.read(d, 0, int(made.store.lengths[d]))[0]
        )
        assert max(made.count(batch) for batch in batches) <= 96
        assert max(batch.ids.shape[1] for batch in read) <= 24
    first, second = ([made.read(batch).ids.tolist() for batch in batches] for batches in passes)
    assert first != second


def test_the_order_and_the_draws_depend_on_seed_and_place_alone(tmp_path: Path) -> None:
    one, other = (stream(tmp_path, 900, packed=True, seed=5) for _ in range(2))
    resumed = list(other.batches(3, other.steps))
    for batch, again in zip(list(one.batches(0, one.steps))[3:], resumed, strict=True):
        assert np.array_equal(batch, again) and one.draw(batch).random() == other.draw(again).random()
    assert len({one.draw(batch).random() for batch in one.batches(0, one.steps)}) == one.steps
    changed = stream(tmp_path, 900, packed=True, seed=6)
    assert [b.tolist() for b in changed.batches(0, 3)] != [b.tolist() for b in one.batches(0, 3)]


def test_one_domain_is_read_alone_and_none_is_refused(tmp_path: Path) -> None:
    one = stream(tmp_path, 1, packed=False, domain=1)
    assert set(one.pieces.documents.tolist()) == set(range(10, 20))
    with pytest.raises(DataError, match="no document of two tokens"):
        stream(tmp_path, 1, packed=False, domain=7)
