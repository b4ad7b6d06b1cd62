"""Copies as options: which kinds, of train rows alone, never a held-out text; a method learns from them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.train.test_translator import make_translator

from penjing.core.errors import RecipeError, UsageError
from penjing.core.model_folder import read_translator_folder
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.options import build_options
from penjing.data.augment.rows import text_digest
from penjing.data.fold import fold
from penjing.model.base import open_base
from penjing.train.translator import open_translator
from penjing.tune import full, linear
from penjing.tune.augmented import Copies, EncoderCopies, with_copies
from penjing.tune.job import prepare_job
from penjing.tune.options import TrainingOptions

KIND = {"a": ("delivery1", "delivery2"), "b": ("price1", "price2")}


class Lines:
    """A Progress that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, title: str, total: int | None) -> None: ...
    def advance(self, amount: int = 1, note: str = "") -> None: ...
    def say(self, line: str) -> None:
        self.said.append(line)


def table(count: int, seed: int) -> Table:
    drawn, texts, labels = random.Random(seed), [], []
    for number in range(count):
        label = "ab"[number % 2]
        words = [drawn.choice(KIND[label]), *drawn.sample([f"common{each}" for each in range(10)], 7)]
        drawn.shuffle(words)
        texts.append(" ".join(words))
        labels.append(label)
    return Table(texts, labels, rows=range(count))


def inputs(held_out: frozenset[str] = frozenset(), parent: Artifact | None = None) -> Inputs:
    return Inputs(parent, table(40, 1), table(20, 2), language="en", held_out=held_out)


def run_in(folder: Path, progress: Any = None) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1, progress=progress or Lines())


def test_without_a_kind_nothing_changes(tmp_path: Path) -> None:
    given = inputs()
    assert with_copies(given, Copies(copies=5), run_in(tmp_path)) is given


def test_train_rows_alone_have_copies_and_it_is_said(tmp_path: Path) -> None:
    given, lines = inputs(), Lines()
    found = with_copies(given, Copies(swap=0.3, deletion=0.2, copies=2), run_in(tmp_path, lines))
    assert found.validation is given.validation
    assert len(found.train) == 120 and list(found.train.texts[:40]) == list(given.train.texts)
    assert len({fold(text) for text in found.train.texts}) == 120
    assert lines.said[0].startswith("augmentation: 80 copies of 40 rows (swap ")
    assert (
        found.train.texts == with_copies(given, Copies(swap=0.3, deletion=0.2, copies=2), run_in(tmp_path)).train.texts
    )


def test_no_copy_is_a_text_of_another_part(tmp_path: Path) -> None:
    asked = Copies(deletion=0.2, copies=2)
    first = with_copies(inputs(), asked, run_in(tmp_path)).train.texts[40:]
    lines = Lines()
    held_out = frozenset(text_digest(text) for text in first[:3])
    again = with_copies(inputs(held_out), asked, run_in(tmp_path, lines)).train.texts[40:]
    assert list(again) == list(first[3:]) and lines.said[1].startswith("augmentation: 3 copies were held-out texts")
    # Validation texts are known without being named.
    validation = Table([first[0].upper(), *inputs().validation.texts], ["a", *(inputs().validation.labels or ())])
    given = Inputs(None, table(40, 1), validation, language="en")
    assert first[0] not in with_copies(given, asked, run_in(tmp_path)).train.texts


def test_a_linear_model_learns_from_copies(tmp_path: Path) -> None:
    plain = linear.apply(inputs(), linear.Options(), run_in(tmp_path / "plain"))
    made = linear.apply(inputs(), linear.Options(augment=Copies(swap=0.4, copies=3)), run_in(tmp_path / "copies"))
    assert made.card.data != plain.card.data and made.card.notes["rows_to_choose"] == 160
    assert made.card.lineage[0]["options"]["augment"]["swap"] == 0.4


