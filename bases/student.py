"""What a student learns: the objective of the house's training loop, over stored teacher states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from teacher import Store
from torch import nn

from penjing.model.heads import mean_pool
from penjing.model.layers import heads_of
from penjing.pretrain.parts.distil_losses import Spread, pooled_loss, similarity_loss, token_loss
from penjing.train.batches import Budget, Ints, epoch_batches, pad_ids, sorted_batches
from penjing.train.hooks import Hook, Moment
from penjing.train.states import States, relation_loss, watching


class Student(nn.Module):
    """An encoder and, where the widths differ, the linear map from its width to the teacher's; it is not kept."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        mine = int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.map = nn.Identity() if mine == width else nn.Linear(mine, width)


@dataclass
class Distilling:
    """The loop's objective. store: of train rows, then held-out rows; rows: train rows; held: held-out rows.

    lower: place in the store of the states from which a student with frozen lower layers starts, or None.
    """

    store: Store
    rows: Ints
    held: Ints
    spread: Spread
    last: nn.Module
    seed: int = 0
    budget: Budget = field(default_factory=lambda: Budget(256, 4096))
    lower: int | None = None
    weights: dict[str, float] = field(default_factory=lambda: {"tokens": 1.0, "pooled": 1.0, "similarity": 1.0})

    def __post_init__(self) -> None:
        self.lengths = np.asarray([len(self.store.ids[row]) for row in self.rows])

    def batches(self, epoch: int) -> list[Ints]:
        found = epoch_batches(self.lengths, self.budget, self.seed, epoch)
        return [self.rows[batch] for batch in found if len(batch) > 1]

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        return sum((self.weights[name] * part for name, part in self.parts(model, rows).items()), torch.zeros(()))

    def parts(self, model: Any, rows: Ints) -> dict[str, torch.Tensor]:
        ids, mask = pad_ids([self.store.ids[row].astype(np.int64) for row in rows], 1)
        wanted = self.store.states(rows, 2)
        with watching(model) as states:
            if self.lower is None:
                hidden = model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            else:
                given = self.store.states(rows, self.lower)
                hidden = model.encoder(inputs_embeds=given, attention_mask=mask).last_hidden_state
        mapped = model.map(hidden)
        # A last layer of the teacher's width gives the teacher's states themselves, so its map is in their units.
        standard = (
            mapped
            if hidden.shape[2] != wanted.shape[2]
            else (mapped - self.spread.token_mean) / self.spread.token_spread
        )
        found = {
            "tokens": token_loss(standard, wanted, mask, self.spread),
            "pooled": pooled_loss(standard, wanted, mask, self.spread),
            "similarity": similarity_loss(mean_pool(hidden, mask), mean_pool(wanted, mask)),
        }
        if self.weights.get("relations"):
            with torch.no_grad():
                below = self.store.states(rows, 1)
                teacher = States([matrix(below) for matrix in heads_of(self.last)[1]], wanted)
            found["relations"] = relation_loss(teacher, states, mask)
        return found

    @torch.no_grad()
    def score(self, model: nn.Module) -> dict[str, float]:
        total: dict[str, float] = {}
        batches = [
            self.held[batch]
            for batch in sorted_batches(np.asarray([len(self.store.ids[row]) for row in self.held]), self.budget)
        ]
        for rows in batches:
            for name, part in self.parts(model, rows).items():
                total[name] = total.get(name, 0.0) + float(part) * len(rows) / len(self.held)
        return {"loss": sum(self.weights[name] * value for name, value in total.items()), **total}


class Curve(Hook):
    """Writes a line of the curve every `every` steps, and the weights for the probes every `keep` steps."""

    def __init__(self, objective: Distilling, write: Any, keep: Any, every: int = 50, each: int = 300) -> None:
        self.objective, self.write, self.keep, self.every, self.each = objective, write, keep, every, each
        self.losses: list[float] = []

    def after_step(self, moment: Moment) -> None:
        self.losses.append(moment.loss)
        if moment.step % self.every == 0 or moment.step == 1:
            scores: dict[str, float] = {}
            if moment.step % (4 * self.every) == 0 or moment.step == 1:
                moment.model.eval()  # type: ignore[union-attr]
                with torch.no_grad():
                    scores = self.objective.score(moment.model)  # type: ignore[arg-type]
                moment.model.train()  # type: ignore[union-attr]
            self.write({"step": moment.step, "total": moment.total, "train": float(np.mean(self.losses)), **scores})
            self.losses = []
        if moment.step % self.each == 0:
            self.keep(moment.step, moment.model)


def fit_map(student: Student, objective: Distilling, rows: Ints) -> None:
    """Set the map by least squares, from the student's states as they are to the teacher's in units of their spread.

    From a random map the first hundreds of steps undo what the cut student knows.
    """
    given, wanted = [], []
    with torch.no_grad():
        for batch in np.array_split(rows, max(1, len(rows) // 32)):
            ids, mask = pad_ids([objective.store.ids[row].astype(np.int64) for row in batch], 1)
            hidden = student.encoder(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
            target = objective.store.states(batch, 2)[mask.bool()]
            given.append(torch.cat([hidden, torch.ones(len(hidden), 1)], 1))
            wanted.append((target - objective.spread.token_mean) / objective.spread.token_spread)
        left, right = torch.cat(given), torch.cat(wanted)
        solved = torch.linalg.solve(left.T @ left + 10 * torch.eye(left.shape[1]), left.T @ right)
        student.map.weight.copy_(solved[:-1].T)
        student.map.bias.copy_(solved[-1])


def spread_of(store: Store, rows: Sequence[int], place: int = 2) -> Spread:
    """The spread of the teacher's states over these texts."""
    states = store.states(np.asarray(rows), place)
    mask = torch.zeros(states.shape[:2])
    for index, row in enumerate(rows):
        mask[index, : len(store.ids[row])] = 1
    from penjing.pretrain.parts.distil_losses import measure_spread

    return measure_spread(states, mask)
