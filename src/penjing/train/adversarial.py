"""Adversarial training: the loss of inputs that are changed a little in the direction in which it grows most.

    e_i: the embeddings of text i, (tokens, width);   g_i = d loss / d e_i;   |.| over tokens and width
    fgm      gradient = grad L(e) + grad L(e + r),   r_i = epsilon |e_i| g_i / |g_i|
    freelb   gradient = 1/K sum over k of grad L(e + r_k),   r_1 uniform with |r_1| <= epsilon |e_i|,
             r_{k+1} = r_k + (epsilon |e_i| / K) g_k / |g_k|,   shortened to the length epsilon |e_i|

`epsilon` is a share of the length of the embeddings of a text, so that it means the same for bases of any width. (The
sources give lengths: Miyato's 5 for 400 normalised embeddings of 256 numbers is a share of 0.016.) K is the option
`adversarial_steps`; all K passes of FreeLB have the same dropout. Where the lower layers are computed once (`layers` is
not `all`), e_i are the hidden states that the trained layers get.

Source: Miyato, Dai, Goodfellow, Adversarial Training Methods for Semi-Supervised Text Classification, 2017 (fgm); Zhu
and others, FreeLB: Enhanced Adversarial Training for Natural Language Understanding, 2020.
When: an encoder of many layers and few rows, as in the sources. It costs one more pass (fgm) or K - 1 more (freelb)
a batch. When not: small encoders and short trainings; a share of 0.05 made `penjing/nano` on 500 rows worse
(bench/results/steady.json).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from penjing.model.fields import inner
from penjing.train.hooks import Batch, Hook, Moment
from penjing.train.numerics import random_state, set_random_state

Attack = Literal["fgm", "freelb"]


@dataclass
class _OnePass:
    """One forward pass of the encoder: the change of its inputs, (batch, tokens, width), and the length of each."""

    change: torch.Tensor
    limit: torch.Tensor


@dataclass
class _StepPasses:
    """The changes of the forward passes of one computation of the loss, in the order of the passes."""

    wanted: list[torch.Tensor] = field(default_factory=list)
    passes: list[_OnePass] = field(default_factory=list)
    mask: torch.Tensor | None = None
    on: bool = False


class AdversarialHook(Hook):
    """Adds the gradient of the changed inputs to that of each batch (fgm), or replaces it by that of K passes."""

    def __init__(self, model: nn.Module, attack: Attack, epsilon: float, steps: int, device: str = "cpu") -> None:
        """model: a classifier, or its top part over hidden states; it is watched from now on."""
        self._attack, self._epsilon, self._steps, self._device = attack, epsilon, steps, device
        self._random: dict[str, torch.Tensor] = {}
        self._watched = _StepPasses()
        encoder = inner(model).encoder
        assert isinstance(encoder, nn.Module)
        encoder.register_forward_pre_hook(self._see_mask, with_kwargs=True)
        _inputs_of(encoder).register_forward_hook(self._change)

    def before_step(self, batch: Batch) -> None:  # noqa: ARG002
        self._watched = _StepPasses(on=True)
        self._random = random_state(self._device)

    def after_backward(self, batch: Batch) -> None:
        if self._attack == "fgm":
            self._again(batch, [_along(one, one.limit) for one in self._watched.passes])
        else:
            for _ in range(self._steps - 1):
                set_random_state(self._random)
                self._again(batch, [self._climbed(one) for one in self._watched.passes])
            _scale(batch.model, 1 / self._steps)
        self._watched = _StepPasses()

    def after_step(self, moment: Moment) -> None:  # noqa: ARG002
        self._watched = _StepPasses()

    def _again(self, batch: Batch, wanted: list[torch.Tensor]) -> None:
        self._watched = _StepPasses(wanted=wanted, on=True)
        batch.add_gradient()

    def _climbed(self, one: _OnePass) -> torch.Tensor:
        moved = one.change.detach() + _along(one, one.limit / self._steps)
        lengths = _lengths(moved)
        return torch.where(lengths > one.limit, moved * (one.limit / lengths.clamp(min=1e-12)), moved)

    def _see_mask(self, _module: nn.Module, _given: Any, named: Mapping[str, Any]) -> None:
        self._watched.mask = named.get("attention_mask")

    def _change(self, _module: nn.Module, _given: Any, output: torch.Tensor) -> torch.Tensor:
        """The inputs of the encoder with the change that is wanted for this pass: another one for each pass."""
        watched = self._watched
        if not watched.on or not torch.is_grad_enabled():
            return output
        real = _real(watched.mask, output)
        limit = self._epsilon * _lengths(output.detach() * real)
        # Drawn in every pass, also where it is not used: the dropout that is drawn after it is the same in all.
        change = _drawn(output, real, limit) if self._attack == "freelb" else torch.zeros_like(output)
        place = len(watched.passes)
        if place < len(watched.wanted):
            change = watched.wanted[place].to(output.dtype)
        change = change.detach().requires_grad_(True)
        watched.passes.append(_OnePass(change, limit))
        return output + change


def _inputs_of(encoder: nn.Module) -> nn.Module:
    """What gives the encoder its inputs: the table of its tokens, or what passes hidden states on."""
    embeddings = getattr(encoder, "embeddings", None)
    if isinstance(embeddings, nn.Module) and next(embeddings.parameters(), None) is None:
        return embeddings
    table = encoder.get_input_embeddings()  # type: ignore[operator]
    assert isinstance(table, nn.Module)
    return table


def _real(mask: torch.Tensor | None, output: torch.Tensor) -> torch.Tensor:
    """1 for tokens and 0 for padding, (batch, tokens, 1)."""
    if mask is None or mask.shape != output.shape[:2]:
        return torch.ones_like(output[:, :, :1])
    return mask[:, :, None].to(output.dtype)


def _drawn(output: torch.Tensor, real: torch.Tensor, limit: torch.Tensor) -> torch.Tensor:
    """A uniform change of at most that length: every number of n is within limit / sqrt(n)."""
    count = real.sum(dim=(1, 2), keepdim=True).clamp(min=1) * output.shape[2]
    # Drawn on the CPU, so that the state of one generator decides it on every device.
    drawn = torch.rand(output.shape).to(output.device, output.dtype) * 2 - 1
    return drawn * real * limit / count.sqrt()


def _along(one: _OnePass, length: torch.Tensor) -> torch.Tensor:
    """A change of that length in the direction in which the loss grows; none where it does not depend on it."""
    gradient = one.change.grad
    if gradient is None:
        return torch.zeros_like(one.change)
    found: torch.Tensor = gradient * (length / _lengths(gradient).clamp(min=1e-12))
    return found


def _lengths(values: torch.Tensor) -> torch.Tensor:
    """The length of each row over tokens and width, (batch, 1, 1)."""
    return values.square().sum(dim=(1, 2), keepdim=True).sqrt()


def _scale(model: nn.Module, share: float) -> None:
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(share)
