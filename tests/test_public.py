"""The public names, and nothing else."""

from __future__ import annotations

import penjing


def test_public_names() -> None:
    assert penjing.__all__ == [
        "Artifact",
        "Decider",
        "Decision",
        "PenjingError",
        "Prediction",
        "Recipe",
        "Release",
        "Request",
        "Table",
        "load_recipe",
        "make_release",
        "open_artifact",
        "open_release",
        "open_session",
    ]
    for name in penjing.__all__:
        assert getattr(penjing, name).__name__ == name


def test_the_public_names_are_seen_by_completion_and_star() -> None:
    assert set(penjing.__all__) <= set(dir(penjing))
    assert {name for name in dir(penjing) if not name.startswith("_")} == set(penjing.__all__)
    found: dict[str, object] = {}
    exec("from penjing import *", found)
    assert set(penjing.__all__) <= set(found)
    assert penjing.__doc__ is not None and "open_release" in penjing.__doc__
