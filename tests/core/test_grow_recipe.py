"""A grow recipe is refused as a whole, with the line of the fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import RecipeError, UsageError
from penjing.core.grow_recipe import load_grow_recipe

GOOD = """\
name: bank-base
corpus: corpus
network: {type: bert, size: tiny}
tokenizer: {kind: unigram, entries: 8000}
steps:
  - pretrain.mlm: {tokens: 1000}
"""


def test_the_sample_is_read(tmp_path: Path) -> None:
    (tmp_path / "grow.yaml").write_text(GOOD, encoding="utf-8")
    file = load_grow_recipe(tmp_path / "grow.yaml")
    assert file.recipe.corpus == ["corpus"] and file.recipe.step_list() == [("pretrain.mlm", {"tokens": 1000})]
    assert file.resolve("corpus") == (tmp_path / "corpus").resolve()
    assert file.where("steps", 0).endswith("grow.yaml:6:5")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("corpus: corpus\n", "", "the key `corpus` is missing"),
        ("corpus: corpus", "corpus: []", "`corpus` is empty"),
        ("network: {type: bert, size: tiny}", "base: penjing/mini", "`tokenizer` is given beside a base"),
        ("tokenizer: {kind: unigram, entries: 8000}\n", "", "has a network from scratch and no tokenizer"),
        ("name: bank-base", "name: bank-base\nbase: penjing/mini", "`tokenizer` is given beside a base"),
        ("network: {type: bert, size: tiny}\n", "", "neither `base` nor `network`"),
        ("size: tiny", "size: tine", "did you mean `tiny`?"),
        ("type: bert", "type: bert, layers: 2", "unknown key `layers`"),
        ("  - pretrain.mlm: {tokens: 1000}", "  - {pretrain.mlm: {}, pretrain.sop: {}}", "write each step as one"),
        ("name: bank-base", "name: bank-base\ndevice: tpu", "`device`"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    (tmp_path / "grow.yaml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_grow_recipe(tmp_path / "grow.yaml")
    assert words in str(caught.value) and "grow.yaml:" in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such recipe"):
        load_grow_recipe(tmp_path / "grow.yaml")
