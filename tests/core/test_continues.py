"""`continues:` names the base, alone or with more."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.continues import Continues
from penjing.core.errors import RecipeError
from penjing.core.recipe import load_recipe


@pytest.mark.parametrize(
    ("written", "base", "replay"),
    [
        ("continues: ../old/release", "../old/release", 0.5),
        ("continues: {release: ../old/release, replay: 2}", "../old/release", 2.0),
        ("continues: ../old/release\nbase: penjing/nano", "penjing/nano", 0.5),
    ],
)
def test_the_earlier_release_is_the_base(tmp_path: Path, written: str, base: str, replay: float) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"name: a\ndata: {{files: a.csv}}\n{written}\nsteps: [tune.continual: {{}}]\n")
    recipe = load_recipe(path).recipe
    assert recipe.base == base
    assert recipe.continues == Continues(release="../old/release", replay=replay)


def test_a_wrong_key_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("name: a\ndata: {files: a.csv}\ncontinues: {relase: x}\nsteps: [tune.continual: {}]\n")
    with pytest.raises(RecipeError, match=r"r\.yaml:3"):
        load_recipe(path)
