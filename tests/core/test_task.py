"""The contract's own values: closed sets, and records that cannot be changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from penjing.core.task import ALL, IGNORED, SMALL, FactKind, Head, HeadKind, Item, Loss, Unit
from penjing.decide.schema import FactSchema


def test_heads_losses_and_facts_are_closed_sets() -> None:
    assert set(get_args(HeadKind)) == {"pooled", "token", "span"}
    assert set(get_args(Loss)) == {"cross_entropy", "binary_cross_entropy", "mean_squared_error", "ordinal"}
    schema = FactSchema(("a", "b"), {"amount": "float", "urgent": "bool", "channel": ("app", "web")})
    assert set(schema.kinds().values()) <= set(get_args(FactKind))


def test_the_mark_of_a_missing_target_is_that_of_torch() -> None:
    import torch

    assert torch.nn.CrossEntropyLoss().ignore_index == IGNORED
    assert SMALL == 30 and ALL == "*"


def test_what_passes_between_rooms_is_frozen() -> None:
    for one in (Head("pooled", 1, "ordinal"), Item("a"), Unit(ALL, 0.5, "3", wrong=False)):
        with pytest.raises(FrozenInstanceError):
            one.kind = "other"  # type: ignore[union-attr]
