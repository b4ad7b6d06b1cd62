"""Healing: the cut student learns the teacher's hidden states, embeddings and similarities; resumable, on one core."""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import measure

# How often a source is drawn: modern and everyday text more than its size, law and novels less.
MIXTURE = {"laws": 0.18, "classics": 0.12, "csl": 0.10, "tatoeba": 0.26, "gutenberg": 0.24, "wikitext": 0.10}
_CHUNK, _TOKENS = 1280, 1000
_WARM, _LEAST = 0.04, 0.02


@dataclass
class Spent:
    """What the healing has used so far; part of the checkpoint."""

    step: int = 0
    chunk: int = 0
    place: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    tokens: int = 0


@dataclass(frozen=True)
class Budget:
    """cpu, wall: seconds; rate: the highest learning rate."""

    cpu: float
    wall: float
    rate: float = 6e-4


class Mixture:
    """An endless, fixed order of batches: chunks drawn by MIXTURE, sorted by length, cut by tokens, shuffled."""

    def __init__(self, texts: dict[str, list[str]], tokenizer: Any, seed: int) -> None:
        self._texts, self._tokenizer, self._seed = texts, tokenizer, seed

    def chunk(self, number: int) -> list[list[Any]]:
        """The batches of one chunk, as encodings of the student's tokenizer paired with their texts."""
        draw = random.Random(f"{self._seed}-{number}")
        chosen: list[str] = []
        for name, share in MIXTURE.items():
            pool, count = self._texts[name], round(share * _CHUNK)
            start = number * count
            chosen += [pool[(start + i) % len(pool)] for i in range(count)]
        pairs = list(zip(self._tokenizer.encode_batch(chosen), chosen, strict=True))
        pairs.sort(key=lambda pair: len(pair[0].ids))
        batches: list[list[Any]] = [[]]
        for pair in pairs:
            if batches[-1] and (len(batches[-1]) + 1) * len(pair[0].ids) > _TOKENS:
                batches.append([])
            batches[-1].append(pair)
        draw.shuffle(batches)
        return [each for each in batches if len(each) > 1]


