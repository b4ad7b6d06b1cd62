"""The objective of any task: the losses of its heads summed, and its own metrics on validation.

    loss = sum over the heads of weight * mean over the batch of the head's loss   (train/losses)

A pooled head has one row per text. A token head has one row per token without padding. A span head has two rows per
text: one over the positions where a span may start, one over those where it may end. Validation is scored as after
training: the task is calibrated on these outputs, decodes them, and counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from penjing.core.task import Head, Item, Task
from penjing.tasks.measure import measure_outputs, metric_names
from penjing.train.batches import Budget, Ints, epoch_batches, pad_ids, sorted_batches
from penjing.train.criteria import Criterion
from penjing.train.losses import hard_loss

# The loss for outputs that are not finite, which no task can decode.
_LOST = 1e9
# The output of a span head for padding: a finite number, so that smoothing does not become infinite.
_NEVER = -1e4


class Rows(Protocol):
    """Texts as inputs of a model: `load` gives (ids or hidden states, attention mask) of those rows, padded."""

    @property
    def lengths(self) -> Ints: ...
    def load(self, rows: Ints) -> tuple[torch.Tensor, torch.Tensor]: ...


@dataclass(frozen=True)
class IdRows:
    """Texts as token ids; padding: the id of the padding token."""

    ids: list[Ints]
    padding: int

    @property
    def lengths(self) -> Ints:
        return np.fromiter((len(row) for row in self.ids), dtype=np.int64, count=len(self.ids))

    def load(self, rows: Ints) -> tuple[torch.Tensor, torch.Tensor]:
        return pad_ids([self.ids[row] for row in rows], self.padding)


@dataclass(frozen=True)
class FieldRows:
    """Rows with the numbers of their declared fields, (n, size) float32, which the model takes too."""

    rows: Rows
    features: npt.NDArray[np.float32]

    @property
    def lengths(self) -> Ints:
        return self.rows.lengths

    def load(self, rows: Ints) -> tuple[torch.Tensor, torch.Tensor]:
        return self.rows.load(rows)


@dataclass(frozen=True)
class TargetRows:
    """Rows with the gold and the item of each, and the targets by head from `Task.encode`."""

    rows: Rows
    golds: Sequence[str]
    items: Sequence[Item]
    targets: Mapping[str, Any]

    @classmethod
    def of(cls, task: Task, rows: Rows, golds: Sequence[str], items: Sequence[Item] = ()) -> TargetRows:
        """The rows with the task's targets for their gold. Raises DataError for gold that the task does not know."""
        return cls(rows, golds, items, task.encode(golds, items))


class Through(Protocol):
    """How a batch goes through a model, where it is not once: gives the loss of an objective for these rows."""

    def __call__(self, objective: Supervised, model: nn.Module, rows: Ints) -> torch.Tensor: ...


