"""`penjing grow`: a faulty recipe is refused with its line and exit code 2, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RECIPE = """\
name: toy
language: en
corpus: corpus
network: {type: bert, size: tiny, length: 64}
tokenizer: words
steps:
  - pretrain.mlm: {tokens: 900}
"""


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("tokens: 900", "tokens: 0", "grow.yaml:7:20", "tokens"),
        ("pretrain.mlm", "pretrain.mlmm", "grow.yaml:7:5", "did you mean `pretrain.mlm`?"),
        ("language: en", "langage: en", "grow.yaml:2:1", "did you mean `language`?"),
        ("type: bert", "type: bertt", "grow.yaml:4:11", "bertt"),
    ],
)
def test_a_bad_recipe_is_refused_with_its_line(
    penjing: Callable[..., Any], old: str, new: str, where: str, said: str
) -> None:
    Path("grow.yaml").write_text(RECIPE.replace(old, new), encoding="utf-8")
    ran = penjing("grow", "grow.yaml", "--out", "results", "--lang", "en")
    assert ran.code == 2 and not ran.out
    assert where in ran.err and said in ran.err
    assert [path.name for path in Path().iterdir()] == ["grow.yaml"]


def test_a_missing_corpus_is_named_with_the_line_of_its_key(penjing: Callable[..., Any]) -> None:
    Path("grow.yaml").write_text(RECIPE, encoding="utf-8")
    ran = penjing("grow", "grow.yaml", "--lang", "en")
    assert ran.code == 2 and not ran.out
    assert "grow.yaml:3:1" in ran.err and "corpus" in ran.err and "fix:" in ran.err
    assert not Path("out/base").exists() and not Path("out/report.html").exists()


def test_a_missing_recipe_is_named(penjing: Callable[..., Any]) -> None:
    ran = penjing("grow", "nowhere.yaml", "--lang", "en")
    assert ran.code == 2 and "nowhere.yaml" in ran.err and "fix:" in ran.err
    assert not list(Path().iterdir())