def align(student: list[Any], teacher: list[Any], unknown: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Which teacher tokens cover the characters of each student token.

    Returns (batch, student tokens, teacher tokens) weights whose rows sum to 1, and (batch, student tokens) bool:
    rows that have a target. A row that meets the teacher's <unk> has none: there the teacher knows nothing.
    """
    wide = max(len(each.ids) for each in student)
    deep = max(len(each.ids) for each in teacher)
    weights = torch.zeros((len(student), wide, deep))
    for row, (mine, other) in enumerate(zip(student, teacher, strict=True)):
        here, there = torch.tensor(mine.offsets), torch.tensor(other.offsets)
        cover = torch.minimum(here[:, None, 1], there[None, :, 1]) - torch.maximum(here[:, None, 0], there[None, :, 0])
        cover = cover.clamp(min=0).float()
        # A word's lone mark of a space is said to cover its first character: it is matched with its like only.
        spaces = (torch.tensor([token == "▁" for token in each.tokens]) for each in (mine, other))
        cover[torch.logical_xor(*torch.meshgrid(*spaces, indexing="ij"))] = 0
        cover[cover[:, torch.tensor(other.ids) == unknown].sum(1) > 0] = 0
        cover[0], cover[-1] = 0, 0
        cover[0, 0] = 1
        if len(mine.ids) < measure.MAX_TOKENS and len(other.ids) < measure.MAX_TOKENS:
            cover[-1, -1] = 1
        weights[row, : len(mine.ids), : len(other.ids)] = cover
    total = weights.sum(-1, keepdim=True)
    return weights / total.clamp(min=1e-9), total.squeeze(-1) > 0


class Healer:
    """Student and teacher, the loss between them, and the training state."""

    def __init__(self, student: Path, teacher: Path, scratch: Path, budget: Budget) -> None:
        self.student, self.teacher = measure.open_model(student), measure.open_model(teacher)
        self.teacher.requires_grad_(False)
        self.mine, self.other = measure.open_tokenizer(student), measure.open_tokenizer(teacher)
        self.unknown = self.other.token_to_id("<unk>")
        self.scratch, self.budget, self.spent = scratch, budget, Spent()
        names = dict(self.student.named_parameters())
        plain = [each for name, each in names.items() if each.ndim < 2 or "embeddings" in name]
        matrices = [each for name, each in names.items() if not (each.ndim < 2 or "embeddings" in name)]
        groups = [{"params": matrices, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=budget.rate, betas=(0.9, 0.98), fused=True)
        self.token_scale, self.pool_scale = torch.ones(1), torch.ones(1)

    def scale(self, texts: list[str]) -> None:
        """Spread of each of the teacher's dimensions, by which differences are divided."""
        tokens, pooled = [], []
        with torch.inference_mode():
            for start in range(0, len(texts), 32):
                ids, mask = measure.batch(self.other.encode_batch(texts[start : start + 32]))
                hidden = self.teacher(ids, attention_mask=mask).last_hidden_state
                tokens.append(hidden[mask.bool()])
                pooled.append(measure.pool(hidden, mask))
        self.token_scale, self.pool_scale = (torch.cat(each).std(0).clone() for each in (tokens, pooled))

    def loss(self, pairs: list[Any]) -> tuple[torch.Tensor, dict[str, float]]:
        """Token states + pooled embedding + in-batch similarities, each divided by the teacher's own spread."""
        student = [encoding for encoding, _ in pairs]
        teacher = self.other.encode_batch([text for _, text in pairs])
        with torch.inference_mode():
            ids, other_mask = measure.batch(teacher)
            goal = self.teacher(ids, attention_mask=other_mask).last_hidden_state
            goal_pool = measure.pool(goal, other_mask)
            weights, usable = align(student, teacher, self.unknown)
            goal = weights @ goal
        goal, goal_pool, usable = goal.clone(), goal_pool.clone(), usable.clone()
        ids, mask = measure.batch(student)
        hidden = self.student(ids, attention_mask=mask).last_hidden_state
        mine_pool = measure.pool(hidden, mask)
        token = (((hidden - goal)[usable]) / self.token_scale).square().mean()
        pooled = ((mine_pool - goal_pool) / self.pool_scale).square().mean()
        off = ~torch.eye(len(pairs), dtype=torch.bool)
        wanted, given = (_cosines(each)[off] for each in (goal_pool, mine_pool))
        alike = (given - wanted).square().mean() / wanted.var().clamp(min=1e-5)
        self.spent.tokens += int(mask.sum())
        parts = {"token": token.item(), "pooled": pooled.item(), "similarity": alike.item()}
        return token + pooled + 0.5 * alike, parts

    def done(self) -> float:
        """Share of the budget that is used, of CPU or of wall time, whichever is further."""
        return max(self.spent.cpu / self.budget.cpu, self.spent.wall / self.budget.wall)

    def run(self, mixture: Mixture, say: Callable[[str], None], every: float = 120.0) -> None:
        """Train until the budget is used; a checkpoint and a line every `every` seconds."""
        cpu, wall, saved = time.process_time(), time.monotonic(), time.monotonic()
        kept: list[dict[str, float]] = []
        for pairs in self._batches(mixture):
            share = self.done()
            if share >= 1:
                break
            ramp = min(1.0, (share + 1e-3) / _WARM)
            rate = self.budget.rate * ramp * (_LEAST + (1 - _LEAST) * 0.5 * (1 + math.cos(math.pi * share)))
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            total, parts = self.loss(pairs)
            total.backward()
            torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            kept.append(parts)
            self.spent.step += 1
            self.spent.cpu += time.process_time() - cpu
            self.spent.wall += time.monotonic() - wall
            cpu, wall = time.process_time(), time.monotonic()
            if wall - saved > every:
                say(self._line(kept, rate))
                self.save()
                kept, saved = [], wall
        if kept:
            say(self._line(kept, 0.0))
        self.save()

    def _batches(self, mixture: Mixture) -> Iterator[list[Any]]:
        while True:
            batches = mixture.chunk(self.spent.chunk)
            while self.spent.place < len(batches):
                self.spent.place += 1
                yield batches[self.spent.place - 1]
            self.spent.chunk, self.spent.place = self.spent.chunk + 1, 0

    def _line(self, kept: list[dict[str, float]], rate: float) -> str:
        means = " ".join(f"{name} {np.mean([each[name] for each in kept]):.4f}" for name in kept[0])
        spent = self.spent
        return (
            f"{self.done():6.1%}  step {spent.step}  cpu {spent.cpu / 60:.1f} min  wall {spent.wall / 60:.1f} min  "
            f"tokens {spent.tokens}  rate {rate:.1e}  {means}"
        )

    def save(self) -> None:
        """Weights, moments and what was spent in one safetensors file, written aside and renamed."""
        tensors = {f"model.{name}": each.detach() for name, each in self.student.named_parameters()}
        for name, each in self.student.named_parameters():
            for key, value in self.optimizer.state[each].items():
                tensors[f"{key}.{name}"] = value
        partial = self.scratch / "heal.partial"
        save_file(tensors, partial, metadata={"spent": json.dumps(asdict(self.spent))})
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(self.scratch / "heal.safetensors")

    def resume(self) -> bool:
        """Go on from the checkpoint, if there is one."""
        path = self.scratch / "heal.safetensors"
        if not path.is_file():
            return False
        with safe_open(path, "pt") as file:
            self.spent = Spent(**json.loads(file.metadata()["spent"]))
            with torch.no_grad():
                for name, each in self.student.named_parameters():
                    each.copy_(file.get_tensor(f"model.{name}"))
                    for key in ("exp_avg", "exp_avg_sq", "step"):
                        self.optimizer.state[each][key] = file.get_tensor(f"{key}.{name}")
        return True


def _cosines(matrix: torch.Tensor) -> torch.Tensor:
    unit = torch.nn.functional.normalize(matrix, dim=-1)
    return unit @ unit.T