@dataclass(frozen=True)
class Supervised:
    """An Objective over rows with gold; `smoothing` is that of cross entropy.

    criterion: another loss than that of the task, of the train rows alone. through: another way through the model.
    """

    task: Task
    train: TargetRows
    validation: TargetRows
    budget: Budget
    seed: int
    smoothing: float = 0.0
    criterion: Criterion | None = None
    through: Through | None = None

    def batches(self, epoch: int) -> list[Ints]:
        return epoch_batches(self.train.rows.lengths, self.budget, self.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        if self.through is not None:
            return self.through(self, model, rows)
        outputs, mask = self.outputs(model, rows)
        return self.loss_of(outputs, mask, rows)

    def outputs(self, model: nn.Module, rows: Ints) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """The outputs of train rows, one float32 tensor per head, and their mask."""
        outputs, mask = run_model(model, self.train.rows, rows)
        return tuple(found.float() for found in outputs), mask

    def loss_of(self, outputs: Sequence[torch.Tensor], mask: torch.Tensor, rows: Ints) -> torch.Tensor:
        """The loss of outputs by head against the targets of these rows, with `mask` that of the outputs."""
        losses = []
        for (name, head), found in zip(self.task.heads.items(), outputs, strict=True):
            flat, targets = self.flat(name, found, mask, rows)
            if self.criterion is None:
                loss = hard_loss(head.loss, flat, targets, self.smoothing)
            else:
                loss = self.criterion(name, head.loss, flat, targets)
            losses.append(_weighed(head, loss))
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    def flat(
        self, name: str, outputs: torch.Tensor, mask: torch.Tensor, rows: Ints
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Outputs of a head as rows (N, C), and their targets."""
        targets = _targets_of(self.train.targets[name], rows, outputs.device)
        return flat_rows(self.task.heads[name], outputs, targets, mask)

    def score(self, model: nn.Module) -> dict[str, float]:
        outputs = predict_outputs(model, self.validation.rows, self.task.heads, self.budget)
        return score_outputs(self.task, outputs, self.validation)


def _weighed(head: Head, loss: torch.Tensor) -> torch.Tensor:
    return loss if head.weight == 1 else head.weight * loss


def flat_rows(
    head: Head, outputs: torch.Tensor, targets: Sequence[torch.Tensor], mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs as rows (N, C) that each have one target: of texts, of tokens, or of starts and ends.

    outputs: (batch, size) or (batch, tokens, size); targets: one per row; mask: (batch, tokens).
    """
    if head.kind == "pooled":
        return outputs, torch.stack(list(targets))
    if head.kind == "token":
        return outputs[mask.bool()], torch.cat(list(targets))
    places = outputs.masked_fill(mask[:, :, None] == 0, _NEVER).transpose(1, 2).flatten(0, 1)
    return places, torch.stack(list(targets)).flatten()


def score_outputs(task: Task, outputs: Mapping[str, Any], labelled: TargetRows) -> dict[str, float]:
    """The task's metrics and `loss` of outputs by head; all metrics are 0 if an output is not finite."""
    flat = [np.concatenate([np.ravel(part) for part in found] or [np.zeros(0)]) for found in outputs.values()]
    if not all(np.isfinite(values).all() for values in flat):
        return dict.fromkeys(metric_names(task), 0.0) | {"loss": _LOST}
    loss = sum(
        head.weight * _outputs_loss(head, outputs[name], labelled.targets[name]) for name, head in task.heads.items()
    )
    found = measure_outputs(task, outputs, task.plain(), labelled.golds, labelled.items)
    return found | {"loss": round(loss, 6)}


def _outputs_loss(head: Head, outputs: Any, targets: Any) -> float:
    if head.kind == "pooled":
        return hard_loss(head.loss, torch.from_numpy(outputs), torch.from_numpy(np.asarray(targets))).item()
    if head.kind == "token":
        found = torch.from_numpy(np.concatenate(outputs))
        return hard_loss(head.loss, found, torch.from_numpy(np.concatenate(targets))).item()
    rows = [
        hard_loss(head.loss, torch.from_numpy(one).T, torch.from_numpy(np.asarray(target))).item()
        for one, target in zip(outputs, targets, strict=True)
    ]
    return float(np.mean(rows))


def _targets_of(targets: Any, rows: Ints, device: torch.device) -> list[torch.Tensor]:
    return [torch.as_tensor(targets[row]).to(device) for row in rows]


def run_model(model: nn.Module, rows: Rows, index: Ints) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
    """The outputs of those rows, one tensor per head in their order, and their mask, on the model's device."""
    device = next(model.parameters()).device
    inputs, mask = (part.to(device) for part in rows.load(index))
    given = [torch.from_numpy(rows.features[index]).to(device)] if isinstance(rows, FieldRows) else []
    found = model(inputs, mask, *given)
    return (found,) if isinstance(found, torch.Tensor) else tuple(found.values()), mask


def forward(model: nn.Module, rows: Rows, index: Ints) -> torch.Tensor:
    """The outputs of all pooled heads side by side, (batch, sum of sizes), on the model's device."""
    outputs, _ = run_model(model, rows, index)
    return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)


def predict(model: nn.Module, rows: Rows, budget: Budget) -> npt.NDArray[np.float32]:
    """As `forward`, (n, sum of sizes), of all rows in their order; the model must be in evaluation mode."""
    parts: list[tuple[Ints, npt.NDArray[np.float32]]] = []
    with torch.inference_mode():
        for index in sorted_batches(rows.lengths, budget):
            parts.append((index, forward(model, rows, index).float().cpu().numpy()))
    table = np.empty((len(rows.lengths), parts[0][1].shape[1]), dtype=np.float32)
    for index, values in parts:
        table[index] = values
    return table


def predict_outputs(model: nn.Module, rows: Rows, heads: Mapping[str, Head], budget: Budget) -> dict[str, Any]:
    """Outputs by head of all rows in their order, as `Task.decode` takes them; the model in evaluation mode."""
    found: dict[str, list[Any]] = {name: [None] * len(rows.lengths) for name in heads}
    with torch.inference_mode():
        for index in sorted_batches(rows.lengths, budget):
            outputs, _ = run_model(model, rows, index)
            for (name, head), values in zip(heads.items(), outputs, strict=True):
                table = values.float().cpu().numpy()
                for row, one in zip(index, table, strict=True):
                    found[name][row] = one if head.kind == "pooled" else one[: rows.lengths[row]]
    return {name: np.stack(found[name]) if head.kind == "pooled" else found[name] for name, head in heads.items()}
