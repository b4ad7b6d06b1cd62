"""Common checks over every method of the tables: a new method is tested by being in its table."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penjing import compress, tune
from penjing.core.artifact import open_artifact
from penjing.core.errors import RecipeError, RunInterruptedError
from penjing.core.methods import Method, load_method, source_hash
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.options import build_options
from penjing.data.mask import VERSION
from penjing.model.base import open_base
from penjing.runtime.open import open_session

ROOMS = {"tune": tune.METHODS, "compress": compress.METHODS}
ALL = [(room, name) for room, table in ROOMS.items() for name in table]
# What makes a method quick on the tiny model; one that is not named here runs with its defaults.
QUICK: dict[str, dict[str, Any]] = {
    "full": {"epochs": 4, "learning_rate": 5e-3, "max_tokens": 16},
    "fewshot": {"epochs": 2, "draws": 2, "learning_rate": 5e-3, "max_tokens": 16},
    "prototype": {"max_tokens": 16},
    "cloze": {
        "epochs": 4,
        "learning_rate": 5e-3,
        "cloze_epochs": 4,
        "cloze_rate": 5e-3,
        "max_tokens": 20,
        "template": "{text} the [MASK]",
        "words": {"bad": ["slow"], "good": ["quick"]},
    },
    "selftrain": {"epochs": 2, "learning_rate": 5e-3, "max_tokens": 16, "rounds": 1, "threshold": 0.5},
    "consistency": {"epochs": 4, "learning_rate": 5e-3, "max_tokens": 16, "copies": 1, "ratio": 1},
    "linear": {"c": [4.0, 16.0], "folds": 2},
    "continual": {"epochs": 4, "learning_rate": 5e-3, "max_tokens": 16},
    "ensemble": {"epochs": 4, "learning_rate": 5e-3, "max_tokens": 16, "members": 2},
    "maml": {"epochs": 4, "learning_rate": 5e-3, "max_tokens": 16, "episodes": 4, "ways": 2},
    "lora": {"epochs": 6, "learning_rate": 2e-2, "max_tokens": 16, "targets": "all"},
    "bitfit": {"epochs": 8, "learning_rate": 2e-2, "max_tokens": 16},
    "adapter": {"epochs": 6, "learning_rate": 5e-3, "max_tokens": 16, "size": 8},
    "ia3": {"epochs": 8, "learning_rate": 3e-2, "max_tokens": 16},
    "adalora": {"epochs": 6, "learning_rate": 1e-2, "max_tokens": 16, "initial_rank": 4, "rank": 2, "interval": 2},
    "prompt": {"epochs": 8, "learning_rate": 3e-2, "max_tokens": 16, "tokens": 4, "encoder": "mlp"},
    "prefix": {"epochs": 8, "learning_rate": 3e-2, "max_tokens": 16, "tokens": 4},
    "int8": {"calibration_texts": 8},
    "layers": {"keep": 1, "texts": 8},
    "distill": {"epochs": 1},
    "width": {"keep": 0.5, "texts": 32},
    "heads": {"keep": 0.5, "texts": 32},
    "static": {"bits": 10, "epochs": 2},
    "cascade": {"bits": 10, "epochs": 2, "agreement": 0.8},
    "ngrams": {"bits": 12, "engine": "onnx"},
}
# What a compression needs before it, where `tune.full` is not enough.
NEEDS = {"tenant": "lora"}
WORDS = {
    "bad": ("slow", "late", "broken", "rude"),
    "good": ("quick", "fine", "clean", "kind"),
    "": ("the", "room", "box"),
}
# Tuning methods that go on from a tuned model.
GO_ON = {"continual"}
PICKLED = {".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy"}

each_method = pytest.mark.parametrize(("room", "name"), ALL, ids=[f"{room}.{name}" for room, name in ALL])


# Methods that take more than a few seconds a run even on the tiny model.
SLOW = {"int8"}
each_run = pytest.mark.parametrize(
    ("room", "name"),
    [
        pytest.param(room, name, marks=[pytest.mark.slow] if name in SLOW else [], id=f"{room}.{name}")
        for room, name in ALL
    ],
)


def load(room: str, name: str) -> Method:
    return load_method(name, ROOMS[room], "recipe.yaml:1:1")


def bad_values(schema: dict[str, Any]) -> Iterator[Any]:
    """Values just outside the bounds that an option's JSON schema states, and one of no type that any option takes."""
    yield {"a": {"mapping": {"of": 1}}}
    for one in [schema, *schema.get("anyOf", ())]:
        for key, step in (("minimum", -1), ("exclusiveMinimum", 0), ("maximum", 1), ("exclusiveMaximum", 0)):
            if key in one:
                yield one[key] + step
        if "enum" in one or "const" in one:
            yield "no such value"
        if "items" in one or "prefixItems" in one:
            yield from ([value] for value in bad_values(one.get("items", {})))
        if one.get("minItems"):
            yield []


@each_method
def test_its_docstring_is_a_small_paper(room: str, name: str) -> None:
    text = importlib.import_module(ROOMS[room][name]).__doc__ or ""
    assert re.search(r"Source:.*?\b(19|20)\d\d\b", text, re.DOTALL), "cite a source with its title and year"
    assert re.search(r"When|Prefer", text), "say when to prefer it and when not"
    assert re.search(r"^    \S", text, re.MULTILINE), "give the formula, indented"


@each_method
def test_every_option_has_a_default_a_sentence_and_a_bound(room: str, name: str) -> None:
    options = load(room, name).options
    options()
    for field, schema in options.model_json_schema()["properties"].items():
        assert schema.get("description"), f"`{field}` has no description"
        kinds = [schema, *schema.get("anyOf", ())]
        kinds += [one["items"] for one in kinds if "items" in one]
        for one in kinds:
            if one.get("type") in {"integer", "number"}:
                bounded = "enum" in one or any(key.lower().endswith(("minimum", "maximum")) for key in one)
                assert bounded, f"`{field}` has no bound"


