"""The losses and the scores of a training as a card stores them: few points, six decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

_CURVE_POINTS = 200


def round_scores(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores by name with six decimals."""
    return {name: round(value, 6) for name, value in scores.items()}


def rounded(evaluations: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """The same of each evaluation."""
    return [round_scores(one) for one in evaluations]


def thinned(losses: Sequence[float]) -> list[list[float]]:
    """At most 200 pairs (last step of a span, mean loss in it)."""
    spans = np.array_split(np.asarray(losses), min(_CURVE_POINTS, max(1, len(losses))))
    ends = np.cumsum([len(span) for span in spans])
    return [[int(end), round(float(span.mean()), 6)] for end, span in zip(ends, spans, strict=True) if len(span)]
