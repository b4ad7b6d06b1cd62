"""The facts that a rules file may name: from a recipe with its rows, and from a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.cli.show import Bar
from penjing.core.errors import PenjingError
from penjing.make.rule_facts import facts_of

GOLDEN = Path(__file__).parents[1] / "golden" / "linear"


def test_of_a_recipe_the_labels_of_its_rows_and_its_fields(tmp_path: Path) -> None:
    rows = [f"text {i} {'ab'[i % 2] * 3},{['JA', 'yes', 'no'][i % 3]},{i}" for i in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,amount", *rows]), encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: t\ndata: {files: a.csv, labels: {JA: yes}, fields: {amount: float, kind: [x, y]}}\n"
        "steps: [{tune.linear: {}}]\n".replace("JA: yes", "JA: 'yes'"),
        encoding="utf-8",
    )
    (tmp_path / "a.csv").write_text(
        "\n".join(["text,label,amount,kind", *(f"{row},{'xy'[i % 2]}" for i, row in enumerate(rows))]), encoding="utf-8"
    )
    with Bar() as bar:
        schema = facts_of(recipe, bar)
    assert schema.labels == ("no", "yes") and schema.read_as == {"JA": "yes"}
    assert schema.fields == {"amount": "float", "kind": ("x", "y")}
    assert {"p.no", "p.yes", "margin"} <= schema.kinds().keys()


def test_of_a_release_those_of_its_policy() -> None:
    with Bar() as bar:
        schema = facts_of(GOLDEN, bar)
    assert schema.labels and "text" in schema.kinds()


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    with Bar() as bar, pytest.raises(PenjingError):
        facts_of(tmp_path, bar)
    with Bar() as bar, pytest.raises(PenjingError):
        facts_of(tmp_path / "none.yaml", bar)
