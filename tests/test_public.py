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
