"""A network with the heads of its objectives, as one module that the loop trains."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from penjing.model.block_attention import attention_inputs
from penjing.pretrain.parts.batch import TextBatch


class NetworkWithHeads(nn.Module):
    """model: a network of any family; heads: the modules of the objectives, by the name of the objective."""

    def __init__(self, model: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.model = model
        self.heads = nn.ModuleDict(dict(heads))
        self._types = takes_types(model)

    @property
    def config(self) -> Any:
        """The configuration of the network."""
        return self.model.config

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def embeddings(self) -> torch.Tensor:
        """The table of token embeddings, (entries, width)."""
        return self.model.get_input_embeddings().weight  # type: ignore[operator, no-any-return]

    def states(self, batch: TextBatch, *, gold: bool = False) -> torch.Tensor:
        """Last hidden states (rows, tokens, width) of an encoder or a decoder. gold: of the unchanged ids."""
        return self.read(self.tensor(batch.gold if gold else batch.ids), batch)

    def read(self, ids: torch.Tensor, batch: TextBatch) -> torch.Tensor:
        """The same for other ids (rows, tokens) in the places of a batch."""
        given = self.places(batch)
        inner = self.model.base_model if hasattr(self.model, "base_model") else self.model
        return inner(input_ids=ids, **given).last_hidden_state  # type: ignore[operator, no-any-return]

    def places(self, batch: TextBatch) -> dict[str, Any]:
        """Attention mask, positions and segments of a batch, as the network takes them."""
        given = attention_inputs(self.config, self.tensor(batch.documents))
        if self._types and batch.types.any():
            given["token_type_ids"] = self.tensor(batch.types)
        return given

    def tensor(self, values: Any) -> torch.Tensor:
        """A numpy array on the device of the weights."""
        return torch.from_numpy(values).to(self.device)


def takes_types(model: nn.Module) -> bool:
    """Whether the network reads the segments of a pair."""
    known = "token_type_ids" in inspect.signature(model.forward).parameters
    return known and int(getattr(model.config, "type_vocab_size", 0)) > 1
