"""A small encoder learns the states of a larger one, resumes to the same bits, needs a teacher with its tokens."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.conftest import BASE_WORDS
from tokenizers import Tokenizer

from penjing.core.errors import DataError, RunInterruptedError, UsageError
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Inputs, Run, Table
from penjing.data.corpus.card import Amount, CorpusCard, DomainCard, SourceCard
from penjing.data.corpus.folder import Corpus, ShardWriter, open_corpus, write_card
from penjing.model.base import open_base
from penjing.model.pretrained import build_network, load_network
from penjing.pretrain.distil import Options, TeacherStates, apply
from penjing.pretrain.parts.batch import TextBatch, TokenRow, stack_rows
from penjing.pretrain.parts.marks import find_marks
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.term import Kit
from penjing.text.tokens import open_tokenizer

QUICK = Options(tokens=4000, batch_tokens=256, length=16, evaluations=2, learning_rate=5e-3, positions=0, held_out=256)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """120 documents of four to ten words of the tiny base, and 12 held-out ones."""
    texts = [document(row, 4 + row % 7) for row in range(132)]
    return made(tmp_path_factory.mktemp("corpora") / "words", texts[:120], texts[120:])


def document(row: int, length: int) -> str:
    return " ".join(BASE_WORDS[(7 * row + place * place) % len(BASE_WORDS)] for place in range(length))


def made(folder: Path, train: Sequence[str], held_out: Sequence[str]) -> Corpus:
    with sealed_folder(folder) as partial:
        for part, some in (("train", train), ("held_out", held_out)):
            with ShardWriter(partial / "text" / "words", part) as writer:
                for number, text in enumerate(some):
                    writer.write(text, f"words:{number}")
        amounts = [Amount(documents=len(some)) for some in (train, held_out)]
        domain = DomainCard(name="words", folder="words", train=amounts[0], held_out=amounts[1])
        source = SourceCard(name="words", domain="words", given="words.txt")
        write_card(partial, CorpusCard(sources=(source,), domains=(domain,)), {})
    return open_corpus(folder)


@pytest.fixture(scope="module")
def narrow(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of one layer x 16 with random weights and the tokenizer of the tiny base."""
    from transformers import AutoConfig

    folder = tmp_path_factory.mktemp("narrow") / "base"
    shutil.copytree(tiny_base, folder)
    config = AutoConfig.from_pretrained(tiny_base)
    config.update({"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32})
    torch.manual_seed(5)
    save_file(build_network(config).state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    return folder


def inputs(student: Path, teacher: Path, corpus: Corpus) -> Inputs:
    teachers = {"teacher": open_base(str(teacher), teacher)}
    return Inputs(open_base(str(student), student), Table([]), Table([]), teachers, corpora=(corpus,))


def run(folder: Path, stop_after: int = 0) -> Run:
    calls = iter(range(10**6))
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1, stop=lambda: 0 < stop_after <= next(calls))


def term_of(given: Inputs, folder: Path) -> tuple[TeacherStates, NetworkWithHeads, TextBatch]:
    assert given.parent is not None
    model, tokenizer = load_network(given.parent), open_tokenizer(given.parent.folder)
    marks = find_marks(tokenizer, "encoder")
    kit = Kit(given, run(folder), "encoder", model, tokenizer, marks, 16, given.parent.folder)
    term = TeacherStates(kit, Options())
    rows = []
    for text in list(given.corpora[0].documents("held_out"))[:5]:
        ids = np.array([*marks.before, *tokenizer.encode(text, add_special_tokens=False).ids, *marks.after])
        ones = np.ones(len(ids), dtype=np.int64)
        rows.append(TokenRow(ids, ones, ones > 0, ones > 0, 0 * ones))
    head = term.head()
    return term, NetworkWithHeads(model, {} if head is None else {"distil": head}), stack_rows(rows, marks.padding)


def test_a_student_that_is_its_teacher_has_nothing_to_learn(tiny_base: Path, corpus: Corpus, tmp_path: Path) -> None:
    term, network, batch = term_of(inputs(tiny_base, tiny_base, corpus), tmp_path)
    assert term.head() is None
    found = [part.item() for part in term.parts(network, batch)]
    assert found == pytest.approx([0] * 4, abs=1e-5)
    with torch.no_grad():
        torch.nn.init.normal_(network.embeddings)
    assert all(part.item() > 1e-4 for part in term.parts(network, batch))


@pytest.mark.slow
def test_a_narrower_student_comes_nearer_and_resumes_to_the_same_bits(
    tiny_base: Path, narrow: Path, corpus: Corpus, tmp_path: Path
) -> None:
    given = inputs(narrow, tiny_base, corpus)
    made = apply(given, QUICK, run(tmp_path / "whole"))
    curve = [point["distil"] for point in made.card.curves.validation]
    assert curve[-1] < 0.7 * before(given, tmp_path / "before")
    assert (made.folder / "config.json").is_file() or (made.folder / "encoder" / "config.json").is_file()
    with pytest.raises(RunInterruptedError):
        apply(given, QUICK, run(tmp_path / "killed", stop_after=7))
    assert apply(given, QUICK, run(tmp_path / "killed")).id == made.id


def before(given: Inputs, folder: Path) -> float:
    term, network, batch = term_of(given, folder)
    return sum(part.item() for part in term.parts(network, batch))


def test_a_teacher_with_other_tokens_or_none_is_refused(
    tiny_base: Path, narrow: Path, corpus: Corpus, tmp_path: Path
) -> None:
    given = inputs(narrow, tiny_base, corpus)
    with pytest.raises(UsageError, match="no teacher"):
        apply(replace(given, teachers={}), QUICK, run(tmp_path / "none"))
    other = tmp_path / "other"
    shutil.copytree(tiny_base, other)
    tree = json.loads(Tokenizer.from_file(str(other / "tokenizer.json")).to_str())
    tree["model"]["vocab"] = {
        piece if piece.startswith(("[", "<")) else f"x{piece}": place for piece, place in tree["model"]["vocab"].items()
    }
    (other / "tokenizer.json").write_text(json.dumps(tree))
    with pytest.raises(UsageError, match="cannot be compared"):
        apply(inputs(narrow, other, corpus), QUICK, run(tmp_path / "other-run"))


def test_a_placeholder_that_the_teacher_never_saw_is_read_as_unknown(
    tiny_base: Path, narrow: Path, tmp_path: Path
) -> None:
    texts = [f"{document(row, 6)} ⟦mobile⟧ {document(row + 1, 3)}" for row in range(60)]
    masked = made(tmp_path / "masked", texts[:50], texts[50:])
    term, _, _ = term_of(inputs(narrow, tiny_base, masked), tmp_path / "term")
    place = open_tokenizer(narrow).token_to_id("⟦mobile⟧")
    assert term.taught[place] == 0 and term.ids[place] < len(term.teacher.get_input_embeddings().weight)  # type: ignore[operator, arg-type]
    artifact = apply(inputs(narrow, tiny_base, masked), QUICK.model_copy(update={"tokens": 500}), run(tmp_path))
    token = open_tokenizer(artifact.folder).token_to_id("⟦mobile⟧")
    assert token < len(load_network(artifact).get_input_embeddings().weight)  # type: ignore[operator]


def test_a_corpus_of_one_document_is_measured_by_its_pieces(tiny_base: Path, narrow: Path, tmp_path: Path) -> None:
    long = made(tmp_path / "long", [document(1, 40)], [document(row, 9) for row in range(3)])
    term, network, batch = term_of(inputs(narrow, tiny_base, long), tmp_path)
    assert all(torch.isfinite(part) for part in term.parts(network, batch))
    short = made(tmp_path / "short", [document(1, 9)], [document(2, 9)])
    with pytest.raises(DataError, match="one piece of text"):
        term_of(inputs(narrow, tiny_base, short), tmp_path)
