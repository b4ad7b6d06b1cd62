"""One pre-training: what it refuses before any work, the tokens it says it saw, and the numbers it trains in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pretrain_toys import WORDS, ToyCorpus, base_of, inputs_of

from penjing.core.errors import DataError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Silent
from penjing.pretrain.mlm import MaskedTokens
from penjing.pretrain.mlm import Options as MlmOptions
from penjing.pretrain.parts import grow as module
from penjing.pretrain.parts.grow import grow, log_of, precision_of

BUILDERS = {"mlm": MaskedTokens}


class FourDocuments(ToyCorpus):
    """Four documents of six words, eight tokens with their frame, and no held-out ones."""

    def documents(self, part: str, domain: str | None = None) -> Iterator[str]:
        if part == "train" and domain in (None, "up"):
            yield from (" ".join(WORDS[first : first + 6]) for first in range(4))


class Heard(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return base_of(tmp_path_factory.mktemp("bert") / "base", "bert")


def go(inputs: Inputs, run: Run, **given: object) -> Artifact:
    options = MlmOptions.model_validate({"unit": "token", "length": 8, "batch_tokens": 16, "positions": 4, **given})
    return grow("mlm", inputs, options, run, [("mlm", 1.0, options)], BUILDERS)


def test_what_cannot_be_trained_is_refused_and_nothing_is_made(base: Artifact, tmp_path: Path) -> None:
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    with pytest.raises(UsageError, match="no network or no corpus"):
        go(inputs_of(None), run)
    with pytest.raises(UsageError, match="reads at most 64 tokens") as caught:
        go(inputs_of(base), run, length=65)
    assert (caught.value.where, caught.value.fix) == ("length", "set `length: 64` or less")
    decoder = base_of(tmp_path / "llama", "llama")
    with pytest.raises(UsageError, match="`mlm` does not suit a network of the family decoder") as caught:
        go(inputs_of(decoder), run)
    assert caught.value.fix == "take `clm`, or another network"
    assert not run.out.exists() and not log_of(run.out).exists()


def test_a_corpus_without_text_is_refused(base: Artifact, tmp_path: Path) -> None:
    class Empty(ToyCorpus):
        def documents(self, part: str, domain: str | None = None) -> Iterator[str]:  # noqa: ARG002
            yield from ()

    with pytest.raises(DataError, match="no document of two tokens or more"):
        go(inputs_of(base, Empty(0)), Run(tmp_path / "out", tmp_path / "scratch", threads=1))


def test_steps_tokens_and_losses_are_counted(base: Artifact, tmp_path: Path) -> None:
    heard = Heard()
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1, progress=heard)
    made = go(inputs_of(base, FourDocuments(4, "four")), run, tokens=33, evaluations=3)
    # Two documents of eight tokens a step: 33 tokens need a third one, in the second pass.
    notes, curves = made.card.notes, made.card.curves
    assert (notes["steps"], notes["tokens_seen"]) == (3, 48)
    assert [step for step, _ in curves.loss] == [1, 2, 3] and len(curves.validation) == 3
    # Text that is trained on is no held-out text.
    assert notes["pseudo_perplexity"] == {} and notes["held_out"] is False
    assert set(made.card.metrics) == {"train_loss", "train_mlm"}
    assert any("no held-out documents" in line for line in heard.lines)
    assert (made.folder / "mlm_head.safetensors").is_file() and log_of(run.out).name == "out.log.jsonl"
    assert log_of(run.out).is_file() and made.card.lineage[-1]["parent"] == base.id


@pytest.mark.parametrize(
    ("asked", "flags", "wanted"),
    [
        ("auto", {"avx2", "avx512f"}, "float32"),
        ("auto", {"avx512_bf16"}, "bf16"),
        ("auto", {"amx_bf16"}, "bf16"),
        ("bf16", set(), "bf16"),
        ("float32", {"amx_bf16"}, "float32"),
    ],
)
def test_bf16_is_taken_by_itself_only_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, asked: str, flags: set[str], wanted: str
) -> None:
    monkeypatch.setattr(module, "cpu_flags", lambda: frozenset(flags))
    assert precision_of(asked, "cpu") == wanted
