"""Fine-tuning: learns, repeats itself to the bit, and survives being killed at any step."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel

from penjing.core.errors import DataError, RecipeError, RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Card, Inputs, Run, Table
from penjing.core.options import build_options
from penjing.data import mask
from penjing.data.features import rows_of
from penjing.make.plan import single_step
from penjing.model.base import open_base
from penjing.model.encoder import load_classifier
from penjing.runtime.open import open_session
from penjing.tasks.metrics import macro_f1
from penjing.tune import METHODS, depth, job
from penjing.tune.full import Options, apply

LABELS = ("delivery", "price", "quality")
WORDS = tuple(f"{kind}{number}" for kind in (*LABELS, "common") for number in range(10))
QUICK = {"epochs": 3, "learning_rate": 2e-3, "head_factor": 2, "max_tokens": 16}


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 2 layers x 32 with random weights and a tokenizer of words."""
    folder = tmp_path_factory.mktemp("base")
    vocabulary = {token: index for index, token in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    ends = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=32, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def table(rows: int, seed: int) -> Table:
    """Three labels, told by words; every tenth label is drawn at random; some texts are longer than 16 tokens."""
    draw = random.Random(seed)
    texts, labels = [], []
    for number in range(rows):
        label = LABELS[number % len(LABELS)]
        words = [word for word in WORDS if word.startswith((label, "common"))]
        texts.append(" ".join(draw.choices(words, k=draw.randint(3, 18))))
        labels.append(draw.choice(LABELS) if number % 10 == 9 else label)
    return Table(texts=texts, labels=labels)


@pytest.fixture
def inputs(base_folder: Path) -> Inputs:
    return Inputs(open_base(str(base_folder), Path("/")), table(120, 1), table(60, 2), language="en")


@pytest.fixture
def tune(inputs: Inputs, tmp_path: Path) -> Callable[..., Artifact]:
    def go(name: str, *, seed: int = 0, stop: Callable[[], bool] = lambda: False, **changes: Any) -> Artifact:
        run = Run(tmp_path / name, tmp_path / f"{name}.scratch", seed=seed, threads=1, stop=stop)
        return apply(inputs, Options(**QUICK | changes), run)

    return go


def test_it_learns_and_its_card_says_how(tune: Callable[..., Artifact], inputs: Inputs) -> None:
    made = tune("a", learning_rate=[1e-7, 2e-3], epochs=8)
    card = made.card
    assert (card.form, card.method, card.labels) == ("torch", "tune.full", LABELS)
    assert (card.language, card.max_tokens, card.masking) == ("en", 16, mask.VERSION)
    assert card.metrics["validation_macro_f1"] > 0.8
    assert inputs.parent is not None
    assert [(step["method"], step["parent"]) for step in card.lineage] == [("tune.full", inputs.parent.id)]
    assert card.lineage[0]["options"]["learning_rate"] == [1e-7, 2e-3]
    assert card.parameters == sum(one.numel() for one in load_classifier(made).parameters())
    low, high = card.notes["learning_rates"]
    assert card.notes["learning_rate"] == high["learning_rate"] == 2e-3
    assert high["rung"]["macro_f1"] > low["macro_f1"]
    assert low["steps"] == 32 < high["steps"], "the other rate ended where both were compared"
    assert card.notes["layers"] == "all", "three quarters of two layers are both"
    curves = card.curves
    assert curves.loss[0][1] > curves.loss[-1][1]
    assert curves.loss[-1][0] == curves.validation[-1]["step"] == high["steps"]
    cut = sum(len(text.split()) > 14 for text in inputs.train.texts)
    assert card.notes["train_texts_cut"] == cut > 0


def weights(made: Artifact) -> dict[str, torch.Tensor]:
    return load_classifier(made).state_dict()


@pytest.mark.parametrize("layers", ["all", 1])
def test_the_rate_that_goes_on_ends_as_if_it_had_been_trained_alone(
    tune: Callable[..., Artifact], layers: str | int
) -> None:
    several = tune("several", learning_rate=[1e-7, 2e-3, 1e-6], epochs=8, layers=layers)
    assert several.card.notes["learning_rate"] == 2e-3
    alone = tune("alone", learning_rate=2e-3, epochs=8, layers=layers)
    ours, theirs = weights(several), weights(alone)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert several.card.metrics == alone.card.metrics
    assert several.card.curves == alone.card.curves


def test_auto_trains_the_top_three_quarters_where_rows_are_few(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    monkeypatch.setattr(job, "depth_of", lambda _: 12)
    assert job.prepare_job("tune.full", inputs, Options(max_tokens=16), run).layers == 9
    monkeypatch.setattr(job, "depth_of", lambda _: 1)
    assert job.prepare_job("tune.full", inputs, Options(max_tokens=16), run).layers == "all"
    monkeypatch.setattr(job, "depth_of", lambda _: 12)
    monkeypatch.setattr(depth, "FEW_ROWS", 100)
    assert job.prepare_job("tune.full", inputs, Options(max_tokens=16), run).layers == "all"
    assert job.prepare_job("tune.full", inputs, Options(max_tokens=16, layers=2), run).layers == 2


def test_what_is_measured_is_what_a_session_gives(tune: Callable[..., Artifact], inputs: Inputs) -> None:
    made = tune("a")
    session = open_session(made, threads=1)
    logits = session.logits(inputs.validation.texts)
    assert inputs.validation.labels is not None
    truth = [LABELS.index(label) for label in inputs.validation.labels]
    score = macro_f1(truth, logits.argmax(axis=1), len(LABELS))
    assert made.card.metrics["validation_macro_f1"] == pytest.approx(score, abs=1e-6)
    assert 0.05 < made.card.temperature < 20


def test_the_same_seed_gives_the_same_artifact(tune: Callable[..., Artifact]) -> None:
    assert tune("a").id == tune("b").id != tune("c", seed=1).id


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_top_layers_alone_can_be_trained(tune: Callable[..., Artifact], inputs: Inputs, layers: int) -> None:
    made = tune("a", layers=layers)
    assert made.id == tune("b", layers=layers).id
    assert inputs.parent is not None
    tuned = load_classifier(made).encoder.state_dict()
    before = load_classifier(tune("all", epochs=0.1, learning_rate=1e-9)).encoder.state_dict()
    moved = {name for name in tuned if not torch.allclose(tuned[name], before[name], atol=1e-5)}
    top = {f"encoder.layer.{number}." for number in range(2 - layers, 2)}
    assert all(any(name.startswith(layer) for layer in top) for name in moved)
    assert bool(moved) == bool(layers)


def test_a_tuned_artifact_can_be_tuned_on(tune: Callable[..., Artifact], inputs: Inputs, tmp_path: Path) -> None:
    first = tune("a")
    more = Inputs(first, inputs.train, inputs.validation)
    second = apply(more, Options(**QUICK), Run(tmp_path / "b", tmp_path / "b.scratch", threads=1))
    assert [step["parent"] for step in second.card.lineage] == [first.card.lineage[0]["parent"], first.id]


@pytest.mark.parametrize("layers", ["all", 1])
def test_stopped_and_resumed_it_is_the_same_artifact(tune: Callable[..., Artifact], layers: str | int) -> None:
    changes: dict[str, Any] = {"layers": layers, "learning_rate": [1e-3, 2e-3]}
    whole = tune("whole", **changes)
    draw, stops = random.Random(3), 0
    for _ in range(50):
        steps = draw.randint(1, 9)
        calls = iter(range(10_000))
        try:
            parts = tune("parts", stop=lambda calls=calls, steps=steps: next(calls) >= steps, **changes)
        except RunInterruptedError:
            stops += 1
        else:
            break
    assert stops > 3
    assert parts.id == whole.id


KILLED = """
import itertools, json, os, signal, sys
from pathlib import Path
from penjing.core.nouns import Inputs, Run, Table
from penjing.model.base import open_base
from penjing.tune import fitting, full
fitting.CHECKPOINT_SECONDS = 0
told = json.loads(sys.argv[1])
calls = itertools.count(1)
def stop():
    if next(calls) == told["kill_at"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
inputs = Inputs(open_base(told["base"], Path("/")), Table(*told["train"]), Table(*told["validation"]), language="en")
run = Run(Path(told["out"]), Path(told["scratch"]), threads=1, stop=stop)
print(full.apply(inputs, full.Options(**told["options"]), run).id)
"""


@pytest.mark.whole
def test_killed_at_random_steps_it_ends_in_the_same_artifact(
    tune: Callable[..., Artifact], inputs: Inputs, base_folder: Path, tmp_path: Path
) -> None:
    options = QUICK | {"learning_rate": [1e-3, 2e-3]}
    whole = tune("whole", learning_rate=[1e-3, 2e-3])
    told = {
        "base": str(base_folder),
        "train": [inputs.train.texts, inputs.train.labels],
        "validation": [inputs.validation.texts, inputs.validation.labels],
        "out": str(tmp_path / "killed"),
        "scratch": str(tmp_path / "killed.scratch"),
        "options": options,
    }

    def go(kill_at: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-c", KILLED, json.dumps(told | {"kill_at": kill_at})]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    draw = random.Random(11)
    for _ in range(2):
        assert go(draw.randint(3, 14)).returncode == -signal.SIGKILL
        assert not (tmp_path / "killed").exists()
    ended = go(0)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == whole.id


def test_a_diverging_rate_loses_and_does_not_fail(tune: Callable[..., Artifact]) -> None:
    made = tune("a", learning_rate=[2e-3, 0.1], head_factor=1000, warmup=0)
    assert made.card.notes["learning_rate"] == 2e-3 or not made.card.notes["learning_rates"][1]["diverged"]


def test_options_are_bounded(inputs: Inputs, tmp_path: Path) -> None:
    assert Options(learning_rate=1e-4).learning_rate == (1e-4,)
    assert METHODS["full"] == "penjing.tune.full"
    for wrong in (
        {"learning_rate": []}, {"learning_rate": [1e-4] * 6}, {"learning_rate": 0}, {"epochs": 0}, {"layers": -1},
        {"layers": "top"}, {"dropout": 1}, {"max_tokens": 4}, {"learnig_rate": 1e-4},
    ):  # fmt: skip
        with pytest.raises(RecipeError):
            build_options(Options, wrong, "recipe.yaml:1:1")
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    with pytest.raises(UsageError, match="at most 32 tokens"):
        apply(inputs, Options(max_tokens=64), run)
    with pytest.raises(UsageError, match="has 2 layers"):
        apply(inputs, Options(max_tokens=16, layers=3), run)


def test_inputs_that_cannot_be_tuned_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    with pytest.raises(DataError, match="the train part has no labelled rows"):
        apply(Inputs(inputs.parent, Table(texts=[], labels=[]), inputs.validation), Options(), run)
    with pytest.raises(DataError, match="the validation part has no labelled rows"):
        apply(Inputs(inputs.parent, inputs.train, Table(texts=["price1"])), Options(), run)
    linear = Artifact(tmp_path, "id", Card(form="linear", method="tune.linear"))
    for parent in (None, linear):
        with pytest.raises(UsageError, match=r"tune\.full starts from an encoder"):
            apply(Inputs(parent, inputs.train, inputs.validation), Options(), run)


@pytest.mark.whole
def test_a_real_base_learns_real_reviews(tmp_path: Path) -> None:
    """180 ChnSentiCorp rows, two epochs of the two top layers: far above chance on 90 others."""
    for name in ("PENJING_DATA", "PENJING_MODELS"):
        if name not in os.environ:
            pytest.skip(f"{name} is not set: the real reviews and the real base are needed")
    file = Path(os.environ["PENJING_DATA"]) / "zh-sentiment-chnsenticorp" / "train.tsv.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [row for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if len(row[1]) < 60][1:271]
    train, validation = (
        Table(texts=[text for _, text in part], labels=[label for label, _ in part])
        for part in (rows[:180], rows[180:])
    )
    base = open_base("multilingual-e5-small-zh-en", Path(os.environ["PENJING_MODELS"]))
    options = Options(epochs=2, learning_rate=2e-4, layers=2, max_tokens=40)
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    made = apply(Inputs(base, train, validation, language="zh"), options, run)
    assert made.card.metrics["validation_macro_f1"] > 0.7


def fields_table(rows: int, seed: int) -> Table:
    """Words that say nothing: the label is told by a number."""
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(3, 18))) for _ in range(rows)]
    heat = [float(draw.choice((10, 20, 30, 70, 80, 90))) for _ in range(rows)]
    labels = ["hot" if value > 50 else "cold" for value in heat]
    return Table(texts, labels, fields={"heat": heat, "site": [draw.choice(("north", None)) for _ in range(rows)]})


