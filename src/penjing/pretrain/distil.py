"""Distillation of an encoder: a small one learns the states of a larger one on texts without labels.

    minimise  a tokens + b pooled + c similarity + d relations        (pretrain/parts/distil_losses)

tokens, pooled: the teacher's token states and pooled states in units of their own spread, through a linear map that is
thrown away where the widths differ. similarity: which other texts of the batch are near. relations: how the queries,
keys and values of the last layer relate to each other.

Source: Wang and others, MiniLMv2, 2021; Jiao and others, TinyBERT, 2020; Fang and others, SEED, 2021.
When: a base of your own that is smaller than a good one, from a student cut from it (its lowest and its highest layers)
or from scratch; texts like those of the later tasks. When not: a model that is tuned already (`compress.distill`), or a
teacher with another tokenizer than the student's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import nn

from penjing.core.errors import DataError, UsageError
from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.model.heads import mean_pool
from penjing.model.pretrained import load_network
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.distil_losses import (
    Spread,
    measure_spread,
    pooled_loss,
    similarity_loss,
    token_loss,
)
from penjing.pretrain.parts.grow import grow
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.term import Kit, Term
from penjing.text.tokens import open_tokenizer
from penjing.train.states import States, relation_loss, watching

FAMILIES: tuple[Family, ...] = ("encoder",)
TEACHER = "teacher"
# Pieces of text from which the spread of the teacher's states is measured: with 256 it is known to some 5 %.
_SPREAD_PIECES = 256
# Below this share of common entries the tokens of the two are not the same units.
_COMMON = 0.9


class Options(LoopOptions):
    """The options of `pretrain.distil`."""

    token_weight: float = Field(1.0, ge=0, le=100, description="weight of the token states")
    pooled_weight: float = Field(1.0, ge=0, le=100, description="weight of the pooled states")
    similarity_weight: float = Field(1.0, ge=0, le=100, description="weight of the similarities within a batch")
    relation_weight: float = Field(1.0, ge=0, le=100, description="weight of the last layer's relations")
    temperature: float = Field(0.05, gt=0, le=10, description="temperature of the similarities")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the encoder `inputs.parent` towards `inputs.teachers["teacher"]` on `inputs.corpora`.

    Raises UsageError without a teacher, for a teacher with other tokens, and as `grow`.
    """
    return grow("distil", inputs, options, run, [("distil", 1.0, options)], {"distil": TeacherStates})


def check_teacher(given: Collection[str]) -> None:
    """Raise UsageError where no teacher is named. given: the names under `teachers:` in the recipe."""
    if TEACHER not in given:
        fix = "name the larger base under `teachers:` in the recipe, as `teacher`"
        raise UsageError("`pretrain.distil` was given no teacher", fix=fix)


