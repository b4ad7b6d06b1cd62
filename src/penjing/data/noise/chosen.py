"""Which of the places of a text are altered: a share of them, at least one."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Place = TypeVar("Place")


def chosen(places: Sequence[Place], share: float, source: Random) -> list[Place]:
    """max(1, round(share * n)) of n places, drawn at random, in their order. None for a share of 0."""
    if not places or share <= 0:
        return []
    count = min(len(places), max(1, round(share * len(places))))
    return [places[one] for one in sorted(source.sample(range(len(places)), count))]
