"""What methods with few parameters share: the layers that they change, and that nothing else of the encoder learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from penjing.core.errors import UsageError
from penjing.model.encoder import Classifier
from penjing.model.layers import FAMILIES, layers_of
from penjing.tune.job import Job

_FIX = "take `tune.full` or `tune.bitfit`, or another base"


def known_layers(encoder: nn.Module, method: str) -> Sequence[nn.Module]:
    """The encoder's layers. Raises UsageError for a family whose layers a method cannot change."""
    family = str(encoder.config.model_type)  # type: ignore[union-attr]
    if family not in FAMILIES:
        raise UsageError(f"`{method}` does not know the layers of a `{family}`", where="layers", fix=_FIX)
    return list(layers_of(encoder))


def trained_layers(classifier: Classifier, job: Job) -> Sequence[nn.Module]:
    """The layers that are trained: all, or the top `job.layers`. Raises UsageError as `known_layers`."""
    layers = known_layers(classifier.encoder, job.method)
    return layers if job.layers == "all" else layers[len(layers) - job.layers :]


def learn_only(encoder: nn.Module, learns: Callable[[str], bool]) -> int:
    """Freeze every parameter of an encoder but those whose names are wanted; returns how many tensors learn."""
    count = 0
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_(learns(name))
        count += parameter.requires_grad
    return count


def learned_names(encoder: nn.Module) -> set[str]:
    """The names of the parameters of an encoder that learn."""
    return {name for name, parameter in encoder.named_parameters() if parameter.requires_grad}
