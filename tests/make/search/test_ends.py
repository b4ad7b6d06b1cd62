"""What the base cannot do at an end of a range is refused before any work, with the place of that end."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.make.check_recipe import check_recipe


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("max_tokens: 32, layers: {low: 1, high: 2}", []),
        ("max_tokens: 32, layers: {low: 1, high: 4}", [":5:33: this base has 2 layers"]),
        ("max_tokens: 32, layers: {choose: [all, 1, 3]}", [":5:59: this base has 2 layers"]),
        ("max_tokens: {low: 16, high: 999}", [":5:17: this base takes at most 64 tokens"]),
        ("max_tokens: {choose: [32, 16, 999]}", [":5:47: this base takes at most 64 tokens"]),
        ("max_tokens: 32, epochs: {low: 1, high: 2}, layers: {low: 1, high: 3}", [":5:77: this base has 2 layers"]),
    ],
)
def test_both_ends_are_checked(tmp_path: Path, tiny_base: Path, options: str, words: list[str]) -> None:
    (tmp_path / "rows.csv").write_text(
        "text,label\n" + "".join(f"price{i % 9} common{i},{i % 2}\n" for i in range(200))
    )
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"name: x\ndata: {{files: rows.csv}}\nbase: {tiny_base}\nsteps:\n  - tune.full: {{{options}}}\ntrials: 4\n"
    )
    checked = check_recipe(load_recipe(path), Silent())
    found = [str(fault) for fault in checked.faults]
    assert len(found) == len(words)
    for fault, word in zip(found, words, strict=True):
        assert word in fault
