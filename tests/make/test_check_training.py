"""Wrong losses and switches of a recipe are told with their line; a loss of the team's own is part of the result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from penjing.core.canon import digest
from penjing.core.errors import PenjingError
from penjing.core.nouns import Inputs, Run, Silent
from penjing.core.recipe import load_recipe
from penjing.make.cache import Cache
from penjing.make.check_recipe import Checked, check_recipe

OWN = """\
import torch


def smooth(outputs, targets):
    return torch.nn.functional.cross_entropy(outputs, targets, label_smoothing=0.3, reduction="none")


def wrong(outputs, targets):
    return outputs[targets]


def fails(outputs, targets):
    return outputs.cross_entropy(targets)
"""
QUICK = "epochs: 1, learning_rate: 2.0e-3, layers: all, max_tokens: 24"


@pytest.fixture
def folder(tiny_base: Path, tmp_path: Path) -> Path:
    (tmp_path / "base").symlink_to(tiny_base)
    lines = [
        f"{kind}{number % 10} common{number // 10} {number},{kind}"
        for number in range(60)
        for kind in ("delivery", "price")
    ]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    (tmp_path / "losses.py").write_text(OWN, encoding="utf-8")
    return tmp_path


def check(folder: Path, options: str) -> Checked:
    path = folder / "recipe.yaml"
    path.write_text(
        f"name: small\nbase: base\ndata: {{files: rows.csv}}\nsteps:\n  - tune.full:\n      {options}\n"
        "gates: {keep: 0.5, unproven: allow}\ndecide: {max_error: 0.4}\nthreads: 1\n",
        encoding="utf-8",
    )
    return check_recipe(load_recipe(path), Silent())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("loss: losses.py:missing", [":6:", "losses.py: this file defines no `missing`", "known are: `smooth`"]),
        ("loss: other.py:smooth", [":6:", "there is no file `other.py`", "relative to the recipe"]),
        ("loss: losses.py:wrong", [":6:", "gives the shape (4, 2) for 4 rows", "a loss for each row"]),
        ("loss: losses.py:fails", [":6:", "losses.py:13: `fails` failed with AttributeError", "correct it there"]),
        ("loss: focl", [":6:", "did you mean `focal`?"]),
        ("loss: asymmetric", [":6:", "does not fit the task classify", "`loss: focal`"]),
        ("costs: {price: {delivry: 3}}\n      loss: cost", [":6:", "delivry", "delivery"]),
        ("class_weights: {pric: 3}", [":6:", "pric", "price"]),
        ("reinit: 3", [":6:", "`reinit` draws 3 layers anew, and 2 are trained"]),
        ("layers: 1\n      reinit: 2", [":7:", "`reinit` draws 2 layers anew, and 1 are trained"]),
        ("optimizer: sgd", [":6:", "`optimizer` is `sgd`, which needs other rates", "learning_rate: 0.01"]),
        ("mixup: 0.2\n      rdrop: 1", [":6:", "both say how a batch goes"]),
    ],
)
def test_what_does_not_fit_is_found_with_its_line(folder: Path, options: str, words: list[str]) -> None:
    with pytest.raises(PenjingError) as caught:
        check(folder, options).raise_faults()
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_loss_of_the_teams_own_is_in_the_card_and_in_the_key(folder: Path) -> None:
    checked = check(folder, f"{{loss: 'losses.py:smooth', {QUICK}}}")
    checked.raise_faults()
    (named,), (step,), data = checked.named, checked.steps, checked.data
    assert named.code is not None and data is not None and named.ids == [named.code.id]
    inputs = Inputs(checked.base, data.train, data.validation, task=data.task, language="en", code=named.code)
    made = step.method.apply(inputs, step.options, Run(folder / "a", folder / "a.scratch", threads=1))
    assert made.card.notes["loss_code"] == named.code.id == digest(["smooth", OWN])
    assert made.card.lineage[-1]["options"]["loss"] == "losses.py:smooth"
    cache = Cache(folder / "cache", 0, 1, Silent(), lambda: False)
    other = replace(inputs, code=replace(named.code, source=OWN + "\n"))
    assert cache.key(step, inputs) != cache.key(step, other)
    same = step.options.model_copy(update={"loss": "auto", "label_smoothing": 0.3})
    plain = step.method.apply(replace(inputs, code=None), same, Run(folder / "b", folder / "b.scratch", threads=1))
    assert plain.card.metrics == made.card.metrics, "it is the smoothing of 0.3"
    assert plain.card.curves.loss[-1][1] == pytest.approx(made.card.curves.loss[-1][1], rel=1e-5)
    assert "loss_code" not in plain.card.notes


def test_families_whose_layers_are_not_known_are_refused_by_the_option(folder: Path, tiny_base: Path) -> None:
    from transformers import ModernBertConfig, ModernBertModel

    config = ModernBertConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16, pad_token_id=0
    )
    (folder / "base").unlink()
    ModernBertModel(config).save_pretrained(folder / "base")
    (folder / "base" / "tokenizer.json").write_bytes((tiny_base / "tokenizer.json").read_bytes())
    check(folder, "{layers: all, rdrop: 1, max_tokens: 24}").raise_faults()
    with pytest.raises(PenjingError, match="the layers of a `modernbert` are not known"):
        check(folder, "{layer_decay: 0.5, max_tokens: 24}").raise_faults()
