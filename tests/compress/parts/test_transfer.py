"""Texts of a student: neighbours out of a corpus or of the unlabelled texts, masked, none of them known already."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.compress.conftest import COMMON, WORDS, table

from penjing.compress.parts.transfer import TransferOptions, neighbours_of, transfer_set
from penjing.core.errors import RecipeError, RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import build_options
from penjing.data.corpus.folder import Corpus, open_corpus
from penjing.runtime.open import open_session

STRANGE = ("lease", "tenant", "clause", "of", "a", "contract", "and", "in", "court", "to", "hear", "appeal", "law")


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


@pytest.fixture
def corpus(penjing: Callable[..., Any], inputs: Inputs, tmp_path: Path) -> Corpus:
    """Documents of which one half is about the words of the train rows, and the other is not."""
    drawn = np.random.default_rng(0)
    (tmp_path / "texts").mkdir()
    for number in range(60):
        words = [*COMMON, *WORDS["bad"], *WORDS["good"]] if number % 2 else STRANGE
        text = " ".join(drawn.choice(words, size=60).tolist()) + f". Call 13812345678 about {number}."
        (tmp_path / "texts" / f"{number:02d}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "texts" / "known.txt").write_text(inputs.train.texts[0] + "\n", encoding="utf-8")
    done = penjing("corpus", "build", "texts", "--out", "corpus", "--no-mask", "--no-near", "--shortest", "8")
    assert done.code == 0, done.err
    made = open_corpus(tmp_path / "corpus")
    assert made.amount("train").documents > 50
    return made


def test_neighbours_out_of_a_corpus(inputs: Inputs, parent: Artifact, corpus: Corpus, tmp_path: Path) -> None:
    given = replace(inputs, corpora=(corpus,), unlabelled=["one more text"])
    options = TransferOptions(corpus="corpus", neighbours=30, copies=0)
    found = transfer_set(parent, parent, given, options, run(tmp_path), "compress.distill")
    assert found.sizes == {"train": 120, "unlabelled": 1, "copies": 0, "replaced": 0, "neighbours": 30}
    near = found.texts[-30:]
    assert len(set(near)) == 30 and not set(near) & set(inputs.train.texts)
    known = {*COMMON, *WORDS["bad"], *WORDS["good"]}
    shares = [sum(word in known for word in text.split()) / len(text.split()) for text in near]
    assert np.mean(shares) > 0.9, "the other half of the corpus is far away"
    longest = max(map(len, inputs.train.texts))
    assert all(len(text) <= longest + len("⟦mobile⟧") for text in near)
    assert found.outputs == pytest.approx(open_session(parent, threads=1).logits(found.texts), abs=1e-4)
    assert neighbours_of(parent, given, options, run(tmp_path / "again"), "") == near
    many = options.model_copy(update={"neighbours": 100_000})
    every = neighbours_of(parent, given, many, run(tmp_path), "")
    assert len(every) > 100 and set(near) < set(every)
    assert any("⟦mobile⟧" in text for text in every) and not any("13812345678" in text for text in every)


def test_without_a_corpus_the_nearest_unlabelled_texts_are_used(
    inputs: Inputs, parent: Artifact, tmp_path: Path
) -> None:
    strange = [f"strange{number} unknown{number}" for number in range(20)]
    pool = [*strange, *table(40, seed=4).texts, inputs.validation.texts[0]]
    given = replace(inputs, unlabelled=pool)
    options = TransferOptions(neighbours=20, copies=0)
    found = transfer_set(parent, parent, given, options, run(tmp_path), "compress.distill")
    assert found.sizes["unlabelled"] == 0 and found.sizes["neighbours"] == 20
    assert not set(found.texts[-20:]) & {*strange, inputs.validation.texts[0]}
    every = transfer_set(parent, parent, given, TransferOptions(copies=0), run(tmp_path), "compress.distill")
    assert every.sizes["unlabelled"] == len(pool) and every.sizes["neighbours"] == 0


def test_a_stopped_search_for_neighbours_goes_on(
    inputs: Inputs, parent: Artifact, corpus: Corpus, tmp_path: Path
) -> None:
    given = replace(inputs, corpora=(corpus,))
    options = TransferOptions(corpus="corpus", neighbours=30)
    stops, kept, pooled = 0, 0, tmp_path / "scratch" / "pooled"
    for last in itertools.count(10, 10):
        calls = itertools.count()
        try:
            neighbours_of(parent, given, options, replace(run(tmp_path), stop=lambda: next(calls) >= last), "")  # noqa: B023
            break
        except RunInterruptedError:
            stops, kept = stops + 1, kept + any(pooled.glob("*.npy"))
    assert stops > 4
    assert kept or any(pooled.glob("*.npy")), "the states that were computed are kept"
    undisturbed = neighbours_of(parent, given, options, run(tmp_path / "undisturbed"), "")
    assert neighbours_of(parent, given, options, run(tmp_path), "") == undisturbed


def test_what_has_no_texts_to_choose_from_is_refused(inputs: Inputs, parent: Artifact, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no unlabelled texts and no corpus") as caught:
        transfer_set(parent, parent, inputs, TransferOptions(neighbours=5), run(tmp_path), "compress.distill")
    assert caught.value.where == "neighbours"
    with pytest.raises(RecipeError, match="`corpus` is named, and `neighbours` is 0"):
        build_options(TransferOptions, {"corpus": "folder"}, "recipe.yaml")
    with pytest.raises(RecipeError, match="`out_of_fold` is 1, and one fold leaves no rows"):
        build_options(TransferOptions, {"out_of_fold": 1}, "recipe.yaml")