def test_an_encoder_learns_from_copies_with_near_words_of_its_own_table(tiny_base: Path, tmp_path: Path) -> None:
    lines, parent = Lines(), open_base(str(tiny_base), tmp_path)
    # A random table has no near words within the usual limit; its names are those of the vocabulary all the same.
    options = full.Options(
        augment=EncoderCopies(swap=0.3, synonyms=0.2, copies=2),
        epochs=1,
        learning_rate=(1e-3,),
        layers=1,
        max_tokens=32,
    )
    made = full.apply(inputs(parent=parent), options, run_in(tmp_path, lines))
    assert any(line.startswith("augmentation: ") for line in lines.said)
    plain = inputs(parent=parent)
    assert made.card.notes["train_tokens"] > 2 * sum(len(text.split()) + 2 for text in plain.train.texts)
    with pytest.raises(UsageError, match="has no head that fills hidden words"):
        with_copies(plain, EncoderCopies(mlm=0.2), run_in(tmp_path))


def test_copies_come_back_from_another_language(tmp_path: Path) -> None:
    asked = Copies(translate="there", translate_back="back", swap=0.3, copies=2)
    with pytest.raises(UsageError, match="translation models were not read"):
        with_copies(inputs(), asked, run_in(tmp_path))
    made = [make_translator(tmp_path / name, seed) for seed, name in enumerate(("there", "back"))]
    few = inputs().train.take(range(12))
    given = replace(inputs(), train=few, translators=[read_translator_folder(str(one), tmp_path) for one in made])
    lines = Lines()
    found = with_copies(given, asked, run_in(tmp_path, lines)).train
    assert list(found.texts) == list(with_copies(given, asked, run_in(tmp_path)).train.texts)
    there, back = (open_translator(one, run_in(tmp_path)) for one in given.translators)
    translated = dict(zip(given.train.texts, back(there(given.train.texts)), strict=True))
    copies = [(found.rows[place], found.texts[place]) for place in range(len(given.train), len(found))]
    count = sum(text == translated[given.train.texts[row]] for row, text in copies)
    assert count > 4 and f"translate {count})" in lines.said[0]


def test_every_method_that_prepares_a_job_has_the_copies_in_it(tiny_base: Path, tmp_path: Path) -> None:
    options = TrainingOptions(augment=EncoderCopies(swap=0.3), max_tokens=32)
    given = inputs(parent=open_base(str(tiny_base), tmp_path))
    job = prepare_job("tune.any", given, options, run_in(tmp_path))
    assert len(job.inputs.train) == len(job.train.ids) == len(job.golds[0]) == 80
    assert len(job.validation.ids) == 20 and options.augment.times == 2 and TrainingOptions().augment.times == 1
    plain = prepare_job("tune.any", given, TrainingOptions(max_tokens=32), run_in(tmp_path))
    assert job.data != plain.data, "what is computed once for these rows is not taken for others"


@pytest.mark.parametrize(
    ("given", "said", "fix"),
    [
        ({"swop": 0.1}, "unknown key `swop`", "did you mean `swap`?"),
        ({"swap": 0.9}, "`swap` is `0.9`; it must be a number from 0 to 0.5", "at most 0.5"),
        (
            {"translate": "zh-en"},
            "`translate_back` and `translate` belong together: one translates there, the other back",
            "name both folders, or take both out",
        ),
        (
            {"translate_back": "en-zh"},
            "`translate_back` and `translate` belong together: one translates there, the other back",
            "name both folders, or take both out",
        ),
        ({"copies": 0}, "`copies` is `0`; it must be a whole number from 1 to 20", "at least 1"),
    ],
)
@pytest.mark.parametrize("method", [linear, full])
def test_faults_name_what_is_possible(method: Any, given: dict[str, Any], said: str, fix: str) -> None:
    with pytest.raises(RecipeError) as error:
        build_options(method.Options, {"augment": given}, "recipe.yaml:3:5")
    assert said in error.value.what and fix in (error.value.fix or "")


def test_a_linear_model_asks_no_base() -> None:
    with pytest.raises(ValidationError):
        linear.Options.model_validate({"augment": {"synonyms": 0.1}})
