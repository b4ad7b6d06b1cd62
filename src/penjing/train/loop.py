"""The one training loop: resumes after a kill with the same bits, stops early, keeps the best weights."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from torch import nn

from penjing.core.errors import RunInterruptedError, TrainingEndedError
from penjing.core.nouns import Run
from penjing.train.batches import Ints
from penjing.train.checkpoint import Checkpoint, load, save
from penjing.train.guard import Guard, good_folder
from penjing.train.hooks import Batch, Hook, Moment
from penjing.train.numerics import random_state, repeatable, set_random_state
from penjing.train.optim import Optimizing, build_optimizer, halvings, set_rate

# Largest share of the time spent on saving, for any size of the model and any speed of the disk.
_SAVING_SHARE = 0.05


class Objective(Protocol):
    """What is learned: the batches of an epoch, the loss of a batch, the scores on validation rows.

    `score` returns `loss` (lower is better) and the plan's metric (higher is better); it draws nothing at random.
    """

    def batches(self, epoch: int) -> list[Ints]: ...
    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor: ...
    def score(self, model: nn.Module) -> dict[str, float]: ...


@runtime_checkable
class StreamObjective(Protocol):
    """An Objective that knows the number of batches of each epoch, and gives the loss of a batch in pieces.

    The loss of the batch is the sum of the pieces; the gradient of each is added before the next one is computed, so
    that a large batch takes the memory of a small one.
    """

    def sizes(self) -> list[int]: ...
    def pieces(self, model: nn.Module, rows: Ints) -> Iterator[torch.Tensor]: ...


Precision = Literal["float32", "bf16"]


@dataclass(frozen=True)
class Plan:
    """Length and settings of a training. patience: evaluations (one per epoch) without a better `metric` before it
    stops.

    rung: step of an extra evaluation, for a choice among several trainings; 0: none. to_rung: stop at that step, after
    a checkpoint. The same plan without `to_rung` continues from it and gives the bits of an uninterrupted training:
    the rung is part of the whole schedule, and scoring draws nothing at random.

    guard: what leads back from a bad loss (None: a loss that is not finite ends the training). precision: the numbers
    of the matrix products; weights and their gradients are always float32.
    """

    epochs: float
    optimizing: Optimizing
    metric: str = "macro_f1"
    patience: int = 3
    checkpoint_seconds: float = 30.0
    rung: int = 0
    to_rung: bool = False
    guard: Guard | None = None
    precision: Precision = "float32"


@dataclass
class Outcome:
    """The result of a training. weights: trained parameters by name, from the best evaluation.

    losses: one for every step. evaluations: {"step", scores...} each. diverged: the loss was not finite.
    rung: scores at the plan's rung; they are not in `evaluations` and do not select weights. skipped: ranges of steps
    that the guard left out, [first, end) from 0; they have no loss.
    """

    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    evaluations: list[dict[str, float]] = field(default_factory=list)
    diverged: bool = False
    rung: dict[str, float] = field(default_factory=dict)
    skipped: list[list[int]] = field(default_factory=list)


def count_steps(objective: Objective, epochs: float) -> list[int]:
    """Number of batches of each epoch; the last epoch may be partial."""
    if isinstance(objective, StreamObjective):
        return objective.sizes()
    counts = [len(objective.batches(epoch)) for epoch in range(math.ceil(epochs))]
    partial = epochs % 1
    if partial:
        counts[-1] = max(1, round(counts[-1] * partial))
    return counts


def title_of(done: int, last: int, total: int) -> str:
    """What a training says of itself: which steps it takes, where it was resumed or ends before the last one."""
    return f"training, steps {done + 1} to {last} of {total}" if done or last < total else f"training, {total} steps"


def fit(
    model: nn.Module, objective: Objective, plan: Plan, run: Run, scratch: Path, key: str, hooks: Sequence[Hook] = ()
) -> Outcome:
    """Train the parameters of `model` that require a gradient, and leave it with the best weights.

    scratch: folder of this training's checkpoints, kept after a kill and after the end. A second call with the same
    key (everything the result depends on) continues, or returns at once. Raises RunInterruptedError after a
    checkpoint if `run.stop()` is true.
    """
    with repeatable(run.seed, run.threads, run.device):
        return _Training(model, objective, plan, replace(run, scratch=scratch), key, hooks).go()


class _Training:
    def __init__(
        self, model: nn.Module, objective: Objective, plan: Plan, run: Run, key: str, hooks: Sequence[Hook]
    ) -> None:
        self.objective, self.plan, self.run = objective, plan, run
        self.scratch, self.key, self.hooks = run.scratch, key, hooks
        self.accelerator = Accelerator(cpu=run.device == "cpu")
        self.model, self.optimizer = self.accelerator.prepare(model, build_optimizer(model, plan.optimizing))
        self.names = {parameter: name for name, parameter in model.named_parameters() if parameter.requires_grad}
        self.counts = count_steps(objective, plan.epochs)
        self.total = sum(self.counts)
        self.step, self.waited = 0, 0
        self.share, self.hopeless = 1.0, False
        self.done = Outcome()
        self.saved_at, self.saving_took = time.monotonic(), 0.0

    def go(self) -> Outcome:
        if self.resume() or (self.plan.to_rung and self.done.rung):
            self.is_hopeless()  # a watch has seen every training of a run, so that it can count them
            return self.done
        last = min(self.plan.rung, self.total) if self.plan.to_rung else self.total
        self.run.progress.start(title_of(self.step, last, self.total), last - self.step)
        self.model.train()
        for epoch, count in enumerate(self.counts):
            begun = sum(self.counts[:epoch])
            if self.step >= begun + count:
                continue
            batches = self.objective.batches(epoch)[:count]
            for rows in batches[self.step - begun :]:
                self.keep_good()
                taken = self.one_step(rows)
                if self.done.diverged:
                    return self.finish()
                if self.step == begun + count:
                    self.evaluate()
                if taken:
                    self.tell_hooks(rows)
                if self.step == self.plan.rung < self.total:
                    self.done.rung = self.score()
                    if self.plan.to_rung:
                        self.save()
                        return self.done
                if self.step == self.total or self.waited > self.plan.patience:
                    return self.finish()
                if self.hopeless:
                    raise TrainingEndedError(f"ended at step {self.step} of {self.total}")
                self.save_or_stop()
        return self.finish()

    def one_step(self, rows: Ints) -> bool:
        """Take a step, or go back; returns whether it was taken."""
        settings, halved = self.plan.optimizing, halvings(self.done.evaluations, self.plan.metric)
        self.share = set_rate(self.optimizer.optimizer, self.step, self.total, settings, halved)
        self.optimizer.zero_grad(set_to_none=True)
        batch = Batch(self.model, self.step, lambda: self.add_gradient(rows))
        for hook in self.hooks:
            hook.before_step(batch)
        loss = self.add_gradient(rows)
        for hook in self.hooks:
            hook.after_backward(batch)
        norm = self.accelerator.clip_grad_norm_(list(self.names), settings.clip)
        value = loss.item()
        if self.plan.guard and self.plan.guard.is_bad(value, float(norm), self.done.losses):
            self.go_back(value)
            return False
        self.optimizer.step()
        self.step += 1
        if math.isfinite(value):
            self.done.losses.append(value)
        else:
            self.done.diverged = True
        return True

    def add_gradient(self, rows: Ints) -> torch.Tensor:
        """Add the gradient of a batch to the existing one; returns its loss."""
        total: torch.Tensor | None = None
        for loss in self.losses_of(rows):
            self.accelerator.backward(loss)
            total = loss.detach() if total is None else total + loss.detach()
        assert total is not None, "a batch has at least one piece"
        return total

    def losses_of(self, rows: Ints) -> Iterator[torch.Tensor]:
        if not isinstance(self.objective, StreamObjective):
            with self.numbers():
                loss = self.objective.loss(self.model, rows)
            yield loss
            return
        pieces = self.objective.pieces(self.model, rows)
        while True:
            with self.numbers():
                loss = next(pieces, None)  # type: ignore[assignment]
            if loss is None:
                return
            yield loss

    def numbers(self) -> AbstractContextManager[Any]:
        """Inside the block, matrix products are computed in the plan's precision."""
        enabled = self.plan.precision == "bf16"
        return torch.autocast(torch.device(self.run.device).type, torch.bfloat16, enabled=enabled)

    def tell_hooks(self, rows: Ints) -> None:
        scores = {self.plan.metric: self.done.scores[self.plan.metric]} if self.done.scores else {}
        moment = Moment(self.step, self.total, self.done.losses[-1], scores, self.model, rows, self.share)
        for hook in self.hooks:
            hook.after_step(moment)

    def keep_good(self) -> None:
        """Store the state from which the guard goes on, where it is due."""
        if self.plan.guard and self.step % self.plan.guard.every == 0:
            save(good_folder(self.scratch), self.step, self.checkpoint(), keep=1)

    def go_back(self, loss: float) -> None:
        """Load the last good state and leave out the batches up to the present one, which had this loss."""
        assert self.plan.guard is not None
        bad, skipped = self.step, self.done.skipped
        found = load(good_folder(self.scratch), self.key)
        if found is None or len(skipped) >= self.plan.guard.most:
            self.done.diverged = True
            return
        self.restore(found)
        self.done.skipped = [*skipped, [self.step, bad + 1]]
        self.run.progress.say(
            f"step {bad + 1} had the loss {loss:.3g}: it goes on from step {self.step} without the batches in between"
        )
        self.step = bad + 1
        self.save()

    def score(self, *, keep_best: bool = False) -> dict[str, float]:
        self.model.eval()
        with ExitStack() as around, torch.no_grad(), self.numbers():
            for hook in self.hooks:
                around.enter_context(hook.around_evaluation(self.model))
            scores = self.objective.score(self.model)
            if keep_best:
                self.keep_best(scores)
        self.model.train()
        return scores

    def evaluate(self) -> None:
        scores = self.score(keep_best=True)
        self.done.evaluations.append({"step": self.step, **scores})
        self.hopeless = self.is_hopeless()

    def is_hopeless(self) -> bool:
        """Whether the caller ends this training; what goes only as far as a rung is not compared."""
        found = [] if self.plan.to_rung else self.done.evaluations
        return bool(found) and self.run.watch(self.scratch.name, found)

    def keep_best(self, scores: dict[str, float]) -> None:
        if not self.done.scores or self.rank(scores) > self.rank(self.done.scores):
            self.done.scores, self.waited = scores, 0
            self.done.weights = {name: parameter.detach().cpu().clone() for parameter, name in self.names.items()}
        else:
            self.waited += 1

    def rank(self, scores: dict[str, float]) -> tuple[float, float]:
        metric = -scores["loss"] if self.plan.metric == "loss" else scores[self.plan.metric]
        return metric, -scores["loss"]

    def finish(self) -> Outcome:
        if self.plan.rung and not self.done.rung and not self.done.diverged:
            # The training ended before the rung, so its final scores are compared.
            self.done.rung = dict(self.done.scores)
        save(self.scratch, self.total + 1, Checkpoint(_prefixed("best", self.done.weights), self.state(True)), keep=1)
        self.load_best()
        return self.done

    def save_or_stop(self) -> None:
        stopping = self.run.stop()
        pause = max(self.plan.checkpoint_seconds, self.saving_took / _SAVING_SHARE)
        if not stopping and time.monotonic() - self.saved_at < pause:
            return
        self.save()
        if stopping:
            raise RunInterruptedError(
                f"stopped at step {self.step} of {self.total}", fix="run the same command again to continue"
            )

    def save(self) -> None:
        began = time.monotonic()
        save(self.scratch, self.step, self.checkpoint())
        self.saved_at = time.monotonic()
        self.saving_took = self.saved_at - began

    def checkpoint(self) -> Checkpoint:
        tensors = _prefixed("best", self.done.weights) | _prefixed("random", random_state(self.run.device))
        for parameter, name in self.names.items():
            tensors[f"model/{name}"] = parameter
            moments = self.optimizer.optimizer.state[parameter]
            tensors |= {f"optimizer/{part}/{name}": value for part, value in moments.items()}
        for place, hook in enumerate(self.hooks):
            tensors |= _prefixed(f"hook{place}", hook.state())
        return Checkpoint(tensors, self.state(False))

    def state(self, finished: bool) -> dict[str, Any]:
        return {
            "key": self.key,
            "finished": finished,
            "step": self.step,
            "waited": self.waited,
            "scores": self.done.scores,
            "losses": self.done.losses,
            "evaluations": self.done.evaluations,
            "diverged": self.done.diverged,
            "rung": self.done.rung,
            "skipped": self.done.skipped,
        }

    def resume(self) -> bool:
        """Load the newest checkpoint; True if it is that of a finished training."""
        found = load(self.scratch, self.key)
        good = load(good_folder(self.scratch), self.key) if self.plan.guard else None
        if good is not None and (found is None or good.state["step"] > found.state["step"]):
            found = good
        if found is None:
            return False
        self.restore(found)
        if found.state["finished"]:
            self.load_best()
        return bool(found.state["finished"])

    def restore(self, found: Checkpoint) -> None:
        """Take over the state of a checkpoint."""
        state, tensors = found.state, found.tensors
        self.step, self.waited = state["step"], state["waited"]
        self.done = Outcome(
            weights=_under("best", tensors),
            scores=state["scores"],
            losses=state["losses"],
            evaluations=state["evaluations"],
            diverged=state["diverged"],
            rung=state.get("rung", {}),
            skipped=state.get("skipped", []),
        )
        if state["finished"]:
            return
        with torch.no_grad():
            for parameter, name in self.names.items():
                parameter.copy_(tensors[f"model/{name}"])
        self.load_moments(tensors)
        for place, hook in enumerate(self.hooks):
            if state := _under(f"hook{place}", tensors):
                hook.load_state(state)
        set_random_state(_under("random", tensors))

    def load_moments(self, tensors: dict[str, torch.Tensor]) -> None:
        optimizer = self.optimizer.optimizer
        parts = sorted({name.split("/")[1] for name in tensors if name.startswith("optimizer/")})
        order = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        # A parameter that has not learned yet has no moments.
        moments = {
            index: {part: tensors[key] for part in parts if (key := f"optimizer/{part}/{name}") in tensors}
            for index, name in enumerate(self.names[parameter] for parameter in order)
        }
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})

    def load_best(self) -> None:
        with torch.no_grad():
            for parameter, name in self.names.items():
                if name in self.done.weights:
                    parameter.copy_(self.done.weights[name])
        self.model.eval()


def _prefixed(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix + "/"): value for name, value in tensors.items() if name.startswith(prefix + "/")}
