"""How deep each parameter of a classifier is: the number of layers above it, for what treats layers differently."""

from __future__ import annotations

from torch import nn

from penjing.core.errors import UsageError
from penjing.model.fields import inner
from penjing.model.layers import FAMILIES, layers_of


def depths_of(model: nn.Module, option: str) -> dict[nn.Parameter, int]:
    """Layers above each parameter of a classifier, or of its top part: 0 for the top layer and for the heads.

    Embeddings and what else is below the first layer have the number of layers. option: what asks for the depths.
    Raises UsageError for a family whose layers are not known, with that option as its place.
    """
    encoder = inner(model).encoder
    assert isinstance(encoder, nn.Module)
    check_known(str(encoder.config.model_type), option)  # type: ignore[union-attr]
    layers = list(layers_of(encoder))
    found = dict.fromkeys(model.parameters(), 0)
    found |= dict.fromkeys(encoder.parameters(), len(layers))
    for place, layer in enumerate(layers):
        found |= dict.fromkeys(layer.parameters(), len(layers) - 1 - place)
    return found


def check_known(family: str, option: str) -> None:
    """Raise UsageError for a family of encoders whose layers are not known. option: the one that needs them."""
    if family not in FAMILIES:
        fix = f"take `{option}` out, or give a base of one of these families: {', '.join(FAMILIES)}"
        what = f"`{option}` treats each layer by its depth, and the layers of a `{family}` are not known"
        raise UsageError(what, where=option, fix=fix)
