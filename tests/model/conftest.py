"""A tiny encoder of random weights as a base."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.nouns import Artifact


@pytest.fixture(scope="session")
def tiny_artifact(tiny_base: Path) -> Artifact:
    """The tiny encoder as a base."""
    from penjing.model.base import open_base

    return open_base(str(tiny_base), Path("/"))
