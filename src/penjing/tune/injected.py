"""Layers of the package peft around the matrices of an encoder, and the plain encoder that has merged them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from penjing.core.errors import MissingPackageError


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
    require_peft(method).inject_adapter_in_model(config, encoder)


def merge_injected(encoder: nn.Module) -> None:
    """Merge every layer of peft into its matrix, in place: the encoder is plain again, with the same outputs."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(encoder.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge()
            path, _, last = name.rpartition(".")
            setattr(encoder.get_submodule(path), last, module.get_base_layer())
    if hasattr(encoder, "peft_config"):
        del encoder.peft_config
