"""BitFit: only the biases of the encoder learn, and the head; every matrix stays as it is.

    h = W x + b + d,   d is learned beside the head,   W and the norms' scales stay

Source: Ben Zaken, Goldberg, Ravfogel, BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked
Language-models, 2022. The biases are about 0.1 % of an encoder's parameters. The result is a plain encoder, of the same
size and speed as before.
When: some hundred rows, where `tune.full` learns its train rows by heart; or many models of one base, which differ in
their biases alone. When not: thousands of rows, where `tune.full` has a better score; or a base without biases, as
ModernBERT.
"""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.model.encoder import Classifier
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.job import Job
from penjing.tune.kept_apart import keep_learned
from penjing.tune.options import Rate, TrainingOptions, head_factor_field, rates_field
from penjing.tune.trained import learn_only

METHOD = "tune.bitfit"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True


class Options(TrainingOptions):
    """How the biases of an encoder are trained."""

    keeps_base: ClassVar[bool] = True

    learning_rate: tuple[Rate, ...] = rates_field(5e-3)
    head_factor: float = head_factor_field(2.0)

    def check_encoder(self, encoder: nn.Module) -> None:
        """Raise UsageError for an encoder without biases."""
        if not any(_is_bias(name) for name, _ in encoder.named_parameters()):
            family = str(encoder.config.model_type)  # type: ignore[union-attr]
            what = f"`{METHOD}` trains biases, and a `{family}` has none"
            raise UsageError(what, fix="take `tune.full`, or another base")


def _is_bias(name: str) -> bool:
    return name.rpartition(".")[2] == "bias"


def _prepare(classifier: Classifier, job: Job) -> None:
    job.options.check_encoder(classifier.encoder)
    learn_only(classifier.encoder, _is_bias)


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the biases of `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on validation.

    Raises UsageError for a parent that is no encoder, has no biases or takes fewer than `max_tokens`, DataError for
    tables without rows or labels, RunInterruptedError when stopped.
    """
    return tune(inputs, options, run, TuningMethod(METHOD, prepare=_prepare, merge=keep_learned("bitfit")))
