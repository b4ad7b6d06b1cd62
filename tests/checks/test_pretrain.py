"""Common checks over every objective of pre-training: a new one is tested by being in the table."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.checks.test_methods import bad_values
from tests.pretrain_toys import ToyCorpus, base_of, inputs_of

from penjing.core.artifact import open_artifact
from penjing.core.errors import RecipeError, RunInterruptedError
from penjing.core.methods import Method, load_method, source_hash
from penjing.core.nouns import Artifact, Run
from penjing.core.options import build_options
from penjing.model.base import open_base
from penjing.model.pretrained import load_network
from penjing.model.sizes import NetworkType
from penjing.pretrain import METHODS

NETWORK: dict[str, NetworkType] = {"encoder": "bert", "decoder": "llama", "encoder-decoder": "t5"}
QUICK: dict[str, Any] = {
    "tokens": 2500, "length": 32, "batch_tokens": 256, "evaluations": 2, "positions": 4, "held_out": 256,
    "learning_rate": 3e-3,
}  # fmt: skip
# What an objective needs beside: `distil` has checks of its own, because it needs a teacher.
NAMES = [name for name in METHODS if name != "distil"]
# The pair objectives learn from more text than a test has: their own tests look at a coin.
LEARNS_SLOWLY = {"nsp", "sop", "rtd"}
each = pytest.mark.parametrize("name", NAMES)


def load(name: str) -> Method:
    return load_method(name, METHODS, "recipe.yaml:1:1")


def run_at(folder: Path, stops: frozenset[int] = frozenset()) -> Run:
    calls = iter(range(1, 100_000))
    return Run(folder / "out", folder / "scratch", threads=1, stop=lambda: next(calls) in stops)


@pytest.fixture(scope="module")
def apply(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Artifact]:
    bases: dict[str, Artifact] = {}

    def go(name: str, folder: Path | None = None, stops: frozenset[int] = frozenset(), **more: Any) -> Artifact:
        method = load(name)
        kind = NETWORK[method.families[0]]
        if kind not in bases:
            bases[kind] = base_of(tmp_path_factory.mktemp(kind) / "base", kind)
        options = build_options(method.options, QUICK | more, "recipe.yaml")
        place = folder or tmp_path_factory.mktemp(name)
        return method.apply(inputs_of(bases[kind], ToyCorpus()), options, run_at(place, stops))

    return go


@each
def test_its_docstring_is_a_small_paper(name: str) -> None:
    text = importlib.import_module(METHODS[name]).__doc__ or ""
    assert re.search(r"Source:.*?\b(19|20)\d\d\b", text, re.DOTALL), "cite a source with its title and year"
    assert "When:" in text and "When not:" in text, "say when to prefer it and when not"
    assert re.search(r"^    \S", text, re.MULTILINE), "give the formula, indented"


@each
def test_its_options_have_a_sentence_and_refuse_what_is_unknown_or_out_of_bounds(name: str) -> None:
    options = load(name).options
    options()
    for field, schema in options.model_json_schema()["properties"].items():
        assert schema.get("description"), f"`{field}` has no description"
        for value in bad_values(schema):
            with pytest.raises(RecipeError) as caught:
                build_options(options, {field: value}, "recipe.yaml:3:5")
            assert caught.value.fix, f"{field} = {value!r}"
    with pytest.raises(RecipeError, match="unknown key `tokenss`") as caught:
        build_options(options, {"tokenss": 1}, "recipe.yaml:3:5")
    assert caught.value.fix == "did you mean `tokens`?"


@each
def test_it_says_which_networks_it_suits_and_its_key_covers_its_source(name: str) -> None:
    assert set(load(name).families) <= set(NETWORK) and load(name).families
    assert source_hash(METHODS[name]) != source_hash("penjing.pretrain.parts.grow")


@each
def test_killed_and_resumed_it_ends_in_the_same_bits_and_its_card_says_how(
    name: str, apply: Callable[..., Artifact], tmp_path: Path
) -> None:
    whole = apply(name)
    # The first calls to `stop` are those of the tokens; after them there is one a step.
    for stop in (4, 5):
        with pytest.raises(RunInterruptedError):
            apply(name, tmp_path, frozenset({stop}))
    assert not (tmp_path / "out").exists()
    resumed = apply(name, tmp_path)
    assert resumed.id == whole.id == open_artifact(whole.folder).id
    card = whole.card
    assert card.method == f"pretrain.{name}"
    assert set(card.lineage[-1]) == {"method", "options", "parent"}
    assert card.notes["tokens_seen"] >= QUICK["tokens"] and card.notes["corpora"] == ["toy-60"]
    assert card.curves.loss and card.curves.validation and card.notes["versions"]["torch"]
    assert not [path for path in whole.folder.iterdir() if path.suffix in {".pt", ".bin", ".pkl"}]
    if card.notes["family"] == "encoder":
        assert open_base(str(whole.folder), Path("/")).id == whole.id
    load_network(whole)


@each
def test_the_loss_falls_on_a_text_that_can_be_learned(name: str, apply: Callable[..., Artifact]) -> None:
    if name in LEARNS_SLOWLY:
        pytest.skip("learns from more text than a test has")
    losses = [loss for _, loss in apply(name, tokens=10_000).card.curves.loss]
    quarter = max(1, len(losses) // 4)
    assert sum(losses[-quarter:]) / quarter < 0.97 * sum(losses[:quarter]) / quarter


def test_parts_of_a_batch_have_the_gradient_of_the_whole(apply: Callable[..., Artifact]) -> None:
    """Llama has no dropout: the losses of every step agree but for rounding."""
    one, four = (apply("clm", parts=parts, tokens=900).card.curves.loss for parts in (1, 4))
    assert [loss for _, loss in one] == pytest.approx([loss for _, loss in four], rel=1e-4)
