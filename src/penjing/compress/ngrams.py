"""An n-gram branch beside an encoder: the weighted sum of the outputs of both, for some tens of microseconds a text.

    z(x) = a encoder(x) / T + b ngrams(x) / T'
    (a, b) = argmin over a, b in [0, 4] of  sum_i loss(z(x_i), y_i) + (a - b)^2 / (2 s^2),   s = 0.25

Source: Hinton, Products of Experts, 1999; Wolpert, Stacked Generalization, 1992 (weights fitted on rows that neither
part was trained on); Cheng et al., Wide & Deep Learning for Recommender Systems, 2016; Wang and Manning, Baselines and
Bigrams, 2012 (how strong n-grams are). The branch is TF-IDF with logistic regression over hashed n-grams
(`parts/branch.py`), fitted to the train rows; C is chosen out of fold. The encoder is the step before, exported first
if it is in torch. T, T', a and b are fitted on validation rows, as every temperature is: the branch has never seen
them, and of the encoder they chose a few numbers only (rate, epoch). T and T' are those with which each part alone has
the least loss, so that a = b means equal trust, and two parts that err independently have a = b = 1. On 200 rows the
sum a + b is well determined and the difference is not, and the encoder looks a little better there than it is, for its
epoch was chosen on them. So the difference has a normal prior around 0 with the standard deviation s; with some
thousand rows it hardly matters. Calibration and test rows are never seen.
When: a small encoder, and few train rows (500 to 5,000): words that were seen often are what it misses. Where the
encoder already knows them, a and b give the branch little weight, and some megabytes with many labels are the price.
When not: texts must be pairs, or the release must be as small as the encoder alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from penjing.compress import export
from penjing.compress.parts.branch import fit_branch
from penjing.compress.parts.sealing import Compression, complete_folder, encoder_parent, score, seal
from penjing.compress.parts.stages import serving, stage
from penjing.core.canon import canonical_json, digest, digest_lines
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.task import HeadKind, Item, Task
from penjing.engines.static import StaticEngine
from penjing.runtime.ngrams import ENCODER, NGRAMS, WEIGHTS, BranchWeights
from penjing.tasks import side_by_side, task_of
from penjing.tasks.calibrate import share_of_right
from penjing.text.ngrams import Grams
from penjing.train.linear import Strength
from penjing.train.losses import hard_loss

Floats = npt.NDArray[np.float64]
SPREAD, MOST = 0.25, 4.0
LOW, HIGH = 0.05, 20.0
_DIGITS = 6
HEADS: tuple[HeadKind, ...] = ("pooled",)
FEATURES = True


class Options(BaseOptions):
    """The options of `compress.ngrams`."""

    engine: export.EngineChoice = Field(
        "auto", description="engine of the encoder if the step before is in torch, as in `compress.export`"
    )
    characters: int = Field(4, ge=1, le=6, description="longest n-gram of characters")
    words: int = Field(2, ge=0, le=3, description="longest n-gram of words; 0 for none")
    bits: int = Field(
        20, ge=10, le=22, description="n-grams are hashed into 2^bits buckets; only those of train texts take room"
    )
    c: tuple[Strength, ...] = Field(
        (4.0, 16.0, 64.0, 256.0),
        min_length=1,
        max_length=12,
        description="values of C (larger: weaker regularisation) among which cross-validation chooses",
    )


@dataclass(frozen=True)
class FittedWeights:
    """What joins two models: the factor of each alone (1 / T), and its weight beside the other."""

    factors: tuple[float, float] = (1.0, 1.0)
    weights: tuple[float, float] = (0.5, 0.5)

    @property
    def of_outputs(self) -> BranchWeights:
        encoder, ngrams = (round(f * w, _DIGITS) for f, w in zip(self.factors, self.weights, strict=True))
        return BranchWeights(encoder=encoder, ngrams=ngrams)


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent with an n-gram branch. Raises UsageError for a parent that is no tuned encoder, or no train rows."""
    parent = encoder_parent(inputs, "compress.ngrams", int8=True)
    if not len(inputs.train):
        raise UsageError("`compress.ngrams` needs training texts to learn from", fix="give at least some rows")
    encoder = serving(parent, inputs, options.engine, run, ENCODER)
    branch = stage(run, run.scratch / NGRAMS, lambda inside: _branch(inputs, parent, options, inside))
    table, task = inputs.validation, task_of(parent.card)
    of_encoder, of_ngrams = (
        side_by_side(task, score(part.folder, part.card, table, run, title))
        for part, title in (
            (encoder, "compress.ngrams: the encoder on validation"),
            (branch, "compress.ngrams: the n-grams on validation"),
        )
    )
    found = FittedWeights()
    if len(table) and table.labels is not None:
        found = fit_weights((of_encoder, of_ngrams), task, table.labels)

    def fill(folder: Path) -> None:
        shutil.copytree(encoder.folder, folder / ENCODER)
        shutil.copytree(branch.folder, folder / NGRAMS)
        (folder / WEIGHTS).write_bytes(canonical_json(found.of_outputs.model_dump(mode="json")))

    notes = {
        "encoder_form": encoder.card.form,
        "encoder_weight": found.weights[0],
        "ngrams_weight": found.weights[1],
        "parameters": encoder.card.parameters + branch.card.parameters,
        "precision": encoder.card.precision,
    }
    return seal(
        Compression(inputs, options, run, parent, "compress.ngrams"),
        form="ngrams",
        folder=complete_folder(run.scratch / "both", fill),
        notes=notes,
        compare=of_encoder,
    )


