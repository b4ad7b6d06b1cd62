"""The parts of a training that the options for steadiness choose: settings, hooks, the way through the model."""

from __future__ import annotations

from torch import nn

from penjing.model.encoder import Classifier
from penjing.model.start import check_count, reinitialise, set_dropout
from penjing.train.accumulation import Accumulated
from penjing.train.adversarial import AdversarialHook
from penjing.train.averaging import AverageHook
from penjing.train.hooks import Hook
from penjing.train.loop import Objective
from penjing.train.mixup import Mixup
from penjing.train.optim import Optimizing
from penjing.train.rdrop import RDrop
from penjing.train.supervised import Through
from penjing.train.unfreezing import UnfreezeHook
from penjing.tune.options import TrainingOptions


def optimizing_of(options: TrainingOptions, rate: float) -> Optimizing:
    """The settings of the optimizer with that learning rate."""
    return Optimizing(
        rate,
        options.head_factor,
        options.weight_decay,
        options.warmup,
        schedule=options.schedule,
        layer_decay=options.layer_decay,
        optimizer=options.optimizer,
    )


def through_of(options: TrainingOptions) -> Through | None:
    """How a batch goes through the model; None: once, as it is."""
    if options.rdrop:
        return RDrop(options.rdrop)
    return Mixup(options.mixup) if options.mixup else None


def begin(classifier: Classifier, options: TrainingOptions, trained: int | str) -> None:
    """Change an encoder in place before it is trained. trained: its top layers that are, or `all`.

    Raises UsageError where more layers begin anew than are trained.
    """
    if options.reinit:
        if isinstance(trained, int):
            check_count(options.reinit, trained)
        reinitialise(classifier.encoder, options.reinit)
    if options.encoder_dropout != "base":
        set_dropout(classifier.encoder, options.encoder_dropout)


def in_steps(objective: Objective, options: TrainingOptions) -> Objective:
    """The objective with as many batches a step as the options say."""
    return Accumulated(objective, options.accumulate, options.epochs) if options.accumulate > 1 else objective


def hooks_of(options: TrainingOptions, model: nn.Module, total: int, device: str) -> list[Hook]:
    """The hooks that the options ask for. total: the steps of the training."""
    found: list[Hook] = []
    if options.unfreeze:
        found.append(UnfreezeHook(model, options.unfreeze, total))
    if options.adversarial != "none":
        found.append(AdversarialHook(model, options.adversarial, options.epsilon, options.adversarial_steps, device))
    if options.ema:
        found.append(AverageHook(model, options.ema))
    return found
