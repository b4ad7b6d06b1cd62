"""Rows become a padded batch and come back; parts of a batch keep every row with its targets."""

from __future__ import annotations

import numpy as np

from penjing.pretrain.parts.batch import TextBatch, TokenRow, stack_rows


def row(ids: list[int], documents: list[int], source: int) -> TokenRow:
    count = len(ids)
    content = np.array([place not in (0, count - 1) for place in range(count)])
    words = np.array([place == 1 for place in range(count)])
    return TokenRow(np.array(ids), np.array(documents), words, content, np.array(documents) - 1, source)


def batch() -> TextBatch:
    return stack_rows([row([2, 7, 3], [1, 1, 1], 5), row([2, 8, 9, 6, 3], [1, 1, 1, 2, 2], 4)], padding=99)


def test_rows_are_padded_on_the_right_and_padding_is_no_token() -> None:
    made = batch()
    assert made.ids.tolist() == [[2, 7, 3, 99, 99], [2, 8, 9, 6, 3]]
    assert made.documents.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 2, 2]]
    assert made.types.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 1, 1]]
    assert made.content.tolist() == [[False, True, False, False, False], [False, True, True, True, False]]
    assert made.words.tolist() == [[False, True, False, False, False]] * 2
    assert made.sources.tolist() == [5, 4]
    assert len(made) == 2 and made.tokens == 8


def test_rows_come_back_as_they_were_before_a_change() -> None:
    made = batch()
    hidden = TextBatch(
        np.full_like(made.ids, 4), made.gold, made.documents, made.words, made.content, made.types, made.sources
    )
    first, second = hidden.rows()
    assert first.ids.tolist() == [2, 7, 3] and second.ids.tolist() == [2, 8, 9, 6, 3]
    assert first.documents.tolist() == [1, 1, 1] and second.documents.tolist() == [1, 1, 1, 2, 2]
    assert (first.source, second.source) == (5, 4)


def test_parts_are_nearly_equal_never_empty_and_keep_the_targets_of_their_rows() -> None:
    whole = stack_rows([row([2, number, 3], [1, 1, 1], number) for number in range(10, 15)], padding=0)
    whole = whole.with_targets(label=np.arange(5)).with_targets(other=np.arange(5) * 2)
    parts = whole.split(3)
    assert [part.ids[:, 1].tolist() for part in parts] == [[10, 11], [12, 13], [14]]
    assert [part.targets["label"].tolist() for part in parts] == [[0, 1], [2, 3], [4]]
    assert [part.targets["other"].tolist() for part in parts] == [[0, 2], [4, 6], [8]]
    assert [len(part) for part in whole.split(9)] == [1] * 5
    turned = whole.take(np.array([3, 0]))
    assert turned.sources.tolist() == [13, 10] and turned.targets["label"].tolist() == [3, 0]
