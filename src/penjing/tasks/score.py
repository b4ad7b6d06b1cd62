"""The task `score`: a number or a grade for a text, with an interval; an error is a difference above a limit.

Regression (any number), with z the output and m, s the mean and standard deviation of the gold that it is learned from:

    y' = m + s z, trained by mean squared error;   r = |y - y'| / d(y'),   d the mean error near y' on validation rows
    interval: y' +- q d(y'), q the ceil((n + 1) coverage)-th smallest r;   p = share of r at most within / d(y')

Grades g_1 < ... < g_K, with K - 1 outputs z_k, each trained by cross entropy on whether the gold is above g_k:

    P(y > g_k) = min over j <= k of sigmoid(z_j / T);   answer: the most probable grade where
    the limit is 0, else the median grade
    interval: grades added around the answer, the more probable neighbour first, while they hold at most t;
    t is the ceil((n + 1) coverage)-th smallest probability that was held before the gold of a validation row was added

An answer is wrong where it is further than `within` from the gold; p estimates the probability that it is not.
Sources: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, Distribution-Free Predictive Inference for Regression, 2018
(intervals by scaled residuals); Cheng, Wang, Pollastri, A Neural Network Approach to Ordinal Regression, 2008 (the
loss); Lu, Angelopoulos, Pomerantz, Improving Trustworthiness of AI Disease Severity Rating in Medical Imaging with
Ordinal Conformal Prediction Sets, 2022. Prefer grades to regression where the gold has few values; prefer `classify`
where these have no order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from penjing.core.abilities import Bounds
from penjing.core.answers import Answer, Number, as_kind
from penjing.core.errors import DataError, RequestError, shown
from penjing.core.options import Options as _Options
from penjing.core.task import ALL, About, FactKind, Head, Item, MaskedText, Outputs, Section, Unit
from penjing.data.fields import parse_number, read_field
from penjing.tasks.band import margin_within
from penjing.tasks.grades import (
    GradeCalibration,
    best_grades,
    fit_grades,
    grade_intervals,
    grade_odds,
    grade_probabilities,
)
from penjing.tasks.residuals import Residuals, fit_residuals, spread_of

Floats = npt.NDArray[np.float64]
HEAD = "score"
# With more different values than this the gold is a number, not a grade.
MOST_GRADES = 12
# For numbers, so many equally full bands of the gold are the strata of a split.
_BANDS = 5
_DIGITS = 6
# A smaller spread has fewer than a hundred steps of the last decimal: rounding would be a part of every error.
_LEAST_SPREAD = 1e-4
# Two numbers that differ by this little are equal.
_CLOSE = 1e-9


class Options(_Options):
    """The options of `task: {type: score}`."""

    kind: Literal["auto", "grades", "number"] = Field(
        "auto", description="grades: few values in order; number: any value; auto: grades for at most 12 whole numbers"
    )
    within: float | None = Field(
        None,
        ge=0,
        le=1e12,
        allow_inf_nan=False,
        description="an answer further than this from the true value is an error; left out: 0 for grades, half the "
        "spread of the middle values for numbers",
    )
    coverage: float = Field(0.9, gt=0, lt=1, description="share of texts whose interval holds the true value")


ABOUT = About(
    name="score",
    gold="the column of the numbers",
    metric="share of the teacher's answers within the limit",
    line="{type: score}",
    comment="a number or a grade; `within: 1` is the largest error",
    facts=("value", "p"),
    numbers=True,
)


def open_reader(options: Options) -> ScoreReader:
    """The reader of numbers."""
    return ScoreReader(options.kind, options.within, options.coverage)


def restore(state: Mapping[str, Any]) -> Score:
    """The task of an artifact, from the state in its card."""
    return Score(
        kind=state["kind"],
        within=state["within"],
        coverage=state["coverage"],
        grades=tuple(state["grades"]),
        mean=state["mean"],
        scale=state["scale"],
        digits=state["digits"],
    )


@dataclass(frozen=True)
class ScoreReader:
    """Reads numbers as they are written, before their values are known."""

    kind: Literal["auto", "grades", "number"]
    within: float | None
    coverage: float

    golds_are_names = False
    golds_are_lists = False

    def read(self, cell: str, masked: MaskedText | None = None) -> str:  # noqa: ARG002
        """A finite number in its shortest form, "" for an empty cell. Raises DataError.

        Six decimals are kept: a number that is not 0 and would become 0 is refused.
        """
        try:
            value = read_field("label", cell, "float")
        except RequestError as error:
            raise DataError(error.what.replace("the field `label`", "the score", 1), fix=error.fix) from None
        if value == 0 and parse_number(cell):
            raise DataError(
                f"the score is `{shown(cell.strip(), 40)}`, and of scores {_DIGITS} decimals are kept: it would be 0",
                fix="multiply all scores, such as by 1000000; or write 0 if that is meant",
            )
        return "" if value is None else write_number(float(value))

    def strata(self, golds: Sequence[str]) -> list[str]:
        """The value, where there are few; else one of five equally full bands, such as `2.5 to 3`."""
        values = [float(gold) for gold in golds if gold]
        if len(set(values)) <= MOST_GRADES:
            return list(golds)
        edges = np.unique(np.quantile(values, np.linspace(0, 1, _BANDS + 1)))
        if len(edges) <= 2:
            # Most rows have one value: the bands are of the others.
            edges = np.unique(np.quantile(sorted(set(values)), np.linspace(0, 1, _BANDS + 1)))
        # Three decimals, or as many as keep the edges apart.
        digits = next((n for n in range(3, _DIGITS) if len(np.unique(np.round(edges, n))) == len(edges)), _DIGITS)
        ends = [write_number(round(edge, digits)) for edge in edges.tolist()]
        names = [f"{low} to {high}" for low, high in pairwise(ends)]
        places = np.clip(
            np.searchsorted(edges, [float(gold or "nan") for gold in golds], "right") - 1, 0, len(names) - 1
        )
        return [names[place] if gold else "" for gold, place in zip(golds, places.tolist(), strict=True)]

    def learn(self, golds: Sequence[str]) -> Score:
        """Grades, or mean and standard deviation. Raises DataError where all values are equal, or differ by less than
        six decimals can show."""
        values = np.array([float(gold) for gold in golds if gold])
        if len(values) == 0 or np.ptp(values) == 0:
            raise DataError("the train rows have one score only", fix="give rows of at least two values")
        different = sorted(set(values.tolist()))
        whole = all(value == round(value) for value in different)
        graded = self.kind == "grades" or (self.kind == "auto" and whole and len(different) <= MOST_GRADES)
        scale, spread = float(values.std()), spread_of(values, _LEAST_SPREAD)
        if scale < _LEAST_SPREAD:
            raise DataError(
                f"the scores differ by about {scale:.1g} only, and of scores {_DIGITS} decimals are kept",
                fix="multiply all scores, such as by 1000000, and `within` too",
            )
        return Score(
            kind="grades" if graded else "number",
            within=self.within if self.within is not None else 0.0 if graded else float(f"{spread / 2:.2g}"),
            coverage=self.coverage,
            grades=tuple(different) if graded else (),
            mean=round(float(values.mean()), _DIGITS),
            scale=round(scale, _DIGITS),
            digits=0 if graded else min(_DIGITS, 1 + max(len(gold.partition(".")[2]) for gold in golds)),
        )


@dataclass(frozen=True)
class Score(ScoreReader):
    """A number or one of `grades`; mean and scale are those of the train and validation gold, digits of an answer."""

    within: float
    grades: tuple[float, ...] = ()
    mean: float = 0.0
    scale: float = 1.0
    digits: int = 0

    name = "score"
    errors = ("mae", "rmse")

    @property
    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "within": self.within,
            "coverage": self.coverage,
            "grades": list(self.grades),
            "mean": self.mean,
            "scale": self.scale,
            "digits": self.digits,
        }

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        if self.grades:
            return {HEAD: Head("pooled", len(self.grades) - 1, "ordinal")}
        return {HEAD: Head("pooled", 1, "mean_squared_error")}

    def with_rows(self, rows: Mapping[str, int]) -> Score:  # noqa: ARG002 - every row counts alike, whatever its value
        return self

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """As `ScoreReader.read`, but of grades only a known one. Raises DataError."""
        gold = super().read(cell, masked)
        if gold and self.grades and float(gold) not in self.grades:
            known = ", ".join(f"`{write_number(grade)}`" for grade in self.grades)
            raise DataError(f"unknown grade `{gold}`", fix=f"known are: {known}")
        return gold

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:  # noqa: ARG002
        """{"score": standardised values (n,) float32, or positions among the grades (n,) int64}. Raises DataError."""
        values = np.array([float(self.read(gold)) for gold in golds])
        if self.grades:
            return {HEAD: np.searchsorted(np.array(self.grades), values).astype(np.int64)}
        return {HEAD: ((values - self.mean) / self.scale).astype(np.float32)}

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:  # noqa: ARG002
        """Temperature and conformal threshold of grades, or local errors and their quantiles of numbers."""
        if self.grades:
            places = np.asarray(self.encode(golds, ())[HEAD])
            return fit_grades(outputs[HEAD], places, self._near, self.coverage).to_json()
        values = np.array([float(gold) for gold in golds])
        return fit_residuals(self._values(outputs), values).to_json()

    def plain(self) -> dict[str, Any]:
        none = np.zeros(0)
        return (GradeCalibration(1.0, 1.0) if self.grades else fit_residuals(none, none)).to_json()

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:  # noqa: ARG002
        """A Number an item."""
        if self.grades:
            return self._decode_grades(outputs, GradeCalibration.from_json(calibration))
        residuals = Residuals.from_json(calibration)
        raw = self._values(outputs)
        half, p = residuals.half_width(raw, self.coverage), residuals.share_within(raw, self.within)
        rows = zip(np.round(raw, self.digits).tolist(), half.tolist(), p.tolist(), strict=True)
        return [
            Number(value, _short(value - width), _short(value + width), _short(sure)) for value, width, sure in rows
        ]

    def _decode_grades(self, outputs: Outputs, calibration: GradeCalibration) -> list[Answer]:
        probabilities = grade_probabilities(outputs[HEAD], calibration.temperature)
        best, p, margin = best_grades(probabilities, self._near)
        low, high = grade_intervals(probabilities, best, calibration.mass)
        return [
            Number(self.grades[b], self.grades[i], self.grades[j], _short(sure), _short(gap))
            for b, i, j, sure, gap in zip(
                best.tolist(), low.tolist(), high.tolist(), p.tolist(), margin.tolist(), strict=True
            )
        ]

    @cached_property
    def _near(self) -> Floats:
        """(K, K): 1 where a grade is within the limit of another."""
        grades = np.array(self.grades)
        result: Floats = (np.abs(grades[:, None] - grades[None, :]) <= self.within + _CLOSE).astype(np.float64)
        return result

    def _values(self, outputs: Outputs) -> Floats:
        column = np.asarray(outputs[HEAD], dtype=np.float64)[:, 0]
        result: Floats = self.mean + self.scale * column
        return result

    def kinds(self) -> dict[str, FactKind]:
        found: dict[str, FactKind] = {"value": "float", "low": "float", "high": "float", "p": "unit"}
        return found | {"margin": "unit"} if self.grades else found

    def bounds(self) -> Bounds:
        """Of grades the grades, in order; the value of a number is rounded, and may lie outside a narrow interval."""
        if self.grades:
            return Bounds(dict.fromkeys(("low", "value", "high"), self.grades), ("low", "value", "high"))
        return Bounds(ordered=("low", "high"))

    def facts(self, answer: Answer) -> dict[str, Any]:
        """value, low, high, p and margin of a Number."""
        one = as_kind(answer, Number)
        return {name: getattr(one, name) for name in ("value", "low", "high", "p", "margin")}

    @property
    def scopes(self) -> tuple[str, ...]:
        return (ALL,)

    def scope(self, facts: Mapping[str, Any]) -> str:  # noqa: ARG002 - one limit for all values
        return ALL

    def outcome(self, facts: Mapping[str, Any]) -> str:
        return write_number(facts["value"])

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """Whether another grade may be the answer, by its margin. The value and p of a number move with its output."""
        return bool(self.grades) and margin_within(facts, 2 * band)

    def moved(self, one: Answer, other: Answer) -> float:
        """The difference of p; 1 for another grade; for numbers that of the values, in deviations, if it is larger."""
        if not (isinstance(one, Number) and isinstance(other, Number)) or (self.grades and one.value != other.value):
            return 1.0
        # Two values that were rounded may differ by one unit of the last digit where the outputs agree.
        far = 0.0 if self.grades else max(0.0, abs(one.value - other.value) - 10.0**-self.digits) / self.scale
        return _short(max(abs(one.p - other.p), far))

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """For a grade the log-odds of being within the limit; for a number its value, falling towards the mean."""
        said = as_kind(answer, Number).value
        if not self.grades:
            sign = 1.0 if said >= self.mean else -1.0
            return lambda outputs: sign * np.asarray(outputs[HEAD], dtype=np.float64)[:, 0]
        near, temperature = self._near[self.grades.index(said)], float(calibration["temperature"])
        return lambda outputs: grade_odds(outputs[HEAD], temperature, near)

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 10): rows, within the limit, inside the interval, |error|, error^2, y, y^2, y', y'^2, y y'."""
        rows = []
        for answer, gold in zip(answers, golds, strict=True):
            one = as_kind(answer, Number)
            y, said = float(gold), one.value
            error = said - y
            inside = one.low - _CLOSE <= y <= one.high + _CLOSE
            near = abs(error) <= self.within + _CLOSE
            rows.append((1.0, near, inside, abs(error), error * error, y, y * y, said, said * said, y * said))
        return np.array(rows, dtype=np.float64).reshape(len(rows), 10)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """within (share of errors at most the limit), mae, rmse, r2, pearson, coverage of the interval."""
        n, near, inside, absolute, squared, y, yy, said, said2, product = np.moveaxis(np.asarray(sums), -1, 0)
        rows = np.maximum(n, 1.0)
        variance, variance2 = yy / rows - (y / rows) ** 2, said2 / rows - (said / rows) ** 2
        both = np.sqrt(np.maximum(variance * variance2, 0.0))
        covariance = product / rows - y * said / rows**2
        zero = np.zeros_like(rows)
        return {
            "within": near / rows,
            "mae": absolute / rows,
            "rmse": np.sqrt(squared / rows),
            "r2": 1 - np.divide(squared / rows, variance, out=np.ones_like(rows), where=variance > _CLOSE),
            "pearson": np.divide(covariance, both, out=zero, where=both > _CLOSE),
            "coverage": inside / rows,
        }

    def wrong(self, outcome: str, gold: str) -> bool:
        return abs(float(outcome) - float(gold)) > self.within + _CLOSE

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        if not self.within:
            return {"en": "an answer other than the true value", "zh": "与真实值不同的答案"}
        limit = write_number(self.within)
        return {
            "en": f"an answer further than {limit} from the true value",
            "zh": f"与真实值相差超过 {limit} 的答案",
        }

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One: the number."""
        outcome = self.outcome(facts)
        return (Unit(ALL, facts["p"], outcome, self.wrong(outcome, gold)),)

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """For grades how often each is taken for which; for numbers the error by band of the true value."""
        pairs = [(answer, gold) for answer, gold in zip(answers, golds, strict=True) if isinstance(answer, Number)]
        if self.grades:
            golds_seen = sorted({*self.grades, *(float(gold) for _, gold in pairs)})
            seen = Counter((gold, write_number(answer.value)) for answer, gold in pairs)
            names = [write_number(grade) for grade in golds_seen]
            rows = tuple((truth, *(float(seen[truth, said]) for said in names)) for truth in names)
            title = {"en": "Which grades are taken for which", "zh": "哪些等级被判成哪些"}
            return (Section("grades", "matrix", title, ("", *names), rows),)  # type: ignore[arg-type]
        bands: dict[str, list[tuple[float, bool]]] = {}
        for band, (answer, gold) in zip(self.strata([gold for _, gold in pairs]), pairs, strict=True):
            inside = answer.low - _CLOSE <= float(gold) <= answer.high + _CLOSE
            bands.setdefault(band, []).append((abs(answer.value - float(gold)), inside))
        table = []
        for band, held in sorted(bands.items(), key=lambda pair: float(pair[0].split(" ")[0])):
            error, covered = np.array(held, dtype=np.float64).mean(axis=0).tolist()
            table.append((band, float(len(held)), round(error, 4 if error >= 0.1 else _DIGITS), round(covered, 4)))
        title = {"en": "Error and coverage by true value", "zh": "各段真实值的误差与区间覆盖率"}
        columns = ("true value", "rows", "mean error", "coverage")
        return (Section("errors_by_value", "table", title, columns, tuple(table)),)  # type: ignore[arg-type]


def write_number(value: float) -> str:
    """The shortest decimal form with at most six decimals: 3, 2.5, -0.125."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if round(value, 6) else "0"


def _short(value: float) -> float:
    return round(float(value), _DIGITS)
