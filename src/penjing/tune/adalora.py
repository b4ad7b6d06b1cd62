"""AdaLoRA: updates of low rank, whose ranks are spread over the matrices by how much each part matters.

    W' = W + (s / r_0) B diag(E) A,   loss + g * mean over matrices of ( |A A^T - I| + |B^T B - I| ),
    importance of part i of a matrix:  S(E_i) + mean_j S(A_ij) + mean_j S(B_ji),
    S(w) = smoothed |w dL/dw| x its smoothed deviation;   parts beyond the budget are set to zero

The budget falls by a cubic from `initial_rank` a matrix to `rank` on average, after the first tenth of the steps, and
is reached before the last third.

Source: Zhang, Chen, Bukharin, He, Cheng, Chen, Zhao, Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning,
2023; layers, importance and budget carried out by peft. Importance is measured before the optimizer's step, as in the
paper. The updates are merged into the matrices: the result is a plain encoder of the same size and speed.
When: a base of many layers and some thousand rows, where it is not known which layers have to change. When not: few
steps (fewer than about a hundred), in which importance is noise; then a fixed rank or `tune.full` is as good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import nn

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import WrongValueError
from penjing.core.task import HeadKind
from penjing.model.adapters import A, B, apply_changes
from penjing.model.encoder import Classifier
from penjing.model.inserted import check_plain
from penjing.model.layers import heads_of, neurons_of
from penjing.train.batches import Ints
from penjing.train.hooks import Batch, Hook, Moment
from penjing.train.loop import Objective
from penjing.train.supervised import Supervised
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.injected import ADAPTER, inject, names_of, require_peft, take_out
from penjing.tune.job import Job
from penjing.tune.kept_apart import keep_apart
from penjing.tune.options import Rate, TrainingOptions, head_factor_field, rates_field
from penjing.tune.trained import known_layers, trained_layers
from penjing.tune.writing import Files

METHOD = "tune.adalora"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True
# Shares of the steps before the budget falls, and after it has fallen.
_BEFORE, _AFTER = 0.1, 0.35
# Any number of steps that peft takes, where the schedule does not matter.
_UNKNOWN = 10
_STATE = ("ipt", "exp_avg_ipt", "exp_avg_unc")


class Options(TrainingOptions):
    """How updates of adaptive rank are trained."""

    keeps_base: ClassVar[bool] = True

    learning_rate: tuple[Rate, ...] = rates_field(2e-3)
    head_factor: float = head_factor_field(5.0)
    initial_rank: int = Field(12, ge=1, le=256, description="rank of every matrix's update at the start")
    rank: int = Field(4, ge=1, le=256, description="mean rank of the updates at the end; at most `initial_rank`")
    scale: float = Field(32.0, gt=0, le=1024, description="factor of the updates, divided by `initial_rank`")
    interval: int = Field(10, ge=1, le=10_000, description="steps between two changes of the budget")
    orthogonal: float = Field(0.5, ge=0, le=10, description="weight of the loss that keeps the parts apart")

    @field_validator("rank")
    @classmethod
    def _falls(cls, rank: int, others: ValidationInfo) -> int:
        most = others.data.get("initial_rank", rank)
        if rank > most:
            what = f"is {rank}, more than `initial_rank`, which is {most}"
            raise WrongValueError(what, f"set `rank` to at most {most}")
        return rank

    @property
    def last_rank(self) -> int:
        """`rank`; where only `initial_rank` is given, at most that."""
        return min(self.rank, self.initial_rank)

    def check_encoder(self, encoder: nn.Module) -> None:
        """Raise UsageError for a family whose matrices are not known, or an encoder that has adapters or the like."""
        check_plain(encoder, METHOD)
        for layer in known_layers(encoder, METHOD):
            _matrices(layer)


def _matrices(layer: nn.Module) -> list[nn.Linear]:
    _, into, out = heads_of(layer)
    return [*into, out, *neurons_of(layer)]


def _config(options: Options, names: Sequence[str], steps: int) -> Any:
    before, after = round(_BEFORE * steps), round(_AFTER * steps)
    return require_peft(METHOD).AdaLoraConfig(
        target_modules=list(names), init_r=options.initial_rank, target_r=options.last_rank, lora_alpha=options.scale,
        tinit=before, tfinal=after, deltaT=options.interval, total_step=steps,
    )  # fmt: skip


def _prepare(classifier: Classifier, job: Job) -> None:
    options, encoder = job.options, classifier.encoder
    assert isinstance(options, Options)
    options.check_encoder(encoder)
    encoder.requires_grad_(False)
    layers = trained_layers(classifier, job)
    if layers:
        names = names_of(encoder, [matrix for layer in layers for matrix in _matrices(layer)])
        # The hook has the schedule.
        inject(encoder, _config(options, names, _UNKNOWN), METHOD)


class BudgetHook(Hook):
    """Measures the importance of every part at each step, and sets the least important ones to zero by the schedule.

    An evaluation is of the encoder within the budget. The schedule is that of the training's steps, which the hook
    knows after the first one. The state is the smoothed importance. A step in which some of the parts do not learn
    counts for none.
    """

    def __init__(self, model: nn.Module, options: Options) -> None:
        from peft.tuners.adalora.layer import RankAllocator

        self._model, self._options = model, options
        self._allocator = RankAllocator(model, _config(options, [], _UNKNOWN), ADAPTER)
        self._step = self._total = 0

    def after_backward(self, batch: Batch) -> None:
        self._step = batch.step + 1
        config = self._allocator.peft_config
        settled = self._total and self._step >= config.total_step - config.tfinal
        parts = [one for name, one in self._model.named_parameters() if ".lora_" in name]
        if not settled and all(one.grad is not None for one in parts):
            self._allocator.update_ipt(self._model)

    def after_step(self, moment: Moment) -> None:
        self._plan(moment.total)
        self._keep_to_budget()

    @contextmanager
    def around_evaluation(self, model: nn.Module) -> Iterator[None]:  # noqa: ARG002
        self._keep_to_budget()
        yield

    def _plan(self, total: int) -> None:
        if total != self._total:
            self._total = total
            self._allocator.peft_config = _config(self._options, [], total)

    def _keep_to_budget(self) -> None:
        if not self._total:
            return
        budget, due = self._allocator.budget_schedule(self._step)
        if due and budget < self._allocator.init_bgt and self._allocator.ipt:
            self._allocator.mask_to_budget(self._model, budget)

    def state(self) -> dict[str, torch.Tensor]:
        tensors = {f"{part}/{name}": one for part in _STATE for name, one in getattr(self._allocator, part).items()}
        return tensors | {"step": torch.tensor(self._step), "total": torch.tensor(self._total)}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        self._step = int(state["step"])
        self._plan(int(state["total"]))
        for part in _STATE:
            own = {name: one for name, one in state.items() if name.startswith(f"{part}/")}
            setattr(self._allocator, part, {name.partition("/")[2]: one.clone() for name, one in own.items()})


@dataclass(frozen=True)
class Orthogonal:
    """An Objective: the given one, and a loss that keeps the parts of every update orthogonal to each other."""

    inner: Supervised
    weight: float

    def batches(self, epoch: int) -> list[Ints]:
        return self.inner.batches(epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        return self.inner.loss(model, rows) + self.weight * not_orthogonal(model)

    def score(self, model: nn.Module) -> dict[str, float]:
        return self.inner.score(model)


def not_orthogonal(model: nn.Module) -> torch.Tensor:
    """The mean over all A and B of the norm of their products minus the identity."""
    found = []
    for name, parameter in model.named_parameters():
        if ".lora_A." in name or ".lora_B." in name:
            product = parameter @ parameter.T if ".lora_A." in name else parameter.T @ parameter
            found.append(torch.linalg.norm(product - torch.eye(len(product), device=product.device)))
    return torch.stack(found).mean() if found else torch.zeros(())


def _objective(job: Job, model: nn.Module, objective: Supervised) -> Objective:  # noqa: ARG001
    assert isinstance(job.options, Options)
    return Orthogonal(objective, job.options.orthogonal) if job.layers else objective


def _hooks(job: Job, model: nn.Module, objective: Supervised) -> Sequence[Hook]:  # noqa: ARG001
    assert isinstance(job.options, Options)
    if not job.layers:
        return ()
    return [BudgetHook(model, job.options)]


def _merge(classifier: Classifier, job: Job) -> Files:
    options, encoder = job.options, classifier.encoder
    assert isinstance(options, Options)
    changes: dict[str, torch.Tensor] = {}
    scale = 1.0
    for name, layer in take_out(encoder):
        scale = float(layer.scaling[ADAPTER] / (layer.ranknum[ADAPTER] + 1e-5))
        values, down, up = (part[ADAPTER].detach() for part in (layer.lora_E, layer.lora_A, layer.lora_B))
        kept = values[:, 0] != 0
        if kept.any():
            changes[f"{name}.weight:{A}"] = (down * values)[kept]
            changes[f"{name}.weight:{B}"] = up[:, kept] * scale
    apply_changes(encoder, changes)
    return keep_apart("adalora", classifier, job, changes, rank=options.last_rank, scale=scale)


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train updates of `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on validation.

    Raises UsageError for a parent that is no encoder, of a family whose matrices are not known, with adapters or with
    fewer tokens than `max_tokens`, DataError for tables without rows or labels, RunInterruptedError when stopped,
    MissingPackageError without peft.
    """
    return tune(inputs, options, run, TuningMethod(METHOD, _prepare, _merge, _objective, _hooks))