def told(session: Any, rows: Table) -> float:
    """The share of right labels."""
    made = session.predict(rows.texts, rows_of(rows))
    return sum(one.answer.top()[0] == gold for one, gold in zip(made, rows.labels or (), strict=True)) / len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("layers", ["all", 1])
def test_fields_are_read_beside_the_text_in_every_form(base_folder: Path, tmp_path: Path, layers: str | int) -> None:
    base, kinds = open_base(str(base_folder), Path("/")), {"heat": "float", "site": ("north", "south")}
    inputs = Inputs(base, fields_table(240, 1), fields_table(90, 2), language="en", features=kinds)
    options = Options(**QUICK | {"epochs": 8, "layers": layers})
    made = apply(inputs, options, Run(tmp_path / "a", tmp_path / "a.scratch", threads=1))
    rows = fields_table(120, 3)
    session = open_session(made, threads=1)
    assert told(session, rows) > 0.95
    assert set(made.card.features) == {"heat", "site"} and made.card.lineage[-1]["method"] == "tune.full"
    blind = apply(replace(inputs, features={}), options, Run(tmp_path / "b", tmp_path / "b.scratch", threads=1))
    assert told(open_session(blind, threads=1), rows) < 0.65
    if layers != "all":
        return
    wanted = session.logits(rows.texts, rows_of(rows))
    for name, given, apart in (
        ("export", {"engine": "onnx"}, 0.02),
        ("export", {"engine": "openvino"}, 0.02),
        ("int8", {"engine": "openvino", "calibration_texts": 32}, 0.2),
        ("int8", {"engine": "onnx"}, 0.2),
    ):
        step = single_step(f"compress.{name}", given)
        folder = tmp_path / f"{name}-{given['engine']}"
        run = Run(folder, folder.with_suffix(".scratch"), threads=1)
        small = open_session(step.method.apply(replace(inputs, parent=made), step.options, run), threads=1)
        found = small.logits(rows.texts, rows_of(rows))
        assert abs(found - wanted).max() < apart * max(1.0, abs(wanted).max()), (name, given)
        assert told(small, rows) > 0.95
        assert small.artifact.card.metrics["validation_accuracy"] > 0.95, "validation is scored with its fields"
