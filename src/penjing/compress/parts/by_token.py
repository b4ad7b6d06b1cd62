"""A student's objective where answers are about pieces of a text: the teacher's outputs of every token, or every place.

    token:  mean over the tokens t of  (1 - a_t) soft(student_t, teacher_t) + a_t hard(student_t, gold_t)
    span:   the same over the starts and the ends of the texts, each one choice among all places of a text
    + r relations + h hidden   (train/states)

soft is T^2 KL(softmax(teacher / T) || softmax(student / T)) or the centred form, hard the loss of the task
(train/losses); a_t is the weight of gold where a token, or a text, has gold, else 0. Padding, special tokens and the
tokens of a question do not count, except the first token of a span, which stands for "no answer". The teacher runs on
every batch, on the same tokens: its outputs of all tokens of all texts would not fit into memory.

Sources: Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015; Wang, Jiang, Bach and others,
Structure-Level Knowledge Distillation For Multilingual Sequence Labeling, 2020 (the token-level form); Sanh, Debut,
Chaumond, Wolf, DistilBERT, 2019 (a teacher's starts and ends of answers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn

from penjing.compress.parts.targets import Comparison, teacher_loss, weighted_mean
from penjing.core.errors import UsageError
from penjing.core.nouns import Table
from penjing.core.task import IGNORED, Head, PairReader, Task
from penjing.model.encoder import Classifier
from penjing.text.tokens import encode
from penjing.train.batches import Budget, Ints, epoch_batches
from penjing.train.losses import hard_loss
from penjing.train.rows import read_rows
from penjing.train.states import hidden_loss, relation_loss, watching
from penjing.train.supervised import IdRows, TargetRows, predict_outputs, score_outputs

# The output of a span head at a place that does not count: finite, so that nothing becomes infinite.
_NEVER = -1e4


@dataclass(frozen=True)
class Shares:
    """How the parts of the loss count; each as in the options of `compress.distill`."""

    temperature: float
    gold: float
    form: Comparison
    relations: float = 0.0
    hidden: float = 0.0


@dataclass(frozen=True)
class TokenTargets:
    """Rows that a student learns from: which tokens of each count, and its gold by head.

    within: of each row whether a token is a piece of the text, (tokens,); targets: as `Task.encode` gives them, IGNORED
    where a row has none.
    """

    rows: IdRows
    within: Sequence[npt.NDArray[np.bool_]]
    targets: Mapping[str, Sequence[Any]]

    @classmethod
    def of(
        cls, task: Task, tokenizer: Tokenizer, train: Table, further: Sequence[str], limit: int, padding: int
    ) -> TokenTargets:
        """The rows of the train table, and those of further texts, which have no gold."""
        read = read_rows(task, tokenizer, train, limit)
        more = encode(tokenizer, list(further), limit)
        places = [*(item.offsets for item in read.items), *more.places]
        targets = {name: list(values) for name, values in task.encode(read.golds, read.items).items()}
        for name, head in task.heads.items():
            for row in more.ids:
                size = 2 if head.kind == "span" else len(row)
                targets[name].append(np.full(size, IGNORED, dtype=np.int64))
        within = [np.asarray(one)[:, 1] > np.asarray(one)[:, 0] for one in places]
        return cls(IdRows([*read.encoded.ids, *more.ids], padding), within, targets)

    def counted(self, kind: str, rows: Ints, width: int) -> torch.Tensor:
        """Which tokens of these rows count for a kind of head, (batch, width)."""
        found = torch.zeros(len(rows), width, dtype=torch.bool)
        for place, row in enumerate(rows.tolist()):
            found[place, : len(self.within[row])] = torch.from_numpy(self.within[row])
        if kind == "span":
            found[:, 0] = True
        return found


@dataclass(frozen=True)
class TokenDistill:
    """An Objective: rows with gold for some of their tokens, a teacher that answers every one, and validation rows."""

    task: Task
    train: TokenTargets
    validation: TargetRows
    teacher: Classifier
    shares: Shares
    budget: Budget
    seed: int

    def batches(self, epoch: int) -> list[Ints]:
        return epoch_batches(self.train.rows.lengths, self.budget, self.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        device, shares = next(model.parameters()).device, self.shares
        ids, mask = (each.to(device) for each in self.train.rows.load(rows))
        teacher = self.teacher.to(device)
        if not shares.relations and not shares.hidden:
            with torch.no_grad():
                wanted = teacher(ids, mask)
            return self._against(model(ids, mask), wanted, rows)
        assert isinstance(model, Classifier)
        with watching(teacher) as before, torch.no_grad():
            wanted = teacher(ids, mask)
        with watching(model) as after:
            loss = self._against(model(ids, mask), wanted, rows)
        if shares.relations:
            loss = loss + shares.relations * relation_loss(before, after, mask)
        if shares.hidden:
            loss = loss + shares.hidden * hidden_loss(before, after, mask)
        return loss

    def _against(self, found: Any, wanted: Any, rows: Ints) -> torch.Tensor:
        """The loss of outputs against the teacher's, summed over the heads with their weights."""
        if isinstance(found, torch.Tensor):
            found, wanted = (dict.fromkeys(self.task.heads, each) for each in (found, wanted))
        losses = [
            head.weight * self._of_head(name, head, found[name].float(), wanted[name].float(), rows)
            for name, head in self.task.heads.items()
        ]
        return torch.stack(losses).sum()

    def _of_head(self, name: str, head: Head, found: torch.Tensor, wanted: torch.Tensor, rows: Ints) -> torch.Tensor:
        counted = self.train.counted(head.kind, rows, found.shape[1]).to(found.device)
        gold = [torch.as_tensor(self.train.targets[name][row]).to(found.device) for row in rows.tolist()]
        if head.kind == "token":
            own = torch.full(counted.shape, IGNORED, dtype=torch.int64, device=found.device)
            for place, each in enumerate(gold):
                own[place, : len(each)] = each
            mine, other, targets = found[counted], wanted[counted], own[counted]
        else:
            mine, other = (
                each.masked_fill(~counted[:, :, None], _NEVER).transpose(1, 2).flatten(0, 1) for each in (found, wanted)
            )
            targets = torch.stack(gold).flatten()
        shares = self.shares
        soft = teacher_loss(head.loss, mine, other, shares.temperature, shares.form)
        hard = hard_loss(head.loss, mine, targets, reduction="none")
        return weighted_mean(soft, hard, targets != IGNORED, shares.gold)

    def score(self, model: nn.Module) -> dict[str, float]:
        outputs = predict_outputs(model, self.validation.rows, self.task.heads, self.budget)
        return score_outputs(self.task, outputs, self.validation)


def validation_rows(task: Task, tokenizer: Tokenizer, table: Table, limit: int, padding: int) -> TargetRows:
    """Labelled rows on which a student is scored while it learns."""
    read = read_rows(task, tokenizer, table, limit)
    return TargetRows.of(task, IdRows(list(read.encoded.ids), padding), read.golds, read.items)


def check_several_texts(step: str, task: Task) -> None:
    """Raise UsageError for a task that compares two texts as a whole: of such cases there are no altered copies."""
    if isinstance(task, PairReader) and all(head.kind == "pooled" for head in task.heads.values()):
        raise UsageError(
            f"`{step}` does not support the task {task.name}: its model does not compare two texts",
            fix="leave the step out, or take another one",
        )


def check_same_tokens(*, same: bool) -> None:
    """Raise UsageError unless student and teacher have the same tokens: they are compared token by token."""
    if not same:
        raise UsageError(
            "the student cuts texts into other tokens than its teacher, so their answers cannot be compared by token",
            fix="name a base with the same tokenizer, and put `compress.vocabulary` after `compress.distill`",
        )
