"""One block: every document is kept or counted, what was changed is counted, and no sample holds a personal number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.data.corpus.blocks import RawBlock, StoredBlock
from penjing.data.corpus.personal import SAMPLE
from penjing.data.corpus.process import LANGUAGES, BlockTask, BuildOptions, process_block, read_text
from penjing.data.corpus.reader import RawDocument
from penjing.data.corpus.repair import Changes

ZH = "雨后的山路很滑，老人扶着竹竿慢慢地走。"  # 17 characters that are words
EN = "The road was wet after the rain and nobody came to the village."  # 13 words


def stored(tmp_path: Path, *given: bytes | RawDocument, **options: object) -> StoredBlock:
    documents = [
        each if isinstance(each, RawDocument) else RawDocument("text", f"a:{place}", each)
        for place, each in enumerate(given)
    ]
    process_block(RawBlock(0, 0, documents), BlockTask(BuildOptions(**options)), tmp_path / "x.block")  # type: ignore[arg-type]
    return StoredBlock(tmp_path / "x.block")


def test_every_document_is_kept_or_counted_with_its_characters(tmp_path: Path) -> None:
    block = stored(tmp_path, ZH.encode(), "谢谢！".encode(), b" \n", b"\xff\xff\xff\xff", EN.encode())
    assert list(block.texts()) == [ZH, EN] and block.about["places"] == ["a:0", "a:4"]
    assert block.tokens.tolist() == [17, 13]
    assert [LANGUAGES[each] for each in block.languages] == ["zh", "en"]
    assert block.about["dropped"] == {"too_short": [1, 3], "empty": [1, 0], "unreadable": [1, 0]}
    assert block.about["read"] == [5, len(ZH) + 3 + len(EN)]
    assert block.about["kinds"] == {"text": 5}
    assert block.about["samples"]["unreadable"][0][1:] == ["\ufffd" * 4, "a:3"]


def test_a_number_that_the_end_of_a_sample_divides_is_masked(tmp_path: Path) -> None:
    """Left out for its language, so that only its sample is masked: 5 of the 11 digits stand before the cut."""
    words = ("Ich weiß nicht, was das ist und wo es ist, aber wir haben es auch nicht gesehen. " * 9)[: SAMPLE - 6]
    block = stored(tmp_path, f"{words} 13800138000 und das war es.".encode())
    assert list(block.about["dropped"]) == ["language"] and not len(block)
    sample = block.about["samples"]["language"][0][1]
    assert len(sample) <= SAMPLE and sample.startswith(words) and "138" not in sample


def test_personal_numbers_are_masked_where_asked(tmp_path: Path) -> None:
    text = f"{ZH}电话13800138000，请回电。"
    masked = stored(tmp_path, text.encode())
    assert list(masked.texts()) == [f"{ZH}电话⟦mobile⟧，请回电。"]
    assert masked.about["masked"] == {"mobile": 1} and masked.about["changed"] == {"masked": 1}
    plain = stored(tmp_path, text.encode(), mask=False, near=False)
    assert list(plain.texts()) == [text] and plain.about["masked"] == {}
    assert (plain.bands == np.uint64(0)).all() and (masked.bands != np.uint64(0)).all()


def test_a_document_is_read_by_its_kind() -> None:
    rows = (
        (RawDocument("markdown", "a", "# 标题\n\n**重要**的话".encode()), "标题\n重要的话"),
        (RawDocument("json", "a", '{"text": "好", "other": "不"}'.encode(), columns=("text",)), "好"),
        (RawDocument("text", "a", "中文".encode("gb18030"), "gb18030"), "中文"),
        (RawDocument("text", "a", b"\xff" * 4), None),
    )
    assert [read_text(document, Changes()) for document, _ in rows] == [text for _, text in rows]


@pytest.mark.parametrize(
    ("options", "same"),
    [({"held_out": 0.2}, True), ({"mask": False}, False), ({"languages": ("zh",)}, False), ({"shortest": 9}, False)],
)
def test_the_held_out_share_changes_no_block(options: dict[str, object], same: bool) -> None:
    assert (BlockTask(BuildOptions(**options)).key == BlockTask(BuildOptions()).key) == same  # type: ignore[arg-type]
    assert BlockTask(BuildOptions(), None, "ab").key != BlockTask(BuildOptions()).key
