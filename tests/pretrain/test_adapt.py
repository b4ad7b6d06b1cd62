"""Several objectives in one step: which fit together, and that the loss is their weighted sum."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pretrain_toys import base_of, inputs_of

from penjing.core.errors import RecipeError, UsageError
from penjing.core.nouns import Run
from penjing.core.options import build_options
from penjing.pretrain import METHODS, adapt
from penjing.pretrain.adapt import TERMS, Options


def options(**given: object) -> Options:
    found = build_options(Options, given, "recipe.yaml:3:5")
    assert isinstance(found, Options)
    return found


def test_every_objective_of_the_table_can_be_continued() -> None:
    assert set(METHODS) - {"adapt", "distil"} == set(TERMS)
    for name, (module, _) in TERMS.items():
        assert module.__name__ == METHODS[name]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"objectives": {"mlmm": 1}}, "unknown key `mlmm`"),
        ({"objectives": {}}, "`objectives` is empty"),
        ({"objectives": {"mlm": 0}}, "more than 0"),
        ({"settings": {"sop": {}}}, "`settings` names `sop`, which is not among the objectives"),
        ({"settings": {"mlm": {"unitt": "span"}}}, "it has: `share`, `span`, `unit`"),
        ({"settings": {"mlm": {"unit": "spam"}}}, "`unit` is"),
        ({"settings": {"mlm": {"tokens": 5}}}, "the unknown option `tokens`"),
    ],
)
def test_options_that_do_not_fit_are_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        options(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "objectives", "words"),
    [
        ("bert", {"mlm": 1, "rtd": 1}, "both change the tokens"),
        ("bert", {"nsp": 1, "sop": 1}, "both arrange the rows"),
        ("bert", {"clm": 1}, "does not suit a network of the family encoder"),
        ("llama", {"mlm": 1}, "`mlm` does not suit a network of the family decoder"),
        ("t5", {"clm": 1}, "of the family encoder-decoder"),
    ],
)
def test_objectives_that_do_not_fit_together_are_refused(
    tmp_path: Path, kind: str, objectives: dict[str, float], words: str
) -> None:
    base = base_of(tmp_path / "base", kind)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=words):
        given = options(objectives=objectives, length=32)
        adapt.apply(inputs_of(base), given, Run(tmp_path / "out", tmp_path / "s", threads=1))


def test_the_held_out_loss_is_the_weighted_sum(tmp_path: Path) -> None:
    base = base_of(tmp_path / "base", "bert")
    given = options(
        objectives={"mlm": 1.0, "sop": 0.2}, tokens=600, length=32, batch_tokens=256, evaluations=1, positions=0
    )
    made = adapt.apply(inputs_of(base), given, Run(tmp_path / "out", tmp_path / "s", threads=1))
    metrics = made.card.metrics
    assert metrics["held_out_loss"] == pytest.approx(metrics["held_out_mlm"] + 0.2 * metrics["held_out_sop"], abs=1e-5)
    assert made.card.notes["objectives"] == {"mlm": 1.0, "sop": 0.2}