class TeacherStates(Term):
    """The term of the loss above; the teacher reads every batch too."""

    packs = False

    def __init__(self, kit: Kit, options: Options) -> None:
        self.options = options
        check_teacher(kit.inputs.teachers)
        teacher = kit.inputs.teachers[TEACHER]
        self.teacher = load_network(teacher).to(kit.run.device).requires_grad_(requires_grad=False).eval()
        rows = len(self.teacher.get_input_embeddings().weight)  # type: ignore[operator]
        self.ids, self.taught = _common_tokens(kit, open_tokenizer(teacher.folder), rows)
        self.spread = self._measure(kit)
        mine, wide = (int(model.config.hidden_size) for model in (kit.model, self.teacher))  # type: ignore[union-attr, arg-type]
        self.map = None if mine == wide else nn.Linear(mine, wide)

    def head(self) -> nn.Module | None:
        return self.map

    def count(self, batch: TextBatch) -> int:
        return len(batch)

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:  # noqa: ARG002
        options, found = self.options, self.parts(network, batch)
        weights = options.token_weight, options.pooled_weight, options.similarity_weight, options.relation_weight
        return torch.stack([weight * part for weight, part in zip(weights, found, strict=True)]).sum()

    def parts(self, network: NetworkWithHeads, batch: TextBatch) -> tuple[torch.Tensor, ...]:
        """The four losses of a batch, in the order of the formula."""
        mask = (network.tensor(batch.documents) > 0).long()
        known = mask * self.taught.to(mask.device)[network.tensor(batch.gold)]
        with torch.no_grad(), watching(_Watched(self.teacher)) as theirs:
            ids = self.ids.to(mask.device)[network.tensor(batch.gold)]
            wanted = self.teacher(input_ids=ids, attention_mask=mask).last_hidden_state
        with watching(_Watched(network.model)) as mine:
            hidden = network.states(batch, gold=True)
        if self.map is None:
            given = (hidden - self.spread.token_mean) / self.spread.token_spread
        else:
            given = network.heads["distil"](hidden)
        return (
            token_loss(given, wanted, known, self.spread),
            pooled_loss(given, wanted, mask, self.spread),
            similarity_loss(mean_pool(hidden, mask), mean_pool(wanted, mask), self.options.temperature),
            relation_loss(States(theirs.relations), States(mine.relations), mask),
        )

    def _measure(self, kit: Kit) -> Spread:
        """The spread of the teacher's states over the beginnings of the first documents, then over their later pieces.

        Raises DataError for fewer than two pieces, which have no spread.
        """
        texts = list(islice(_documents(kit.inputs), _SPREAD_PIECES))
        room = kit.length - kit.marks.frame
        documents = [encoding.ids for encoding in kit.tokenizer.encode_batch(texts, add_special_tokens=False)]
        later = (ids[start : start + room] for ids in documents for start in range(room, len(ids), room))
        pieces = islice(chain((ids[:room] for ids in documents), later), _SPREAD_PIECES)
        rows = [[*kit.marks.before, *piece, *kit.marks.after] for piece in pieces]
        if not rows:
            raise DataError("the corpus has no documents to learn from", fix="give it texts")
        if len(rows) == 1:
            raise DataError(
                "the corpus has one piece of text only, and states are compared by their spread",
                fix="give it more texts",
            )
        states, masks = [], []
        longest = max(len(row) for row in rows)
        with torch.inference_mode():
            for row in rows:
                ids = self.ids[torch.tensor([row])].to(kit.run.device)
                found = self.teacher(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
                states.append(nn.functional.pad(found, (0, 0, 0, longest - len(row))))
                masks.append(torch.arange(longest, device=found.device) < len(row))
            spread = measure_spread(torch.stack(states), torch.stack(masks).long())
        return spread.plain()


class _Watched:
    """What `watching` looks into: something with an encoder."""

    def __init__(self, encoder: nn.Module) -> None:
        self.encoder = encoder


def _documents(inputs: Inputs) -> Iterator[str]:
    for corpus in inputs.corpora:
        yield from corpus.documents("train")


def _common_tokens(kit: Kit, tokenizer: Any, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """For each of the student's ids the teacher's, and whether the teacher has it: both (entries,).

    The teacher reads the student's tokens, so that both have the same units also where the student has fewer entries.
    rows: of the teacher's embeddings. A placeholder of the masking beyond them is a token that the teacher never saw.
    """
    theirs = tokenizer.get_vocab(with_added_tokens=True)
    mine = kit.tokenizer.get_vocab(with_added_tokens=True)
    shared = sum(piece in theirs for piece in mine)
    if shared < _COMMON * len(mine):
        raise UsageError(
            f"the teacher knows {shared} of the student's {len(mine)} tokens, so their states cannot be compared",
            fix="give a student whose tokenizer is the teacher's, or was cut from it",
        )
    unknown = next((theirs[piece] for piece in ("<unk>", "[UNK]") if piece in theirs), 0)
    size = max(mine.values()) + 1
    ids, known = np.full(size, unknown, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for piece, place in mine.items():
        if theirs.get(piece, rows) < rows:
            ids[place], known[place] = theirs[piece], 1
    return torch.from_numpy(ids), torch.from_numpy(known)
