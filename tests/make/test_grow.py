"""`grow`: from a sealed corpus to a base that is sealed, resumed after a kill, and opened by a recipe of `make`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.pretrain_toys import ToyCorpus, base_of, tokenizer

from penjing.core.errors import PenjingError, RecipeError, RunInterruptedError
from penjing.core.folder import sealed_folder
from penjing.core.grow_recipe import load_grow_recipe
from penjing.data.corpus.card import Amount, CorpusCard, DomainCard, SourceCard
from penjing.data.corpus.folder import TEXT, ShardWriter, write_card
from penjing.make.grow import grow_base, read_steps
from penjing.model.base import open_base
from penjing.model.encoder import load_encoder

QUICK = "tokens: 900, length: 32, batch_tokens: 256, evaluations: 2, positions: 4, held_out: 200"
SCRATCH = f"""\
name: toy-base
language: en
corpus: corpus
network: {{type: bert, size: tiny, length: 64}}
tokenizer: words
threads: 1
steps:
  - pretrain.mlm: {{{QUICK}}}
  - pretrain.adapt: {{{QUICK}, objectives: {{mlm: 1.0, sop: 0.2}}}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    toy = ToyCorpus(60)
    with sealed_folder(tmp_path / "corpus") as folder:
        for name in toy.domains:
            for part in ("train", "held_out"):
                with ShardWriter(folder / TEXT / name, part) as writer:  # type: ignore[arg-type]
                    for number, text in enumerate(toy.documents(part, name)):
                        writer.write(text, f"{name}:{number}")
        amount = Amount(documents=60, characters=1)
        domains = tuple(DomainCard(name=name, folder=name, train=amount, held_out=amount) for name in toy.domains)
        source = SourceCard(name="toys", domain="up", given="toys", licence="CC0", kept=amount)
        write_card(folder, CorpusCard(sources=(source,), domains=domains), {})
    (tmp_path / "words").mkdir()
    tokenizer().save(str(tmp_path / "words" / "tokenizer.json"))
    (tmp_path / "grow.yaml").write_text(SCRATCH, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_two_steps_from_scratch_killed_and_resumed(place: Path) -> None:
    whole = grow_base(place / "grow.yaml", place / "whole")
    for stop in (3, 6):
        calls = iter(range(1, 10_000))
        with pytest.raises(RunInterruptedError):
            grow_base(place / "grow.yaml", place / "parts", stop=lambda calls=calls, stop=stop: next(calls) == stop)
    parts = grow_base(place / "grow.yaml", place / "parts")
    assert parts.artifact.id == whole.artifact.id
    again = grow_base(place / "grow.yaml", place / "parts")
    assert again.artifact.id == whole.artifact.id and all(done.cached for done in again.steps)
    card = whole.artifact.card
    assert card.notes["corpora"][0]["sources"][0]["licence"] == "CC0"
    assert card.notes["recipe"]["name"] == card.base == "toy-base"
    assert card.notes["tokens_seen"] >= 1800 and card.notes["log"] == "log.jsonl"
    assert [one["method"] for one in card.lineage] == ["pretrain.mlm", "pretrain.adapt"]
    assert whole.perplexity["up"]["before"] is None and whole.perplexity["up"]["after"] > 1  # type: ignore[operator]
    error = whole.perplexity["up"]["error"]
    assert error is not None and error > 0 and error == card.notes["pseudo_perplexity"]["up"]["error"]
    lines = [json.loads(line) for line in (place / "whole" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["of"] for line in lines} == {"1 pretrain.mlm", "2 pretrain.adapt"}
    page = (place / "whole" / "report.html").read_text(encoding="utf-8")
    assert "CC0" in page and "<svg" in page and "Pseudo-perplexity" in page and f" ± {100 * error:.0f} %" in page
    opened = open_base("whole/base", place)
    assert opened.id == whole.artifact.id
    load_encoder(opened)
    assert (opened.folder / "mlm_head.safetensors").is_file()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("corpus: corpus", "corpus: nowhere"),
        ("network: {type: bert, size: tiny, length: 64}\ntokenizer: words", "base: nowhere"),
        ("tokenizer: words", "tokenizer: nowhere"),
        ("tokenizer: words", "tokenizer: {kind: unigram, entires: 600}"),
        ("threads: 1", "teachers: {large: nowhere}"),
        ("threads: 1", "pairs: nowhere.csv"),
        ("pretrain.mlm: {", "pretrain.mlmm: {"),
    ],
)
def test_where_the_recipe_is_refused_nothing_is_left_behind(place: Path, old: str, new: str) -> None:
    assert old in SCRATCH
    (place / "grow.yaml").write_text(SCRATCH.replace(old, new), encoding="utf-8")
    before = sorted(place.rglob("*"))
    with pytest.raises(PenjingError, match=r"grow\.yaml:"):
        grow_base(place / "grow.yaml", place / "out")
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("corpus: corpus", "corpus: nowhere", "grow.yaml:3:1"),
        ("tokenizer: words", "tokenizer: nowhere", "grow.yaml:5:1"),
        ("tokenizer: words", "tokenizer: {kind: unigram, entires: 600}", "did you mean `entries`?"),
        ("pretrain.mlm: {", "pretrain.mlmm: {", "did you mean `pretrain.mlm`?"),
        ("pretrain.mlm: {", "tune.full: {", "unknown step `tune.full`"),
        ("pretrain.mlm: {tokens: 900", "pretrain.mlm: {tokens: 0", "grow.yaml:8:20"),
        ("length: 32", "length: 4096", "this network reads at most 64 tokens"),
        ("pretrain.mlm: {", "pretrain.clm: {", "does not suit a network of the family encoder"),
    ],
)
def test_a_fault_is_named_with_its_line(place: Path, old: str, new: str, words: str) -> None:
    (place / "grow.yaml").write_text(SCRATCH.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        grow_base(place / "grow.yaml", place / "out")
    assert words in str(caught.value) and "grow.yaml:" in str(caught.value)


def test_a_decoder_goes_on_from_a_folder(place: Path) -> None:
    base_of(place / "llama", "llama")
    text = SCRATCH.split("steps:")[0].replace("tokenizer: words\n", "")
    text = text.replace("network: {type: bert, size: tiny, length: 64}", "base: llama")
    (place / "grow.yaml").write_text(text + f"steps:\n  - pretrain.clm: {{{QUICK}}}\n", encoding="utf-8")
    assert [step.name for step in read_steps(load_grow_recipe(place / "grow.yaml"))] == ["pretrain.clm"]
    made = grow_base(place / "grow.yaml", place / "out")
    assert made.perplexity["up"]["after"] < made.perplexity["up"]["before"]  # type: ignore[operator]
    assert made.artifact.card.notes["family"] == "decoder"


def test_a_gpu_that_is_not_there_is_refused_before_any_work(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    text = SCRATCH.replace("threads: 1\n", "threads: 1\ndevice: cuda\n")
    (place / "grow.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match="torch finds 0 GPUs here") as caught:
        grow_base(place / "grow.yaml", place / "out")
    assert str(caught.value.where).endswith("grow.yaml:7:1") and "device: cpu" in str(caught.value.fix)
    assert not (place / "out").exists()


def test_a_missing_corpus_names_the_command_that_builds_one(place: Path) -> None:
    (place / "grow.yaml").write_text(SCRATCH.replace("corpus: corpus", "corpus: none"), encoding="utf-8")
    with pytest.raises(RecipeError, match="no such folder") as caught:
        grow_base(place / "grow.yaml", place / "out")
    assert caught.value.fix == "give the folder that `penjing corpus build` wrote"
    with pytest.raises(PenjingError, match="no such recipe") as missing:
        grow_base(place / "absent.yaml", place / "out")
    assert missing.value.fix == "write one: docs/pretraining.md has a sample"
