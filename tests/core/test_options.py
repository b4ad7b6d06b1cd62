"""Options: the bound stands once; the message derives from it."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from penjing.core.errors import RecipeError
from penjing.core.options import Options, all_faults, build_options, explain, nearest
from penjing.core.recipe import Recipe


class Sample(Options):
    learning_rate: float = Field(1e-4, gt=0, le=1, description="step size")


def test_bounds_and_names() -> None:
    assert build_options(Sample, {"learning_rate": 0.5}, "here").model_dump() == {"learning_rate": 0.5}
    with pytest.raises(RecipeError, match="did you mean `learning_rate`"):
        build_options(Sample, {"learnig_rate": 0.5}, "r.yaml:3:1")
    with pytest.raises(RecipeError, match="`learning_rate` is `2`; it must be a number above 0 and at most 1"):
        build_options(Sample, {"learning_rate": 2}, "r.yaml:3:1")


def test_nearest_lists_all_when_nothing_is_near() -> None:
    assert nearest("Vip2", ["AMOUNT", "VIP"]) == "did you mean `VIP`?"
    assert nearest("zzz", ["alpha", "beta"]) == "known are: `alpha`, `beta`"


def test_every_fault_is_told_each_where_it_is_written() -> None:
    with pytest.raises(RecipeError) as refused:
        build_options(Sample, {"learning_rate": 2, "rate": 1}, "r.yaml:3", lambda *keys: f"r.yaml:{keys[0]}")
    shown = str(refused.value)
    assert "r.yaml:learning_rate" in shown and "\n  r.yaml:rate: unknown key `rate`" in shown
    many = all_faults([(f"r.yaml:{number}", f"fault {number}", "mend it") for number in range(13)])
    assert (many.where, many.what.count("\n  "), many.what.endswith("and 2 more")) == ("r.yaml:0", 11, True)


@pytest.mark.parametrize(
    ("change", "what", "fix"),
    [
        ({"steps": []}, "`steps` is empty; it needs at least 1", "write one there"),
        ({"steps": ["tune.linear"]}, "entry 1 of `steps` is `tune.linear`", "write `tune.linear: {}`"),
        ({"steps": "tune.linear"}, "`steps` is `tune.linear`", "write `[{tune.linear: {}}]`"),
    ],
)
def test_empty_lists_and_steps_without_options(change: dict[str, object], what: str, fix: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate({"name": "t", "data": {"files": "a.csv"}, "steps": [{"tune.linear": None}]} | change)
    _, said, hint = explain(caught.value, Recipe)[0]
    assert what in said and hint == fix
