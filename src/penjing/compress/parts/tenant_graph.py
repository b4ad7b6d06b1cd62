"""The ONNX graph of a base that takes the low-rank factors A and B as inputs, and these inputs of one adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from penjing.core.errors import UsageError
from penjing.engines.export import compare, example_of, export_graph, open_plain, written_out
from penjing.engines.tenant import BASE, HIDDEN, input_names
from penjing.model.adapters import A, B, Changes
from penjing.model.encoder import Classifier, longest_input

_FIRST = ("input_ids", "attention_mask", "tenant")


class _WithProducts(nn.Module):
    """A matrix W with the products of each row's tenant: y = W x + x A B."""

    def __init__(self, plain: nn.Module) -> None:
        super().__init__()
        self.plain = plain
        self.given: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        assert self.given is not None
        tenant, down, up = self.given
        product = (states @ down.index_select(0, tenant)) @ up.index_select(0, tenant)
        found: torch.Tensor = self.plain(states) + product
        return found


class _Shared(nn.Module):
    """An encoder with such matrices: (ids, mask, tenant, A and B of each matrix) -> hidden states."""

    def __init__(self, encoder: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.encoder = encoder
        self.matrices: list[_WithProducts] = []
        for name in names:
            path, _, last = name.rpartition(".")
            inside = encoder.get_submodule(path)
            made = _WithProducts(getattr(inside, last))
            setattr(inside, last, made)
            self.matrices.append(made)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, tenant: torch.Tensor, *pairs: torch.Tensor
    ) -> torch.Tensor:
        for matrix, down, up in zip(self.matrices, pairs[::2], pairs[1::2], strict=True):
            matrix.given = (tenant, down, up)
        hidden: torch.Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden


def export_base(classifier: Classifier, names: Sequence[str], rank: int, folder: Path) -> Path:
    """Write `base.onnx` of an encoder: the same base, matrices and rank give the same bytes. The encoder is changed.

    Raises PenjingError where the graph does not compute what torch does.
    """
    path = folder / BASE
    sizes = [tuple(classifier.encoder.get_submodule(name).weight.shape) for name in names]  # type: ignore[arg-type]
    draw = torch.Generator().manual_seed(0)
    pairs = [
        torch.randn(shape, generator=draw) * 0.05
        for out, given in sizes
        for shape in ((2, given, rank), (2, rank, out))
    ]
    inputs = [each for name in names for each in input_names(name)]
    axes = {name: {0: "tenants"} for name in inputs} | {"tenant": {0: "batch"}}
    with written_out(classifier):
        model = _Shared(classifier.encoder, names).eval()
        ids, mask = example_of(classifier, 2, 8)
        example = (ids, mask, torch.tensor([1, 0]), *pairs)
        export_graph(model, example, path, (*_FIRST, *inputs), (HIDDEN,), axes=axes)
        _check(model, classifier, path, inputs, pairs)
    return path


def products(
    changes: Changes, names: Sequence[str], rank: int, like: Mapping[str, tuple[int, ...]]
) -> Mapping[str, npt.NDArray[np.float32]]:
    """The inputs of one adapter by name: A (in, rank), B (rank, out), padded with zeros; all zeros where it has none.

    like: the shape (out, in) of each matrix. Raises UsageError for a larger rank.
    """
    found: dict[str, npt.NDArray[np.float32]] = {}
    for name in names:
        down_name, up_name = input_names(name)
        out, given = like[name]
        found[down_name], found[up_name] = np.zeros((given, rank), np.float32), np.zeros((rank, out), np.float32)
        if f"{name}.weight:{A}" not in changes:
            continue
        down, up = changes[f"{name}.weight:{A}"].numpy(), changes[f"{name}.weight:{B}"].numpy()
        if len(down) > rank:
            raise UsageError(
                f"the adapter has rank {len(down)}, and the shared file {rank}",
                where="rank",
                fix=f"set `rank: {len(down)}` or more, the same for all services of the base",
            )
        found[down_name][:, : len(down)], found[up_name][: len(down)] = down.T, up.T
    return found


def _check(
    model: _Shared, classifier: Classifier, path: Path, inputs: Sequence[str], pairs: Sequence[torch.Tensor]
) -> None:
    session = open_plain(path)
    stacks = {name: pair.numpy() for name, pair in zip(inputs, pairs, strict=True)}
    for rows, length in ((1, 5), (3, 21)):
        ids, mask = example_of(classifier, rows, min(length, longest_input(classifier.encoder)))
        tenant = torch.arange(rows) % 2
        with torch.inference_mode():
            wanted = model(ids, mask, tenant, *pairs)
        given = dict(zip(_FIRST, (ids.numpy(), mask.numpy(), tenant.numpy()), strict=True))
        (found,) = session.run(None, given | stacks)
        # The states of padding have no meaning.
        real = mask.bool()
        compare(found[real.numpy()], wanted[real], rows, length)
