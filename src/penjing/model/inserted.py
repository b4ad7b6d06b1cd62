"""What tuning has put into an encoder for good (adapters, prefixes, a soft prompt), as its config.json names it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from penjing.core.errors import UsageError
from penjing.model.bottleneck import ADAPTERS, put_adapters
from penjing.model.prefix import PREFIX, put_prefixes
from penjing.model.prompt import PROMPT, empty_prompt

# Key in config.json -> what puts it into a plain encoder.
INSERTED: Mapping[str, Callable[[nn.Module, Any], None]] = {
    ADAPTERS: put_adapters,
    PREFIX: put_prefixes,
    PROMPT: empty_prompt,
}
_METHODS = {ADAPTERS: "tune.adapter", PREFIX: "tune.prefix", PROMPT: "tune.prompt"}
# The list within the value of a key that has one number a layer.
_BY_LAYER = {ADAPTERS: "sizes", PREFIX: "counts"}


def inserted_in(config: Any) -> list[str]:
    """The keys of what is in an encoder with this configuration."""
    return [key for key in INSERTED if getattr(config, key, None)]


def put_in(encoder: nn.Module) -> None:
    """Put new parameters into an encoder, in place, where its configuration has them.

    Raises AttributeError, KeyError, TypeError or ValueError for a configuration that does not fit the encoder.
    """
    for key in inserted_in(encoder.config):
        INSERTED[key](encoder, getattr(encoder.config, key))


def keep_inserted(config: Any, kept: Sequence[int]) -> None:
    """Change a configuration, in place, for an encoder of only those layers."""
    for key, name in _BY_LAYER.items():
        if where := getattr(config, key, None):
            changed = copy.deepcopy(where)
            changed[name] = [where[name][place] for place in kept]
            setattr(config, key, changed)


def check_plain(encoder: nn.Module, method: str) -> None:
    """Raise UsageError for an encoder that has something of these already."""
    for key in inserted_in(encoder.config):
        raise UsageError(
            f"`{method}` starts from a plain encoder, and `{_METHODS[key]}` has changed this one",
            fix="start from the base, or train this one further with `tune.full` or `tune.bitfit`",
        )
