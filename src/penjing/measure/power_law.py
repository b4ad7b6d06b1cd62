"""How an error falls with the number of train rows: a power law through measured errors, and what more rows would give.

    e(n) = c + a n^-b,   a >= 0, c >= 0, b on a grid of 0.05 to 2:   least squares over the sizes, each weighted by n

For each b the best a and c are known in closed form; the b with the smallest sum of squares is taken. With a >= 0 the
fitted error never rises with rows. The weights are there because small sizes are often not yet on the power law.
Source: Hestness et al., Deep Learning Scaling is Predictable, Empirically, 2017; Viering and Loog, The Shape of
Learning Curves: a Review, 2022 (power laws with an offset fit most curves of classifiers, and extrapolate best).
When: to say what up to as many more rows give. When not: far beyond the rows there are, where the offset c decides and
is hardly known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
POWERS: Floats = np.geomspace(0.05, 2.0, 40)


@dataclass(frozen=True)
class PowerLaw:
    """e(n) = c + a n^-b."""

    a: float
    b: float
    c: float

    def at(self, rows: float) -> float:
        """The error at so many rows."""
        return float(self.c + self.a * rows**-self.b)


def fit_power_law(sizes: Floats, errors: Floats) -> PowerLaw:
    """The power law through errors (k,) at sizes (k,), of at least three different sizes.

    Raises ValueError for fewer: three numbers cannot be found from them.
    """
    if len(set(sizes.tolist())) < 3:
        raise ValueError(f"a power law needs three sizes, not {len(set(sizes.tolist()))}")
    largest, weights = float(sizes.max()), sizes / sizes.sum()
    # Scaled by the largest size, so that both columns are of one magnitude. (powers, sizes)
    x = (sizes / largest) ** -POWERS[:, None]
    a, c = _not_negative(x, errors, weights)
    misses = (weights * (c[:, None] + a[:, None] * x - errors) ** 2).sum(axis=1)
    best = int(np.argmin(misses.round(15)))
    power = float(POWERS[best])
    return PowerLaw(float(a[best]) * largest**power, power, float(c[best]))


def _not_negative(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """a >= 0 and c >= 0, (powers,) each, of the weighted least squares of c + a x against y; the weights sum to 1."""
    middle = float((weights * y).sum())
    means = (weights * x).sum(axis=1)
    spread = x - means[:, None]
    a = (weights * spread * y).sum(axis=1) / (weights * spread**2).sum(axis=1)
    c = middle - a * means
    through_zero = np.maximum(0.0, (weights * x * y).sum(axis=1) / (weights * x**2).sum(axis=1))
    falls, above = a >= 0, c >= 0
    slope = np.where(falls, np.where(above, a, through_zero), 0.0)
    return slope, np.where(falls, np.where(above, c, 0.0), max(0.0, middle))


def gain(law: PowerLaw, rows: int, more: int) -> float:
    """By how much the error falls with `more` rows beyond `rows`."""
    return law.at(rows) - law.at(rows + more)