@each_method
def test_it_refuses_what_it_does_not_know_and_says_what_was_near(room: str, name: str) -> None:
    options = load(room, name).options
    known = next(iter(options.model_fields))
    with pytest.raises(RecipeError, match=f"unknown key `{known}x`") as caught:
        build_options(options, {known + "x": 1}, "recipe.yaml:3:5")
    assert caught.value.where == "recipe.yaml:3:5"
    assert caught.value.fix == f"did you mean `{known}`?"


@each_method
def test_it_refuses_values_out_of_bounds_and_names_the_option(room: str, name: str) -> None:
    options = load(room, name).options
    for field, schema in options.model_json_schema()["properties"].items():
        for value in bad_values(schema):
            with pytest.raises(RecipeError) as caught:
                build_options(options, {field: value}, "recipe.yaml:3:5")
            assert caught.value.fix, f"{field} = {value!r}"


def test_an_unknown_method_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="unknown step `lineal`") as caught:
        load_method("lineal", tune.METHODS, "recipe.yaml:9:5")
    assert caught.value.fix == "did you mean `linear`?"


@each_method
def test_its_source_hash_covers_what_it_imports(room: str, name: str) -> None:
    path = ROOMS[room][name]
    assert source_hash(path) == source_hash(path)
    assert source_hash(path) != source_hash("penjing.core.nouns")


def table(rows: int, seed: int) -> Table:
    import random

    draw = random.Random(seed)
    labels = [("bad", "good")[number % 2] for number in range(rows)]
    texts = [" ".join(draw.choices(WORDS[label] + WORDS[""], k=draw.randint(5, 12))) for label in labels]
    return Table(texts=texts, labels=labels, rows=range(2, rows + 2))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A BERT of two layers x 32 with random weights, its head of hidden tokens, and a tokenizer of words."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    from penjing.model.token_head import TokenHead, save_token_head

    folder = tmp_path_factory.mktemp("base")
    words = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(word for kind in WORDS.values() for word in kind))
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[MASK]"])
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=32, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
        save_token_head(folder, TokenHead(32, 32, len(words)))
    return open_base(str(folder), Path("/"))


@pytest.fixture(scope="module")
def apply(base: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Artifact]:
    """Run a method on tiny data: a tuning method on the base, a compression on what `tune.full` made, or NEEDS."""
    tuned: dict[str, Artifact] = {}

    def go(room: str, name: str, *, seed: int = 0, out: Path | None = None, stopped: bool = False) -> Artifact:
        before = NEEDS.get(name, "full")
        onward = room == "compress" or name in GO_ON
        if onward and before not in tuned:
            tuned[before] = go("tune", before)
        folder = out or tmp_path_factory.mktemp(name)
        method = load(room, name)
        parent = tuned[before] if onward else base
        teachers = {"tuned": parent} if room == "compress" else {}
        texts = table(40, 3).texts
        inputs = Inputs(parent, table(64, 1), table(32, 2), teachers, language="en", unlabelled=texts, base=base)
        run = Run(folder / "out", folder / "scratch", seed=seed, threads=1, stop=lambda: stopped)
        return method.apply(inputs, build_options(method.options, QUICK.get(name), "recipe.yaml"), run)

    return go


@each_run
def test_the_same_seed_gives_the_same_id_and_its_card_says_how(
    room: str, name: str, apply: Callable[..., Artifact]
) -> None:
    first, second = apply(room, name), apply(room, name)
    assert first.id == second.id == open_artifact(first.folder).id
    card = first.card
    assert card.method == f"{room}.{name}"
    assert card.labels == ("bad", "good")
    assert card.masking == VERSION
    assert card.language == "en"
    assert card.data
    assert card.parameters > 0
    assert 0.05 <= card.temperature <= 20
    assert {"validation_macro_f1", "validation_accuracy"} <= set(card.metrics)
    last = card.lineage[-1]
    method = load(room, name)
    assert set(last) == {"method", "options", "parent"}
    assert last["method"] == f"{room}.{name}"
    assert last["options"] == build_options(method.options, QUICK.get(name), "").model_dump(mode="json")
    assert len(card.lineage) == (2 if room == "compress" or name in GO_ON else 1)
    assert not [path for path in first.folder.rglob("*") if path.suffix in PICKLED]


@each_run
def test_its_result_opens_in_a_session_and_gives_what_its_card_says(
    room: str, name: str, apply: Callable[..., Artifact]
) -> None:
    made = apply(room, name)
    session = open_session(made, threads=1)
    validation = table(32, 2)
    predictions = session.predict(validation.texts)
    assert all(abs(sum(one.answer.probabilities) - 1) < 1e-5 for one in predictions)
    right = [
        one.answer.ranked()[0][0] == label for one, label in zip(predictions, validation.labels or (), strict=True)
    ]
    assert sum(right) / len(right) == pytest.approx(made.card.metrics["validation_accuracy"], abs=1e-6)
    assert sum(right) / len(right) > 0.7
    assert set(session.fingerprint()) == {"engine", "version", "instruction_set", "threads"}


@each_run
def test_a_stopped_run_leaves_no_artifact_and_can_go_on(
    room: str, name: str, apply: Callable[..., Artifact], tmp_path: Path
) -> None:
    with pytest.raises(RunInterruptedError):
        apply(room, name, out=tmp_path, stopped=True)
    assert not (tmp_path / "out").exists()
    assert apply(room, name, out=tmp_path).id == apply(room, name).id
