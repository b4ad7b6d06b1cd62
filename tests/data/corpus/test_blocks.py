"""Blocks of work: where they end, what their name depends on, and that a stored one reads back as it was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.data.corpus import blocks
from penjing.data.corpus.blocks import BANDS, KeptDocuments, RawBlock, StoredBlock, raw_blocks, write_block
from penjing.data.corpus.reader import RawDocument


def document(data: bytes, place: str = "a.txt:1") -> RawDocument:
    return RawDocument("text", place, data)


def test_a_block_ends_with_the_document_that_fills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "SIZE", 10)
    monkeypatch.setattr(blocks, "MOST_DOCUMENTS", 3)
    sizes = (6, 4, 9, 0, 0, 0, 25, 1)  # by bytes, by number, by bytes, and what is left
    made = list(raw_blocks((document(b"x" * size) for size in sizes), source=2, first=7))
    assert [[len(each.data) for each in block.documents] for block in made] == [[6, 4], [9, 0, 0], [0, 25], [1]]
    assert [(block.number, block.source) for block in made] == [(7, 2), (8, 2), (9, 2), (10, 2)]
    assert list(raw_blocks([], source=0, first=0)) == []


def test_the_name_depends_on_the_documents_and_the_settings_alone() -> None:
    block = RawBlock(0, 0, [document(b"ab"), document(b"c")])
    key = block.key("settings")
    assert len(key) == 24 and key == RawBlock(5, 3, list(block.documents)).key("settings")
    first = block.documents[0]
    others = [
        [document(b"a"), document(b"bc")],
        [document(b"ab", "a.txt:2"), document(b"c")],
        [replace(first, encoding="gb18030"), document(b"c")],
        [replace(first, kind="markdown"), document(b"c")],
        [replace(first, columns=("text",)), document(b"c")],
        [document(b"c"), document(b"ab")],
    ]
    keys = {key, block.key("other settings"), *(RawBlock(0, 0, each).key("settings") for each in others)}
    assert len(keys) == 2 + len(others)


def test_a_stored_block_reads_back(tmp_path: Path) -> None:
    bands = np.arange(3 * BANDS, dtype=np.uint64).reshape(3, BANDS)
    exact, tokens = np.array([2**64 - 1, 0, 5], np.uint64), np.array([1, 70_000, 3], np.uint32)
    texts, places = ["a", "盆景", ""], ["x:1", "caf\udce9:2", "y"]
    sketches = [np.array(each, np.uint32) for each in ([7, 2**32 - 2], [], [9])]
    kept = KeptDocuments(texts, places, exact, bands, tokens, np.array([0, 3, 1], np.uint8), sketches)
    write_block(tmp_path / "one.block", {"read": [4, 9]}, kept)
    stored = StoredBlock(tmp_path / "one.block")
    assert len(stored) == 3 and list(stored.texts()) == texts
    assert [stored.text(number) for number in (2, 1, 0)] == ["", "盆景", "a"]
    assert stored.offsets.tolist() == [0, 1, 7, 7]
    assert stored.about == {"read": [4, 9], "documents": 3, "places": ["x:1", "caf\ufffd:2", "y"]}
    assert (stored.exact == exact).all() and stored.bands.tolist() == bands.tolist()
    assert stored.sketch_sizes.tolist() == [2, 0, 1]
    assert np.frombuffer(stored.sketches(), "<u4").tolist() == [7, 2**32 - 2, 9]
    assert stored.tokens.tolist() == [1, 70_000, 3] and stored.languages.tolist() == [0, 3, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["one.block"]


def test_another_file_is_no_block(tmp_path: Path) -> None:
    (tmp_path / "x.block").write_bytes(b"PJBLOCK1" + bytes(100))
    with pytest.raises(ValueError, match=r"x\.block is no block"):
        StoredBlock(tmp_path / "x.block")
