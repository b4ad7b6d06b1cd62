"""A small corpus and networks of width 32, for the tests of pre-training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing

from penjing.core.artifact import write_artifact
from penjing.core.nouns import Artifact, Card, Inputs, Run, Table
from penjing.model.pretrained import build_network, family_of, fit_tokens, load_network, save_network
from penjing.model.sizes import FAMILY, NetworkType, Size, SpecialIds, network_config
from penjing.pretrain.parts.batch import TextBatch, TokenRow, stack_rows
from penjing.pretrain.parts.marks import Marks, find_marks
from penjing.pretrain.parts.term import Kit

WORDS = tuple(f"w{number}" for number in range(40))
DOMAINS = ("up", "down")


def tokenizer() -> Tokenizer:
    """A tokenizer of whole words."""
    vocabulary = {token: place for place, token in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS))}
    made = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = WhitespaceSplit()
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return made


class ToyCorpus:
    """Documents that count up or down: the next word follows from the ones before."""

    def __init__(self, documents: int = 60, name: str = "toy") -> None:
        self.count, self.id = documents, f"{name}-{documents}"

    @property
    def domains(self) -> tuple[str, ...]:
        return DOMAINS

    def documents(self, part: str, domain: str | None = None) -> Iterator[str]:
        for name in DOMAINS if domain is None else (domain,):
            draw = random.Random(f"{part} {name}")
            step = 1 if name == "up" else -1
            for _ in range(self.count if part == "train" else 10):
                first = draw.randrange(40)
                yield " ".join(WORDS[(first + step * place) % 40] for place in range(draw.randrange(6, 20)))


def network_of(kind: NetworkType, seed: int = 0, layers: int = 1) -> tuple[torch.nn.Module, Tokenizer, Marks]:
    """A network with random weights, its tokenizer and its marks."""
    words = tokenizer()
    marks = find_marks(words, FAMILY[kind])
    special = SpecialIds(marks.padding, marks.after[-1], marks.before[0] if marks.before else None)
    config = network_config(kind, Size(layers, 32, 2, 64), words.get_vocab_size(), special)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_network(config), words, marks


def base_of(folder: Path, kind: NetworkType, seed: int = 0) -> Artifact:
    """The same as a base on the disk."""
    model, words, _ = network_of(kind, seed)
    card = Card(form="torch", method="pretrain.network", base="toy")
    return write_artifact(folder, card, lambda path: save_network(path, model, words))


def inputs_of(base: Artifact | None, corpus: ToyCorpus | None = None, **more: Any) -> Inputs:
    """The inputs of a step on a toy corpus."""
    nothing = Table([])
    return Inputs(base, nothing, nothing, language="en", corpora=(corpus or ToyCorpus(),), **more)


def kit_of(folder: Path, kind: NetworkType, length: int = 32, **more: Any) -> Kit:
    """What the terms of a training are built from."""
    base = base_of(folder / "base", kind)
    model, words = load_network(base), tokenizer()
    marks = find_marks(words, FAMILY[kind])
    fit_tokens(model, words)
    run = Run(folder / "out", folder / "scratch", threads=1)
    family = family_of(model.config)  # type: ignore[arg-type]
    return Kit(inputs_of(base, **more), run, family, model, words, marks, length, base.folder)


def batch_of(marks: Marks, lengths: list[int], words: int = 1, seed: int = 0) -> TextBatch:
    """Rows of one document each, of so many tokens; every `words` tokens are a word."""
    draw = np.random.default_rng(seed)
    rows = []
    for number, length in enumerate(lengths):
        ids = np.concatenate([marks.before, draw.choice(marks.ordinary, size=length), marks.after]).astype(np.int64)
        content = np.zeros(len(ids), dtype=np.bool_)
        content[len(marks.before) : len(marks.before) + length] = True
        begins = content & (np.cumsum(content) % words == (1 % words))
        ones = np.ones(len(ids), dtype=np.int64)
        rows.append(TokenRow(ids, ones, begins, content, ones * 0, number))
    return stack_rows(rows, marks.padding)
