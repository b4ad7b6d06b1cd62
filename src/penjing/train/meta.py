"""First-order meta-learning: a start from which a few steps on a few rows of a few labels lead far.

For an episode of N labels with K rows each to learn from and K to be asked: phi = w after some steps of SGD on the
first, with a fresh head of N outputs that are zero. The gradient of the start w is

    reptile   (w - phi) / (rate * steps)
    fomaml    grad L(asked rows; phi)

The gradient enters the one training loop as that of the loss  sum_i w_i g_i,  g fixed; its value is that of L.

Source: Nichol, Achiam, Schulman, On First-Order Meta-Learning Algorithms, 2018 (Reptile, FOMAML); Finn, Abbeel, Levine,
Model-Agnostic Meta-Learning, 2017; the zero head: Kao, Chiu, Chen, MAML is a Noisy Contrastive Learner, 2022.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from penjing.train.batches import Budget, Ints
from penjing.train.supervised import Rows, predict

Kind = Literal["reptile", "fomaml"]


@dataclass(frozen=True)
class Episodes:
    """An Objective over a model that gives the mean state of a text, (batch, width).

    labels: position of the label of each train row; ways, shots: N and K; validation: rows with their labels, scored by
    the nearest mean of the train rows' states.
    """

    train: Rows
    labels: Sequence[int]
    validation: tuple[Rows, Sequence[int]]
    budget: Budget
    seed: int
    kind: Kind
    episodes: int
    ways: int
    shots: int
    steps: int
    rate: float

    def batches(self, epoch: int) -> list[Ints]:
        """Rows of each episode: label by label, those to learn from before those that are asked."""
        draw = random.Random(f"{self.seed}-{epoch}")
        by_label: dict[int, list[int]] = {}
        for row, label in enumerate(self.labels):
            by_label.setdefault(label, []).append(row)
        usable = sorted(label for label, rows in by_label.items() if len(rows) >= 2)
        ways = min(self.ways, len(usable))
        found = []
        for _ in range(self.episodes):
            rows: list[int] = []
            for label in draw.sample(usable, ways):
                some = draw.sample(by_label[label], min(2 * self.shots, len(by_label[label]) // 2 * 2))
                rows += some
            found.append(np.array(rows, dtype=np.int64))
        return found

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        """A loss with the value of the asked rows' loss, and the gradient of the start."""
        names, learn, ask = self._parts(rows)
        start = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        inputs, mask = self.train.load(np.concatenate([learn, ask]))
        device = next(iter(start.values())).device
        inputs, mask = inputs.to(device), mask.to(device)
        first, targets = len(learn), torch.tensor(names, device=device)
        own = {name: parameter.detach().clone().requires_grad_() for name, parameter in start.items()}
        width = model(inputs[:1], mask[:1]).shape[1]
        head = torch.zeros(int(targets.max()) + 1, width, device=device, requires_grad=True)
        for _ in range(self.steps):
            states = functional_call(model, own, (inputs[:first], mask[:first]))
            loss = functional.cross_entropy(states @ head.T, targets[:first])
            gradients = torch.autograd.grad(loss, [*own.values(), head], allow_unused=True)
            moved = [
                value if gradient is None else value - self.rate * gradient
                for value, gradient in zip([*own.values(), head], gradients, strict=True)
            ]
            own = {name: value.detach().requires_grad_() for name, value in zip(own, moved[:-1], strict=True)}
            head = moved[-1].detach().requires_grad_()
        asked = functional.cross_entropy(
            functional_call(model, own, (inputs[first:], mask[first:])) @ head.T, targets[first:]
        )
        if self.kind == "fomaml":
            found = torch.autograd.grad(asked, list(own.values()), allow_unused=True)
        else:
            found = tuple((start[name].detach() - own[name]) / (self.rate * self.steps) for name in start)
        surrogate = torch.stack(
            [
                (value * gradient.detach()).sum()
                for value, gradient in zip(start.values(), found, strict=True)
                if gradient is not None
            ]
        ).sum()
        return surrogate - surrogate.detach() + asked.detach()

    def _parts(self, rows: Ints) -> tuple[list[int], list[int], list[int]]:
        """New labels from 0 of the rows, and the rows themselves: to learn from, then asked."""
        places = {label: place for place, label in enumerate(dict.fromkeys(self.labels[row] for row in rows))}
        learn: list[int] = []
        ask: list[int] = []
        for label in places:
            own = [int(row) for row in rows if self.labels[row] == label]
            learn += own[: len(own) // 2]
            ask += own[len(own) // 2 :]
        return [places[self.labels[row]] for row in (*learn, *ask)], learn, ask

    def score(self, model: nn.Module) -> dict[str, float]:
        """The share of validation rows that the nearest mean gets right, as `accuracy`, and its negative as `loss`."""
        rows, labels = self.validation
        states = predict(model, self.train, self.budget)
        kinds = sorted(set(self.labels))
        known = np.array(self.labels)
        means = np.stack([states[known == kind].mean(axis=0) for kind in kinds])
        asked = predict(model, rows, self.budget)
        apart = ((asked[:, None, :] - means[None, :, :]) ** 2).sum(axis=2)
        right = float(np.mean(np.array(kinds)[apart.argmin(axis=1)] == np.array(labels)))
        return {"accuracy": round(right, 6), "loss": round(1 - right, 6)}
