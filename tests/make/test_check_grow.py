"""A fault of any step of a grow recipe is known, with its line, before the first one runs and before OUT is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pretrain_toys import base_of

from penjing.core.errors import RecipeError, UsageError
from penjing.core.grow_recipe import load_grow_recipe
from penjing.core.nouns import Artifact, Card
from penjing.make.check_grow import check_base_place, check_steps
from penjing.make.grow import read_steps
from penjing.model.base import open_network

HEAD = "name: a\nlanguage: en\ncorpus: corpus\n"
BERT = "network: {type: bert, size: tiny, length: 64}\ntokenizer: {kind: unigram, entries: 600}\n"
STEPS = "steps:\n  - pretrain.mlm: {length: 64}\n"


def check(folder: Path, text: str, base: Artifact | None = None) -> None:
    (folder / "grow.yaml").write_text(text, encoding="utf-8")
    file = load_grow_recipe(folder / "grow.yaml")
    check_steps(file, read_steps(file), base)


@pytest.mark.parametrize(
    ("second", "where", "words"),
    [
        ("pretrain.adapt: {length: 128}", "8:22", "this network reads at most 64 tokens"),
        ("pretrain.clm: {length: 64}", "8:5", "`clm` does not suit a network of the family encoder"),
        ("pretrain.adapt: {length: 64, objectives: {denoise: 1}}", "8:5", "`denoise` does not suit"),
        ("pretrain.adapt: {length: 64, objectives: {mlm: 1, rtd: 1}}", "8:5", "both change the tokens"),
        ("pretrain.adapt: {length: 64, objectives: {nsp: 1, sop: 1}}", "8:5", "both arrange the rows"),
        ("pretrain.distil: {length: 64}", "8:5", "was given no teacher"),
    ],
)
def test_a_fault_of_a_later_step_is_found_first(tmp_path: Path, second: str, where: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        check(tmp_path, f"{HEAD}{BERT}{STEPS}  - {second}\n")
    assert str(caught.value.where).endswith(f"grow.yaml:{where}") and caught.value.fix


def test_what_suits_passes(tmp_path: Path) -> None:
    check(tmp_path, f"{HEAD}{BERT}{STEPS}  - pretrain.adapt: {{length: 64, objectives: {{mlm: 1, sop: 0.2}}}}\n")
    check(tmp_path, f"{HEAD}{BERT}teachers: {{teacher: large}}\n{STEPS}  - pretrain.distil: {{length: 64}}\n")
    t5 = BERT.replace("bert", "t5")  # it counts no positions, so that any length is read
    check(tmp_path, f"{HEAD}{t5}steps:\n  - pretrain.denoise: {{length: 4096}}\n")


def test_a_base_is_known_by_its_configuration(tmp_path: Path) -> None:
    base_of(tmp_path / "llama", "llama")
    base = open_network("llama", tmp_path)
    check(tmp_path, f"{HEAD}base: llama\nsteps:\n  - pretrain.clm: {{length: 32}}\n", base)
    for step, words in (("mlm: {length: 32}", "the family decoder"), ("clm: {length: 8192}", "reads at most")):
        with pytest.raises(RecipeError, match=words):
            check(tmp_path, f"{HEAD}base: llama\nsteps:\n  - pretrain.{step}\n", base)


def test_what_is_in_the_place_of_the_new_base_is_not_moved(tmp_path: Path) -> None:
    place = tmp_path / "base"
    check_base_place(place, None)
    place.mkdir()
    check_base_place(place, None)
    (place / "model.safetensors").touch()
    with pytest.raises(UsageError, match="something is here that `penjing grow` did not write") as caught:
        check_base_place(place, None)
    assert caught.value.where == str(place)
    for name in ("MANIFEST", "card.json"):
        (place / name).touch()
    check_base_place(place, None)  # an earlier base, which is kept under another name
    own = Artifact(folder=tmp_path / "x" / ".." / "base", id="1", card=Card(form="torch", method="pretrain.mlm"))
    (tmp_path / "x").mkdir()
    with pytest.raises(UsageError, match="the base that is trained on"):
        check_base_place(place, own)
