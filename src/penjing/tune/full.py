"""Fine-tuning of an encoder: all of it, or its top layers over activations that are computed once.

    outputs = W mean_t h_t + b,   minimise the mean over rows of the task's loss (train/losses)   by AdamW

For labels the loss is -log softmax(outputs)[label]. Declared fields are joined before the head (model/fields).

Source: Devlin, Chang, Lee, Toutanova, BERT: Pre-training of Deep Bidirectional Transformers, 2019 (fine-tuning, and the
choice among a few learning rates on validation; how one is chosen early: `tune/rates.py`); Mosbach, Andriushchenko,
Klakow, On the Stability of Fine-tuning BERT, 2021 (warm-up, more than three epochs on small data).
When: the score of `tune.linear` is not enough, from some hundred rows on. `layers: auto` trains all but the lowest
quarter of the layers where rows are few (at most 10,000): embeddings and the lowest layers are computed once, and the
score is kept (`penjing/mini`, 2,000 rows of three sets, three draws each: mean macro-F1 0.901 with either on 3,000
other rows; half of the layers: 0.892; a quarter: 0.880). When not: labels that depend on single words, or fewer than
about ten rows a label; then `tune.linear` is as good, and smaller.
"""

from __future__ import annotations

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.options import TrainingOptions

METHOD = "tune.full"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True


class Options(TrainingOptions):
    """How an encoder is fine-tuned."""


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Fine-tune `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on `inputs.validation`.

    Raises UsageError for a parent that is no encoder or takes fewer than `max_tokens`, DataError for tables without
    rows or labels, RunInterruptedError when stopped.
    """
    return tune(inputs, options, run, TuningMethod(METHOD))