def fit_weights(outputs: Sequence[npt.NDArray[np.float32]], task: Task, golds: Sequence[str]) -> FittedWeights:
    """The factors and weights of two models from their outputs (n, columns), heads side by side, on rows with gold."""
    tables = [torch.from_numpy(np.asarray(each, dtype=np.float64)) for each in outputs]
    loss = _loss_of(task, golds)
    factors = [_least(partial(_scaled, loss, each), [1.0], (LOW, HIGH))[0] for each in tables]
    scaled = [factor * each for factor, each in zip(factors, tables, strict=True)]
    unit = _unit(task, min(float(loss(each)) for each in scaled), len(golds))

    def both(weights: torch.Tensor) -> torch.Tensor:
        prior = (weights[0] - weights[1]) ** 2 / (2 * SPREAD**2)
        return unit * loss(weights[0] * scaled[0] + weights[1] * scaled[1]) + prior

    weights = _least(both, [0.5, 0.5], (0.0, MOST))
    return FittedWeights((factors[0], factors[1]), (weights[0], weights[1]))


def _branch(inputs: Inputs, parent: Artifact, options: Options, run: Run) -> Artifact:
    """The n-gram branch as an artifact of its own, calibrated on validation rows. It reads no declared field."""
    task, grams = task_of(parent.card), Grams(options.characters, options.words, options.bits)
    columns = inputs.train.texts, inputs.train.labels, inputs.train.groups
    about = [task.name, task.state, options.model_dump(mode="json", exclude={"engine"}), run.seed]
    key = digest([*about, *(digest_lines(column or ()) for column in columns)])
    # It does not depend on the encoder, so all branches of a run share it.
    folder = (run.shared or run.scratch) / "branch" / key[:32]
    fitted = complete_folder(
        folder, lambda inside: fit_branch(inputs.train, task, grams, options.c, run, key).write(inside)
    )
    card = parent.card.model_copy(update={"features": {}, "form": "static"})
    size = StaticEngine.load(Artifact(fitted, "", card)).parameters
    return seal(
        Compression(replace(inputs, features={}), options, run, replace(parent, card=card), "compress.ngrams"),
        form="static",
        folder=fitted,
        notes={"precision": "float16", "parameters": size},
    )


def _loss_of(task: Task, golds: Sequence[str]) -> Callable[[torch.Tensor], torch.Tensor]:
    """The sum of the task's loss over rows, of outputs (n, columns) with the heads side by side."""
    encoded = task.encode(golds, [Item("")] * len(golds))
    rows = len(golds)
    targets = [torch.from_numpy(np.asarray(encoded[name])) for name in task.heads]
    ends = np.cumsum([head.size for head in task.heads.values()])[:-1].tolist()

    def loss(outputs: torch.Tensor) -> torch.Tensor:
        parts = zip(task.heads.values(), torch.tensor_split(outputs, ends, dim=1), targets, strict=True)
        losses = [
            hard_loss(head.loss, part, target, smoothing_of(head.size, rows), reduction="sum")
            for head, part, target in parts
        ]
        return torch.stack(losses).sum()

    return loss


def smoothing_of(labels: int, rows: int) -> float:
    """The smoothing of the loss that leaves the gold what n rows support, as for a temperature (tasks/calibrate)."""
    return (1 - share_of_right(rows)) * labels / (labels - 1) if labels > 1 else 0.0


def _scaled(loss: Callable[[torch.Tensor], torch.Tensor], outputs: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    return loss(factor * outputs)


def _unit(task: Task, least: float, rows: int) -> float:
    """What makes a sum of losses a negative log-likelihood: of a squared error 1 / (2 variance), else 1."""
    squared = any(head.loss == "mean_squared_error" for head in task.heads.values())
    return rows / (2 * least) if squared and least > 0 else 1.0


def _least(
    function: Callable[[torch.Tensor], torch.Tensor], start: Sequence[float], bounds: tuple[float, float]
) -> list[float]:
    """The numbers within bounds at which a convex function is least, rounded."""
    from scipy.optimize import minimize

    def value(given: Floats) -> tuple[float, Floats]:
        numbers = torch.tensor(given, dtype=torch.float64, requires_grad=True)
        found = function(numbers)
        found.backward()  # type: ignore[no-untyped-call]
        assert numbers.grad is not None
        return found.item(), numbers.grad.numpy()

    found = minimize(value, np.array(start), jac=True, method="L-BFGS-B", bounds=[bounds] * len(start))
    return [round(float(number), _DIGITS) for number in found.x]
