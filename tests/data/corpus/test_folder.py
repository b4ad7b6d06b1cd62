"""A sealed corpus: the documents come back in order, by part and domain; damage and unknown names are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.artifact import write_artifact
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Card
from penjing.data.corpus.card import Amount, CorpusCard, DomainCard, SourceCard
from penjing.data.corpus.folder import ShardWriter, open_corpus, write_card

TEXTS = {"客服": ["第一段\n第二段", "🙂 second"], "news": ["One.", "Two.", "Three."]}


def write(folder: Path, size: int = 20) -> Path:
    domains = []
    with sealed_folder(folder) as partial:
        for name, texts in TEXTS.items():
            with ShardWriter(partial / "text" / name, "train", size) as train:
                for number, text in enumerate(texts):
                    train.write(text, f"{name}:{number}")
            with ShardWriter(partial / "text" / name, "held_out") as held_out:
                held_out.write(f"held out of {name}", f"{name}:9")
            amount = Amount(documents=len(texts), characters=sum(map(len, texts)))
            domains.append(DomainCard(name=name, folder=name, train=amount, held_out=Amount(documents=1)))
        sources = tuple(SourceCard(name=name, domain=name, given=f"{name}.txt") for name in TEXTS)
        write_card(partial, CorpusCard(sources=sources, domains=tuple(domains)), {"kept": [{"text": "x", "from": "y"}]})
    return folder


def test_documents_come_back_by_part_and_domain(tmp_path: Path) -> None:
    corpus = open_corpus(write(tmp_path / "corpus"))
    assert corpus.domains == ("客服", "news")
    assert list(corpus.documents("train")) == [*TEXTS["客服"], *TEXTS["news"]]
    assert list(corpus.documents("train", "news")) == TEXTS["news"]
    assert list(corpus.documents("held_out", "客服")) == ["held out of 客服"]
    assert list(corpus.located("train", "news"))[1] == ("news:1", "Two.")
    assert corpus.amount("train").documents == 5 and corpus.amount("held_out", "news").documents == 1
    assert len(list((corpus.folder / "text" / "news").glob("train-*.jsonl"))) == 3  # several files, one order
    assert corpus.samples() == {"kept": [{"text": "x", "from": "y"}]}


def test_the_same_documents_give_the_same_id(tmp_path: Path) -> None:
    assert open_corpus(write(tmp_path / "one")).id == open_corpus(write(tmp_path / "two")).id


def test_what_is_no_corpus_or_damaged_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "corpus")
    with pytest.raises(UsageError, match="no domain `new`"):
        list(open_corpus(folder).documents("train", "new"))
    with pytest.raises(UsageError, match="not a corpus"):
        open_corpus(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        open_corpus(tmp_path / "none")
    shard = next((folder / "text" / "news").glob("train-*"))
    shard.write_bytes(shard.read_bytes().replace(b"One", b"Ten"))
    with pytest.raises(DamageError, match="was changed"):
        open_corpus(folder)


def test_a_sealed_folder_of_another_kind_is_no_damaged_corpus(tmp_path: Path) -> None:
    base = Card(form="torch", method="base", base="a")
    write_artifact(tmp_path / "base", base, lambda folder: (folder / "model.safetensors").touch())
    with pytest.raises(UsageError, match="this folder is not a corpus") as caught:
        open_corpus(tmp_path / "base")
    assert caught.value.fix == "give the folder that `penjing corpus build` wrote"


def test_a_corpus_of_a_newer_format_asks_for_a_newer_version(tmp_path: Path) -> None:
    with sealed_folder(tmp_path / "corpus") as partial:
        (partial / "card.json").write_text('{"format": 2, "new": 1}', encoding="utf-8")
        (partial / "samples.json").touch()
    with pytest.raises(UsageError, match=r"card\.json has the format 2") as caught:
        open_corpus(tmp_path / "corpus")
    assert "newer" in str(caught.value)
