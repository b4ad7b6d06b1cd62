"""One run of a checked recipe: which rows its steps see, and which steps a recipe without an encoder takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.core.methods import Done, Step
from penjing.core.nouns import Inputs, Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import prepare
from penjing.make.cache import Cache
from penjing.make.making import Made
from penjing.make.run import make_release
from penjing.tasks import reader_of

pytestmark = pytest.mark.usefixtures("short_times")

Taken = list[tuple[Step, Inputs]]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    """Every step that is taken through the cache, with its inputs."""
    found: Taken = []
    run = Cache.run

    def noted(self: Cache, step: Step, inputs: Inputs, *rest: Any) -> Done:
        found.append((step, inputs))
        return run(self, step, inputs, *rest)

    monkeypatch.setattr(Cache, "run", noted)
    return found


@pytest.fixture
def recipe(recipe_in: Callable[..., Path]) -> Path:
    return recipe_in(gates="{size_mb: 0.001, unproven: allow}")


def test_no_step_sees_a_row_that_certifies_or_tests(recipe: Path, tmp_path: Path, taken: Taken) -> None:
    file = load_recipe(recipe)
    data = prepare(file, reader_of(file), Silent())
    made = make_release(recipe, tmp_path / "out")
    assert isinstance(made, Made)
    # A recipe without an encoder fits one model: it is its own baseline, and is fitted once.
    assert [step.name for step, _ in taken] == ["tune.linear"] == [step.name for step in made.report.steps]
    kept_away = {*data.calibration.texts, *data.test.texts}
    for _, inputs in taken:
        seen = {*inputs.train.texts, *inputs.validation.texts, *inputs.unlabelled}
        assert seen and not seen & kept_away
        assert len(inputs.held_out) >= len(kept_away), "copies of them are left out of augmentation"


def test_a_refused_run_says_why_and_what_to_do(recipe: Path, tmp_path: Path) -> None:
    """The last form is tested all the same, so that the report shows the gates that it broke."""
    made = make_release(recipe, tmp_path / "out")
    assert made.release is None and not made.report.sealed and not (tmp_path / "out" / "release").exists()
    assert made.refused[0].startswith("every variant was refused: tune.linear: size_mb")
    assert made.advice and [gate.state for gate in made.report.gates if gate.name == "size_mb"] == ["broken"]
