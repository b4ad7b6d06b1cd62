"""The products of one adapter as inputs of the shared graph: placed, padded with zeros, refused where too large."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from penjing.compress.parts.tenant_graph import products
from penjing.core.errors import UsageError
from penjing.engines.tenant import input_names

NAMES, LIKE = ("one", "two"), {"one": (3, 4), "two": (5, 4)}


def changes(rank: int) -> dict[str, torch.Tensor]:
    """An adapter of the first matrix alone: A (rank, in), B (out, rank)."""
    draw = torch.Generator().manual_seed(0)
    down, up = torch.randn(rank, 4, generator=draw), torch.randn(3, rank, generator=draw)
    return {"one.weight:A": down, "one.weight:B": up}


def test_the_product_is_that_of_the_adapter_and_zero_where_it_has_none() -> None:
    given = changes(2)
    found = products(given, NAMES, 4, LIKE)
    down, up = (found[name] for name in input_names("one"))
    assert (down.shape, up.shape) == ((4, 4), (4, 3))
    assert np.allclose(down @ up, (given["one.weight:B"] @ given["one.weight:A"]).T.numpy(), atol=1e-6)
    assert not down[:, 2:].any() and not up[2:].any(), "the rest of the common rank is zero"
    other = [found[name] for name in input_names("two")]
    assert [each.shape for each in other] == [(4, 4), (4, 5)]
    assert not any(each.any() for each in other)


def test_a_larger_rank_than_that_of_the_shared_file_is_refused() -> None:
    with pytest.raises(UsageError, match="the adapter has rank 3, and the shared file 2") as told:
        products(changes(3), NAMES, 2, LIKE)
    assert told.value.where == "rank" and "`rank: 3`" in (told.value.fix or "")
