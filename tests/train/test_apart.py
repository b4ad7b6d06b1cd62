"""The gradient of the penalty is that of its formula."""

from __future__ import annotations

import torch
from torch import nn

from penjing.train.apart import ApartHook
from penjing.train.hooks import Batch


class Product(nn.Module):
    """A layer with a product of rank 2 over 4 inputs, beside an earlier one of rank 3."""

    def __init__(self) -> None:
        super().__init__()
        self.lora_A = nn.ModuleDict({"default": nn.Linear(4, 2, bias=False)})
        self.earlier = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))


def test_the_gradient_is_that_of_the_penalty() -> None:
    layer = Product()
    learned = layer.lora_A["default"].weight  # type: ignore[union-attr]
    (0.3 * (layer.earlier @ learned.T).square().sum()).backward()  # type: ignore[operator]
    wanted = learned.grad.clone()  # type: ignore[union-attr, operator]
    learned.grad = torch.zeros_like(learned)  # type: ignore[arg-type]
    ApartHook(nn.Sequential(layer), 0.3).after_backward(Batch(layer, 0, lambda: torch.zeros(())))
    assert torch.allclose(learned.grad, wanted, atol=1e-6)  # type: ignore[arg-type]


def test_layers_without_an_earlier_product_stay_as_they_are() -> None:
    layer = Product()
    layer.earlier = None  # type: ignore[assignment]
    layer.lora_A["default"].weight.grad = torch.zeros(2, 4)  # type: ignore[union-attr, assignment]
    ApartHook(layer, 0.3).after_backward(Batch(layer, 0, lambda: torch.zeros(())))
    assert not layer.lora_A["default"].weight.grad.any()  # type: ignore[union-attr, operator]
