"""Layers of the package peft around the matrices of an encoder: put in before training, and taken out after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from penjing.core.errors import MissingPackageError

# Under this name peft keeps the parameters of its layers.
ADAPTER = "default"


def require_peft(method: str) -> Any:
    """The package peft. Raises MissingPackageError where it is not installed."""
    try:
        import peft
    except ModuleNotFoundError:
        fix = "install the packages for training: pip install 'penjing[train]'"
        raise MissingPackageError(f"the step `{method}` needs the package `peft`", fix=fix) from None
    return peft


def names_of(encoder: nn.Module, modules: Iterable[nn.Module]) -> list[str]:
    """The full names of modules of an encoder, in its order."""
    wanted = {id(module) for module in modules}
    return [name for name, module in encoder.named_modules() if id(module) in wanted]


def inject(encoder: nn.Module, config: Any, method: str) -> None:
    """Put the layers of a configuration of peft into an encoder, in place; of the encoder only these learn then."""
    require_peft(method).inject_adapter_in_model(config, encoder, ADAPTER)


def take_out(encoder: nn.Module) -> list[tuple[str, Any]]:
    """Put the matrices back in the place of peft's layers, unchanged; returns the layers with their names."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    found = [(name, module) for name, module in encoder.named_modules() if isinstance(module, BaseTunerLayer)]
    for name, module in found:
        path, _, last = name.rpartition(".")
        setattr(encoder.get_submodule(path), last, module.get_base_layer())
    encoder.__dict__.pop("peft_config", None)
    return found
