"""Cutting and packing: nothing is lost, no row is too long, and little room is left."""

from __future__ import annotations

import numpy as np

from penjing.data.corpus.pack import cut_documents, pack


def test_pieces_cover_every_document_in_nearly_equal_parts() -> None:
    lengths = np.array([1, 5, 10, 11, 25, 0, 31])
    pieces = cut_documents(lengths, np.arange(7), room=10)
    assert pieces.documents.tolist() == [1, 2, 3, 3, 4, 4, 4, 6, 6, 6, 6]
    assert pieces.lengths.max() <= 10
    for document in (1, 2, 3, 4, 6):
        mine = pieces.documents == document
        assert pieces.lengths[mine].sum() == lengths[document]
        assert pieces.starts[mine].tolist() == np.cumsum([0, *pieces.lengths[mine][:-1]]).tolist()
        assert np.ptp(pieces.lengths[mine]) <= 1
    assert (pieces.domains == pieces.documents).all()


def test_every_piece_is_in_one_row_and_rows_are_full() -> None:
    draw = np.random.default_rng(0)
    lengths = draw.geometric(1 / 30, size=6000).clip(2, 128)
    order = draw.permutation(len(lengths))
    rows = pack(lengths, order, 128)
    assert sorted(np.concatenate(rows).tolist()) == list(range(6000))
    sums = np.array([lengths[row].sum() for row in rows])
    assert sums.max() <= 128
    assert sums.mean() / 128 > 0.98


def test_the_same_order_gives_the_same_rows() -> None:
    lengths, order = np.arange(2, 60), np.random.default_rng(1).permutation(58)
    assert [row.tolist() for row in pack(lengths, order, 64)] == [row.tolist() for row in pack(lengths, order, 64)]
