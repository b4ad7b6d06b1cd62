"""Methods by name, and the hash of all the project's code that a result depends on."""

from __future__ import annotations

import pytest

from penjing.core.errors import RecipeError
from penjing.core.methods import load_method, source_hash


def test_an_unknown_step_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean `linear`"):
        load_method("liner", {"linear": "penjing.tune.linear", "full": "penjing.tune.full"}, "r.yaml:3:5")


def test_source_hash_follows_imports() -> None:
    assert source_hash("penjing.core.folder") == source_hash("penjing.core.folder")
    assert source_hash("penjing.core.folder") != source_hash("penjing.core.canon")
