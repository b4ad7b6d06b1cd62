"""Self-training: which answers a student learns, that rounds help where they can, and that a kill costs nothing."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.tune.toy_base import make_base

from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tune.further import unlabelled_texts
from penjing.tune.selftrain import Options, Sure, apply, balanced

WORDS = {label: [f"{label}{number}" for number in range(12)] for label in ("good", "bad", "the")}
QUICK = {"epochs": 6, "learning_rate": 5e-3, "max_tokens": 16, "layers": "all"}


def test_labels_keep_the_shares_of_the_train_rows_and_the_surest_are_taken() -> None:
    train = Table(["x"] * 4, ["a", "a", "a", "b"])
    task = open_reader("classify", {}).learn(["a", "b"])
    sure = [Sure(f"a{number}", "a", "a", 0.8 + number / 1000) for number in range(100)]
    sure += [Sure(f"b{number}", "b", "b", 0.9) for number in range(5)]
    kept = balanced(sure, task, train)
    assert [one.text for one in kept] == [*(f"a{number}" for number in range(85, 100)), *(f"b{n}" for n in range(5))]
    # A label without a sure answer does not keep the others out, and one of a row has at least a row.
    assert len(balanced(sure[:100], task, train)) == 100
    few = balanced([*sure[:2], sure[100]], task, train)
    assert [one.text for one in few] == ["a0", "a1", "b0"]


def test_texts_are_drawn_by_the_seed_without_those_that_have_labels() -> None:
    inputs = Inputs(None, Table(["t"], ["a"]), Table(["v"], ["b"]), unlabelled=["u", "t", "w", "v", "u", "x"])
    assert sorted(unlabelled_texts("m", inputs, 0, 0)) == ["u", "w", "x"]
    assert unlabelled_texts("m", inputs, 2, 3) == unlabelled_texts("m", inputs, 0, 3)[:2]
    with pytest.raises(UsageError, match="`m` learns from texts without labels, and there are none") as caught:
        unlabelled_texts("m", Inputs(None, Table(["t"], ["a"]), Table(["v"], ["b"]), unlabelled=["t"]), 0, 0)
    assert "unlabelled: [texts.csv]" in (caught.value.fix or "")


def table(rows: int, seed: int, width: int = 12) -> Table:
    """Two labels, told by words, of which the first `width` occur."""
    draw = random.Random(seed)
    labels = [("bad", "good")[number % 2] for number in range(rows)]
    texts = [
        " ".join(draw.choices(WORDS[label][:width], k=3) + draw.choices(WORDS["the"], k=draw.randint(2, 8)))
        for label in labels
    ]
    return Table(texts, labels)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    base = make_base(tmp_path_factory.mktemp("base"), [word for words in WORDS.values() for word in words])
    return Inputs(base, table(24, 1, 6), table(60, 2), language="en", unlabelled=table(200, 3).texts)


def right(made: Artifact) -> float:
    test = table(200, 4)
    found = [one.answer.ranked()[0][0] for one in open_session(made, threads=1).predict(test.texts)]
    return sum(one == label for one, label in zip(found, test.labels or (), strict=True)) / len(test)


def test_rounds_learn_words_that_no_labelled_text_has_and_survive_a_kill(inputs: Inputs, tmp_path: Path) -> None:
    made = apply(inputs, Options(**QUICK, threshold=0.6), Run(tmp_path / "a", tmp_path / "as", threads=1))
    rounds = made.card.notes["rounds"]
    assert rounds[0]["learned_from"] == 0 < rounds[1]["learned_from"]
    assert made.card.metrics["validation_macro_f1"] == max(one["score"] for one in rounds)
    first = next((tmp_path / "as").glob("round-0-*")) / "model"
    assert right(made) > right(Artifact(first, "", made.card)) + 0.02
    assert made.card.method == "tune.selftrain" and len(made.card.lineage) == 1

    calls = iter(range(1000))
    with pytest.raises(RunInterruptedError):
        apply(
            inputs,
            Options(**QUICK, threshold=0.6),
            Run(tmp_path / "b", tmp_path / "bs", threads=1, stop=lambda: next(calls) > 14),
        )
    assert list((tmp_path / "bs").glob("round-0-*/model")), "it was stopped after the first round"
    again = apply(inputs, Options(**QUICK, threshold=0.6), Run(tmp_path / "b", tmp_path / "bs", threads=1))
    assert again.id == made.id


def test_pieces_of_a_text_are_learned_too(inputs: Inputs, tmp_path: Path) -> None:
    def spans(texts: Sequence[str]) -> Table:
        golds = []
        for text in texts:
            places = [found.span() for found in re.finditer(r"(good|bad)\d+", text)]
            golds.append(json.dumps([{"start": start, "end": end, "label": "word"} for start, end in places]))
        return Table(texts, golds)

    tags = [spans(table(rows, seed).texts) for rows, seed in ((40, 5), (40, 6))]
    few = Inputs(
        inputs.parent,
        *tags,
        language="en",
        unlabelled=table(40, 7).texts,
        task=open_reader("tag", {}).learn([g for one in tags for g in one.labels or ()]),
    )
    options = Options(**QUICK | {"epochs": 8}, rounds=1, threshold=0.1)
    made = apply(few, options, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    assert made.card.task == "tag" and made.card.notes["rounds"][1]["learned_from"] > 0
    assert next(iter(made.card.metrics.values())) > 0.7, made.card.metrics
