"""Ridge regression in closed form, its penalty chosen by the error on rows that were left out.

    minimise over W, b:  sum_i |W x_i + b - y_i|^2 + a n |W|^2,   x standardised;  W and b are given for x as it was
    error of row i left out:  (y_i - W x_i - b) / (1 - h_ii),   H = 11'/n + X (X'X + a n I)^-1 X'

X (n, width), Y (n, outputs). The penalty a with the least sum of squares of these errors is taken. Sources: Hoerl and
Kennard, Ridge Regression, 1970; Allen, The Relationship between Variable Selection and Data Augmentation and a Method
for Prediction, 1974 (the error of a row left out, without a fit for each row).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from penjing.core.nouns import Run
from penjing.train.numerics import repeatable

Floats = npt.NDArray[np.float32]
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class LinearMap:
    """y = weight x + bias: weight (outputs, width), bias (outputs,), float32; penalty: the one that was chosen.

    left_out: mean squared error on rows left out, as a share of the spread of y (1: no better than the mean).
    """

    weight: torch.Tensor
    bias: torch.Tensor
    penalty: float
    left_out: float


def fit_ridge(states: Floats, outputs: Floats, run: Run) -> LinearMap:
    """The map from states (n, width) to outputs (n, k), n at least 1; the same bits for the same threads."""
    with repeatable(run.seed, run.threads):
        given, wanted = (torch.from_numpy(each).double() for each in (states, outputs))
        mean, goal = given.mean(dim=0), wanted.mean(dim=0)
        spread = given.std(dim=0, correction=0).clamp_min(_LEAST_SPREAD)
        rows, centred = (given - mean) / spread, wanted - goal
        values, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
        values = values.clamp_min(0)
        turned = rows @ vectors  # (n, width)
        shared = turned.T @ centred / len(rows)
        best: tuple[float, float, torch.Tensor] | None = None
        for penalty in PENALTIES:
            weight = shared / (values + penalty)[:, None]
            leverage = 1 / len(rows) + (turned.square() / (values + penalty)).sum(dim=1) / len(rows)
            apart = (centred - turned @ weight) / (1 - leverage).clamp_min(_LEAST_SPREAD)[:, None]
            error = float(apart.square().mean())
            if best is None or error < best[0]:
                best = error, penalty, vectors @ weight
        assert best is not None
        error, penalty, found = best
        matrix = (found / spread[:, None]).T
        bias = goal - matrix @ mean
    return LinearMap(
        matrix.float().contiguous(), bias.float(), penalty, error / max(float(centred.square().mean()), 1e-12)
    )
