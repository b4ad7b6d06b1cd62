"""What more labelled rows would buy: `tune.linear` on parts of the train rows, and a power law through its scores.

Each size is drawn several times, each fit is scored on the validation rows by the task's first metric, and
`measure/power_law.py` is fitted to the means. The interval is of a bootstrap that draws the fits of each size anew, and
the validation rows too, and leaves one size or all smaller ones out, because the law itself may not fit. A law through
the sizes up to half of the rows is also tried on the other half; by what it said too little or too much there, the
interval is wider. Nothing is said about more than twice the rows there are.
When not: with some five rows a label the score still rises ever faster, and the gain is underestimated; the interval
is wide there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from penjing.core.errors import DataError
from penjing.core.nouns import Artifact, Inputs, Progress, Run, Table
from penjing.core.recipe import RecipeFile
from penjing.core.task import CatalogueTask, Task
from penjing.data.features import rows_of
from penjing.data.prepare import Prepared
from penjing.make.cache import Cache
from penjing.make.plan import single_step
from penjing.measure.power_law import Floats, fit_power_law, gain
from penjing.report.learning_part import CurvePoint, RowsForecast
from penjing.runtime.open import open_session

# Shares of the train rows; all of them are one draw. Smaller parts are often on another law: with few rows a label the
# score first rises slowly, and on BANKING77 a law through them said half of the gain that came.
SHARES = (1 / 4, 3 / 8, 1 / 2, 3 / 4, 1.0)
DRAWS = 3
# Fewer train rows than these give sizes at which no model learns anything; more take minutes.
FEWEST, MOST = 320, 20_000
# The time of a fit grows with rows times outputs: with more than these all fits together take minutes.
_MOST_CELLS = 500_000
RESAMPLES = 300
_AGREED = 0.1
# What a person calls little: a score that gains less than half a point.
_LITTLE = 0.005
_ROUND = (1, 2, 5)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit on so many train rows: its counts on the validation rows, a sparse matrix (rows, K)."""

    rows: int
    counts: Any


