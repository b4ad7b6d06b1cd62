"""The best piece of a passage from outputs by token, its share of all pieces and of "no answer", and their log-odds.

    z(i, j) = start_i + end_j,   i <= j < i + 64 tokens;     z(none) = start_0 + end_0 + b of the first token of the row
    share of a piece or of none = exp(z) / (sum of exp(z) over all pieces, and none where it can be an answer)

The answer is the largest z. Sources: Devlin and others, BERT, 2019 (the scores of spans, and of no answer as the first
token); Clark, Gardner, Simple and Effective Multi-Paragraph Reading Comprehension, 2018 (one sum over all windows).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.task import Item
from penjing.tasks.tag_decode import Units, units_of

Floats = npt.NDArray[np.float64]
# The longest answer, in tokens.
LONGEST = 64
# A score that is lower by more says no more.
FARTHEST = 20.0
_LEAST = 1e-12
# How many pieces of a passage the fit of b looks at one by one.
_KEPT = 50
_LOW, _HIGH, _STEPS = -20.0, 20.0, 40
_GOLDEN = (np.sqrt(5.0) - 1) / 2


@dataclass(frozen=True)
class PieceScores:
    """The scores of one item: of every piece, (units, LONGEST) with -inf where there is none, and of no answer."""

    units: Units
    pieces: Floats
    none: float

    def total(self, *, none: bool) -> float:
        """The logarithm of the sum; none: whether no answer is part of it."""
        each = [*self.pieces[np.isfinite(self.pieces)].tolist(), *([self.none] if none else [])]
        return float(np.logaddexp.reduce(each)) if each else -np.inf

    def at(self, start: int, end: int) -> float | None:
        """The score of the piece of all units that [start, end) touches; None where no piece of units is this one."""
        found = located(start, end, self.units)
        if found is None or found[1] - found[0] >= LONGEST:
            return None
        return float(self.pieces[found[0], found[1] - found[0]])


@dataclass(frozen=True)
class BestPiece:
    """The answer: [start, end) in characters, None for no answer; and its share.

    apart, beside: how far the score of the best piece that shares no unit with it, and of the best other piece that
    shares one, is below its own; 20 at most, and where there is none.
    """

    place: tuple[int, int] | None
    share: float
    apart: float = FARTHEST
    beside: float = FARTHEST


def scores_of(table: Any, item: Item, bias: float) -> PieceScores:
    """The scores of an item from outputs (tokens, 2). bias: b of no answer."""
    values = np.asarray(table, dtype=np.float64)
    units = units_of(item)
    start, end = values[units.tokens, 0], values[units.tokens, 1]
    count = len(units.tokens)
    padded = np.concatenate((end, np.full(LONGEST, -np.inf)))
    ends = np.lib.stride_tricks.sliding_window_view(padded, LONGEST)[:count]
    return PieceScores(units, start[:, None] + ends, float(values[0].sum()) + bias)


def best_of(scores: PieceScores, *, none: bool) -> BestPiece:
    """The answer of an item; of equal scores the first piece. none: whether no answer can be one."""
    if not scores.pieces.size:
        return BestPiece(None, 1.0)
    first, length = np.unravel_index(int(scores.pieces.argmax()), scores.pieces.shape)
    top, total = float(scores.pieces[first, length]), scores.total(none=none)
    if none and scores.none > top:
        return BestPiece(None, _share(scores.none, total))
    place = int(scores.units.starts[first]), int(scores.units.ends[first + length])
    return BestPiece(place, _share(top, total), *_margins(scores.pieces, int(first), int(length)))


def log_odds(score: float | None, total: float) -> float:
    """log(q / (1 - q)) of a score, q its share, held within [1e-12, 1 - 1e-12]; NaN for None."""
    if score is None:
        return float("nan")
    held = min(max(_share(score, total), _LEAST), 1 - _LEAST)
    return float(np.log(held) - np.log1p(-held))


def located(start: int, end: int, units: Units) -> tuple[int, int] | None:
    """The first and the last unit that [start, end) touches; None where the item does not hold all of it."""
    if not len(units.tokens) or start < units.starts[0] or end > units.ends[-1]:
        return None
    first = int(np.searchsorted(units.ends, start, "right"))
    last = int(np.searchsorted(units.starts, end, "left")) - 1
    return (first, last) if first <= last else None


def fit_bias(found: Sequence[PieceScores], places: Sequence[Sequence[tuple[int, int]]]) -> float:
    """b of least -log(share of all right answers), which is convex in b; of items scored with b = 0.

    places: the right ones of each item, none where no answer is right. The best 50 pieces of an item, and the right
    ones, stand for all of them.
    """
    right, others, none, answered = [], [], [], []
    for scores, own in zip(found, places, strict=True):
        top = np.sort(scores.pieces, axis=None)[-_KEPT:]
        others.append(float(np.logaddexp.reduce(top)) if len(top) else -np.inf)
        said = [score for start, end in own if (score := scores.at(start, end)) is not None]
        right.append(float(np.logaddexp.reduce(said)) if said else np.nan)
        none.append(scores.none)
        answered.append(bool(own))
    nothing, pieces, gold = np.array(none), np.array(others), np.array(right)
    is_piece = np.array(answered, dtype=bool)
    known = ~is_piece | np.isfinite(gold)
    if not known.any():
        return 0.0

    def loss(bias: float) -> float:
        total = np.logaddexp(pieces, nothing + bias)
        said = np.where(is_piece, np.minimum(gold, total), nothing + bias)
        return float((total - said)[known].mean())

    left, right_end = _LOW, _HIGH
    for _ in range(_STEPS):
        width = _GOLDEN * (right_end - left)
        if loss(right_end - width) < loss(left + width):
            right_end = left + width
        else:
            left = right_end - width
    return round((left + right_end) / 2, 6)


def _margins(pieces: Floats, first: int, length: int) -> tuple[float, float]:
    """How far the best piece apart from this one, and the best other one that overlaps it, are below it."""
    own, last = pieces[first, length], first + length
    begin = np.arange(len(pieces))[:, None]
    overlapping = (begin <= last) & (begin + np.arange(LONGEST) >= first)
    apart = np.where(overlapping, -np.inf, pieces).max()
    others = np.where(overlapping, pieces, -np.inf)
    others[first, length] = -np.inf
    return float(min(own - apart, FARTHEST)), float(min(own - others.max(), FARTHEST))


def _share(score: float, total: float) -> float:
    return float(np.exp(min(score - total, 0.0)))
