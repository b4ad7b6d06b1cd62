"""The matrices of an encoder that an adapter changes: those of queries and values, or all of a layer."""

from __future__ import annotations

from typing import Literal

from torch import nn

from penjing.core.errors import UsageError
from penjing.model.layers import FAMILIES, layers_of

Targets = Literal["query_value", "all"]
# What the matrices of queries and values are called in the families that are known.
_QUERIES_AND_VALUES = frozenset(("query", "value", "q_lin", "v_lin", "q_proj", "v_proj"))


def matrices(encoder: nn.Module, layers: int | Literal["all"], targets: Targets) -> list[str]:
    """The names of the matrices in the top `layers` that get a product. Raises UsageError where there are none."""
    family = str(encoder.config.model_type)  # type: ignore[union-attr]
    inside = ""
    kept: set[int] | None = None
    if family in FAMILIES:
        total = len(layers_of(encoder))
        inside = FAMILIES[family] + "."
        kept = set(range(total)) if layers == "all" else set(range(total - layers, total))
    found = []
    for name, module in encoder.named_modules():
        if not isinstance(module, nn.Linear) or not name.startswith(inside):
            continue
        if kept is not None and int(name.removeprefix(inside).partition(".")[0]) not in kept:
            continue
        if targets == "all" or name.rpartition(".")[2] in _QUERIES_AND_VALUES:
            found.append(name)
    if not found:
        raise UsageError(
            f"there is no matrix to adapt in the trained layers of this `{family}`",
            fix="set `layers` to 1 or more, or `targets: all`",
        )
    return found