def learning_curve(
    file: RecipeFile,
    data: Prepared,
    progress: Progress,
    c: float | None = None,
    threads: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> RowsForecast | None:
    """What more rows would buy, by the plain word model; None where it is not worth its time.

    c: the regularisation of every fit; None: it is chosen on all train rows first. None is returned for fewer than 320
    or more than 20,000 train rows; for many rows with many labels and for models that answer about pieces of the text,
    whose fits take long; for the entries of a catalogue; and for a recipe whose model reads no text. Raises
    RunInterruptedError when stopped.
    """
    rows, heads = len(data.train), data.task.heads.values()
    if not FEWEST <= rows <= MOST or any(head.kind != "pooled" for head in heads) or not file.recipe.reads_text:
        return None
    if isinstance(data.task, CatalogueTask) or rows * sum(head.size for head in heads) > _MOST_CELLS:
        return None
    features = file.recipe.data.feature_types()
    inputs = Inputs(None, data.train, data.validation, language=data.language, task=data.task, features=features)
    with TemporaryDirectory() as name:
        folder, seed = Path(name), file.recipe.seed
        run = Run(out=folder / "fits", scratch=folder / "scratch", seed=seed, threads=threads, stop=stop)
        try:
            fits = fits_of(inputs, c, run, progress)
        except DataError:  # a draw with one label only
            return None
    return forecast_of(data.task.with_rows(data.audit.rows_by_label), fits, rows, seed)


def fits_of(inputs: Inputs, c: float | None, run: Run, progress: Progress) -> list[Fitted]:
    """`tune.linear` on parts of the train rows, several draws each, counted on the validation rows.

    c: see `learning_curve`. Raises DataError where a draw has one label only, RunInterruptedError when stopped.
    """
    from scipy.sparse import csr_matrix

    fits: list[Fitted] = []
    rows = len(inputs.train)
    plan = [(share, draw) for share in reversed(SHARES) for draw in range(DRAWS if share < 1 else 1)]
    progress.start("what more rows would give", len(plan))
    for share, draw in plan:
        part = _drawn(inputs.train, round(share * rows), draw, run.seed)
        inside = f"{len(part)}-{draw}"
        counts, c = _counts(replace(inputs, train=part), c, replace(run, out=run.out / inside))
        fits.append(Fitted(len(part), csr_matrix(counts)))
        progress.advance()
    return fits


def curve_beside(file: RecipeFile, data: Prepared, linear: Artifact, cache: Cache) -> RowsForecast | None:
    """The same in a run of `make`, with the C of its `tune.linear`."""
    return learning_curve(file, data, cache.progress, strength_of(linear), cache.threads, cache.stop)


def strength_of(linear: Artifact) -> float | None:
    """The C of a `tune.linear` artifact; None where it has several, or none."""
    found = linear.card.notes.get("c")
    return found if isinstance(found, float) else None


def _drawn(train: Table, count: int, draw: int, seed: int) -> Table:
    """So many rows of a table, in their order."""
    if count == len(train):
        return train
    chosen = random.Random(f"{seed} {draw} {count}").sample(range(len(train)), count)
    return train.take(sorted(chosen))


def _counts(inputs: Inputs, c: float | None, run: Run) -> tuple[npt.NDArray[np.float64], float | None]:
    """The counts of a fit on validation rows, and its C."""
    step = single_step("tune.linear", {} if c is None else {"c": [c]})
    artifact = step.method.apply(inputs, step.options, run)
    session = open_session(artifact, threads=run.threads)
    table = inputs.validation
    found = session.predict(table.texts, rows_of(table) if table.fields else None)
    counts = session.task.counts([each.answer for each in found], table.labels or ())
    return counts, strength_of(artifact) if c is None else c


def forecast_of(task: Task, fits: Sequence[Fitted], rows: int, seed: int) -> RowsForecast:
    """The forecast from fits of several sizes, of which `rows` is the largest."""
    name = next(iter(task.metrics(np.asarray(fits[0].counts.sum(axis=0)).ravel())))
    draw = np.random.default_rng(seed)
    validation = fits[0].counts.shape[0]
    # The first resample is the rows as they are.
    weights = draw.multinomial(validation, np.full(validation, 1 / validation), RESAMPLES).astype(np.float64)
    weights = np.concatenate([np.ones((1, validation)), weights])
    sizes = sorted({each.rows for each in fits})
    scores = {
        size: np.stack([task.metrics(weights @ each.counts)[name] for each in fits if each.rows == size])
        for size in sizes
    }  # (draws, 1 + resamples) each
    means, gains, missed, more = [], [], [], round_rows(rows)
    x = np.array(sizes, dtype=np.float64)
    for place in range(1, RESAMPLES + 1):
        found = np.array([_again(scores[size][:, place], draw) for size in sizes])
        # Without one size, never the largest; or with the last three alone, which are nearest to what is foretold.
        places = np.arange(len(sizes))
        kept = places != draw.integers(0, len(sizes) - 1) if draw.random() < 0.5 else places >= len(sizes) - 3
        gains.append(gain(fit_power_law(x[kept], 1 - found[kept]), rows, more))
        missed.append(_missed(x, found, rows) * more / (rows - rows // 2))
        means.append(found)
    centre = np.array([scores[size][:, 0].mean() for size in sizes])
    law, every = fit_power_law(x, 1 - centre), np.array(means)
    value, (low, high) = gain(law, rows, more), np.quantile(gains, [0.025, 0.975])
    # Wider on the side on which the law was wrong before, by what nine in ten resamples agree on.
    least, most = np.quantile(missed, [_AGREED, 1 - _AGREED])
    low, high = max(0.0, low + min(0.0, most)), high + max(0.0, least)
    ends = np.quantile(every, [0.025, 0.975], axis=0)
    risen = float(np.quantile(every[:, -1] - every[:, sizes.index(_quarter(sizes, rows))], 0.025))
    points = zip(sizes, centre.tolist(), ends[0].tolist(), ends[1].tolist(), strict=True)
    return RowsForecast(
        metric=name,
        rows=rows,
        more=more,
        gain=round(value, 6),
        low=round(min(float(low), value), 6),
        high=round(max(float(high), value), 6),
        answer=answer_of(float(high), risen),
        points=tuple(
            CurvePoint(rows=n, score=_six(s), low=_six(lower), high=_six(upper)) for n, s, lower, upper in points
        ),
        law=(round(law.a, 9), round(law.b, 9), round(law.c, 9)),
    )


def _missed(sizes: Floats, scores: Floats, rows: int) -> float:
    """What the other half of the rows gave beyond what a law through the sizes up to half of them says."""
    known = sizes <= rows / 2 + 1
    half = float(sizes[known][-1])
    said = fit_power_law(sizes[known], 1 - scores[known])
    return float(scores[-1] - scores[known][-1]) - (said.at(half) - said.at(rows))


def _again(scores: Floats, draw: np.random.Generator) -> float:
    """The mean of the scores of one size, its draws drawn anew."""
    return float(scores[draw.integers(0, len(scores), len(scores))].mean())


def _quarter(sizes: Sequence[int], rows: int) -> int:
    """The size nearest to a quarter of the rows."""
    return min(sizes, key=lambda size: abs(size - rows / 4))


def _six(value: float) -> float:
    return round(value, 6)


def answer_of(high: float, risen: float) -> Literal["gain", "flat", "noisy"]:
    """What is said: the gain, that the curve is flat, or that it is too noisy to say.

    high: the upper end of the gain; risen: the lower end of what the score rose by, from a quarter of the rows to all.
    """
    if high < _LITTLE:
        return "flat"
    return "gain" if risen > 0 else "noisy"


def round_rows(rows: int) -> int:
    """The largest number of the form 1, 2 or 5 times a power of ten that is at most `rows`."""
    power: int = 10 ** (len(str(rows)) - 1)
    return max(each * power for each in _ROUND if each * power <= rows)
