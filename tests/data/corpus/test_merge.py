"""From stored blocks to a corpus: which duplicate stays, which domain holds out, and the counts of the card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penjing.core.errors import DataError
from penjing.core.nouns import Silent
from penjing.data.corpus.blocks import BANDS, KeptDocuments, write_block
from penjing.data.corpus.card import Amount
from penjing.data.corpus.characters import characters, shingles, tokens
from penjing.data.corpus.folder import Corpus, open_corpus
from penjing.data.corpus.merge import Stored, hash_files, merge
from penjing.data.corpus.process import BuildOptions
from penjing.data.corpus.reader import Notes
from penjing.data.corpus.sketches import sketch_of
from penjing.data.corpus.sources import CorpusSource, FoundFiles

Rows = list[tuple[str, int, int]]  # text, hash, tokens


def amount(documents: int, characters: int) -> Amount:
    return Amount(documents=documents, characters=characters)


def stored_of(folder: Path, blocks: list[tuple[int, Rows]], dropped: dict[str, list[int]] | None = None) -> Stored:
    """Two sources of a domain each; `dropped` was left out of the first block."""
    sources = [CorpusSource(path=f"/{name}", name=name, domain=f"d-{name}") for name in ("one", "two")]
    stored = Stored(sources, [FoundFiles(), FoundFiles(skipped={"hidden": 2})], [Notes(), Notes()], {})
    with hash_files(folder) as files:
        for number, (source, rows) in enumerate(blocks):
            lost = dropped if dropped and not number else {}
            read = [sum(each[0] for each in lost.values()) + len(rows), sum(each[1] for each in lost.values())]
            read[1] += sum(len(text) for text, _, _ in rows)
            about: dict[str, Any] = {"read": read, "dropped": lost, "changed": {"masked": 1}, "masked": {"mobile": 2}}
            about |= {"against": {}, "kinds": {"text": len(rows)}, "samples": {}}
            hashes = np.array([each for _, each, _ in rows], np.uint64)
            sizes, languages = np.array([each for _, _, each in rows], np.uint32), np.zeros(len(rows), np.uint8)
            places, bands = [f"{number}:{n}" for n in range(len(rows))], np.zeros((len(rows), BANDS), np.uint64)
            sketches = [sketch_of(shingles(tokens(characters(text)))) for text, _, _ in rows]
            kept = KeptDocuments([text for text, _, _ in rows], places, hashes, bands, sizes, languages, sketches)
            write_block(folder / f"{number}.block", about, kept)
            stored.add(number, source, folder / f"{number}.block", files)
    return stored


def merged(folder: Path, stored: Stored, **options: object) -> Corpus:
    given = BuildOptions(**({"near": False, "held_out": 0.0} | options))  # type: ignore[arg-type]
    merge(stored, folder / "out", folder, given, Silent(), lambda: False)
    return open_corpus(folder / "out")


def test_the_first_of_a_text_stays_and_the_card_counts_the_other(tmp_path: Path) -> None:
    one: Rows = [("aaa", 1, 16), ("bbbb", 2, 17)]
    two: Rows = [("aaa!", 1, 16), ("cc", 3, 9000)]
    stored = stored_of(tmp_path, [(0, one), (1, two)], {"too_short": [3, 5]})
    stored.notes[1].drop("too_long", 100)
    corpus = merged(tmp_path, stored)
    assert list(corpus.located("train")) == [("one/0:0", "aaa"), ("one/0:1", "bbbb"), ("two/1:1", "cc")]
    first, second = corpus.card.sources
    assert (first.read, first.kept, first.dropped) == (amount(5, 12), amount(2, 7), {"too_short": amount(3, 5)})
    assert (second.read, second.kept) == (amount(3, 106), amount(1, 2))
    assert second.dropped == {"exact_duplicate": amount(1, 4), "too_long": amount(1, 100)}
    assert second.files_not_read == {"hidden": 2}
    assert [each.lengths for each in corpus.card.domains] == [(1, 1, *[0] * 9), (*[0] * 10, 1)]
    assert corpus.card.masked == {"mobile": 4} and corpus.card.changed == {"masked": 2}
    assert corpus.samples()["exact_duplicate"] == [{"text": "aaa!", "from": "two/1:0", "same_as": "one/0:0"}]


def test_near_duplicates_are_compared_by_their_texts(tmp_path: Path) -> None:
    """All share their bands here; of 37 and 38 runs of five characters 37 are shared, which is 0.97."""
    text = "雨后的山路很滑老人扶着竹竿慢慢地走远处传来几声鸟叫孩子们在院子里等他回家吃饭喝茶"
    other = "客户来电询问信用卡的账单我们解释了规定并把结果告诉了他请他在月底之前确认一次"
    rows: Rows = [(text, 1, 41), (other, 2, 38), (text + "吧", 3, 42)]
    corpus = merged(tmp_path, stored_of(tmp_path, [(0, rows)]), near=True)
    assert list(corpus.documents("train")) == [text, other]
    assert corpus.samples()["near_duplicate"][0]["same_as"] == "one/0:0"


def test_a_domain_of_ten_documents_holds_one_out_and_one_of_nine_none(tmp_path: Path) -> None:
    ten: Rows = [(f"a{n}", n + 1, 9) for n in range(10)]
    nine: Rows = [(f"b{n}", n + 50, 9) for n in range(9)]
    corpus = merged(tmp_path, stored_of(tmp_path, [(0, ten), (1, nine)]), held_out=1e-12)
    assert [(each.train.documents, each.held_out.documents) for each in corpus.card.domains] == [(9, 1), (9, 0)]
    held = list(corpus.documents("held_out"))
    assert len(held) == 1 and sorted([*held, *corpus.documents("train", "d-one")]) == [f"a{n}" for n in range(10)]


def test_where_nothing_is_left_the_reasons_are_named(tmp_path: Path) -> None:
    stored = stored_of(tmp_path, [(0, [])], {"too_short": [2, 3], "digits": [1, 9]})
    with pytest.raises(DataError, match=r"all were dropped \(1 × digits, 2 × too_short\)"):
        merged(tmp_path, stored)
    assert not (tmp_path / "out").exists()
