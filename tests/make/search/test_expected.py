"""What `check` says of a search: its budget, and a time where one is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Ran

from penjing.core.chinese import chinese


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("trials: 20", "search over c: 20 trials of tune.linear; about"),
        ("minutes: 3", "search over c: trials of tune.linear, none after 3 min; about 3 min on two server cores"),
        (
            "trials: 9\nminutes: 0.5",
            "search over c: at most 9 trials of tune.linear, none after 0.5 min; about 25 s on",
        ),
    ],
)
def test_it_is_told(recipe_in: Callable[..., Path], penjing: Callable[..., Ran], more: str, said: str) -> None:
    recipe = recipe_in(steps="  - tune.linear: {c: {low: 0.1, high: 9}}", rows=120)
    recipe.write_text(recipe.read_text(encoding="utf-8") + more + "\n", encoding="utf-8")
    ran = penjing("check", str(recipe))
    (line,) = [line for line in ran.out.splitlines() if line.startswith("search over")]
    assert line.startswith(said) and line.endswith("each")
    assert chinese(line).startswith("搜索 c：tune.linear") and "server" not in chinese(line)
    assert '"search": "search over c' in penjing("check", str(recipe), "--json").out
