"""The card of the base, written from its measured figures."""

from __future__ import annotations

from pathlib import Path


def write(folder: Path) -> None:
    """CARD.md of a base folder from its figures.json."""
