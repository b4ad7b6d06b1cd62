"""How unsure a model is of an answer, by the kind of the answer; the larger, the more a label would tell it.

    entropy   H(p) = -sum_k p_k ln p_k                    one label of several, or the nearest entries of a catalogue
              sum over labels of H(p_k, 1 - p_k)          any number of labels
    margin    1 - (p_1 - p_2), the two largest p          one label of several
              1 - the distance to the nearest threshold   any number of labels
    both      1 - p of the whole answer                   numbers, pieces of a text, relations, written answers
    of several tasks in one: the sum over its tasks (entropy), the largest of them (margin)

Source: Shannon, A Mathematical Theory of Communication, 1948; Scheffer, Decomain and Wrobel, Active Hidden Markov
Models for Information Extraction, 2001 (margin); Culotta and McCallum, Reducing Labeling Effort for Structured
Prediction Tasks, 2005 (1 - p of the whole answer); Settles, Active Learning Literature Survey, 2009.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from penjing.core.answers import Answer, Choice, Flags, Joint, Links, Ranked, Spans

Floats = npt.NDArray[np.float64]


def entropy(answer: Answer) -> float:
    """The entropy of an answer in nats; 1 - p where only the whole answer has a probability."""
    if isinstance(answer, Choice | Ranked):
        return _entropy(answer.probabilities)
    if isinstance(answer, Flags):
        return sum(_entropy((p, 1 - p)) for p in answer.probabilities)
    if isinstance(answer, Joint):
        return sum(entropy(part) for part in answer.parts.values())
    return 1.0 - answer.p


def margin(answer: Answer) -> float:
    """1 - the margin of an answer, in [0, 1]; 1 - p where only the whole answer has a probability."""
    if isinstance(answer, Choice | Ranked):
        first, second = [*sorted(answer.probabilities, reverse=True), 0.0][:2]
        return 1.0 - (first - second)
    if isinstance(answer, Flags):
        return 1.0 - min(1.0, answer.margin)
    if isinstance(answer, Joint):
        return max(margin(part) for part in answer.parts.values())
    return 1.0 - answer.p


def residual(answer: Answer) -> Floats | None:
    """What the model would have to change if its own answer were the gold, (outputs,): p - onehot(answer).

    It is the gradient of the loss by the logits. None for answers that have no probability for each label.
    """
    if isinstance(answer, Choice):
        found = np.array(answer.probabilities, dtype=np.float64)
        found[int(np.argmax(found))] -= 1.0
        return found
    if isinstance(answer, Flags):
        return np.array(answer.probabilities, dtype=np.float64) - np.array(answer.given, dtype=np.float64)
    if isinstance(answer, Joint):
        parts = [residual(part) for part in answer.parts.values()]
        known = [part for part in parts if part is not None]
        return np.concatenate(known) if len(known) == len(parts) else None
    return None


def chances(answer: Answer) -> Mapping[str, float] | None:
    """The probability that each label is an answer, or among the answers; None for answers without labels."""
    if isinstance(answer, Choice | Ranked | Flags):
        return dict(zip(answer.labels, answer.probabilities, strict=True))
    if isinstance(answer, Spans):
        return _largest([(span.label, span.p) for span in answer.spans])
    if isinstance(answer, Links):
        return _largest([(link.relation, link.p) for link in answer.links])
    return None


def _largest(found: Sequence[tuple[str, float]]) -> dict[str, float]:
    kept: dict[str, float] = {}
    for label, p in found:
        kept[label] = max(p, kept.get(label, 0.0))
    return kept


def _entropy(probabilities: Sequence[float]) -> float:
    p = np.array(probabilities, dtype=np.float64)
    p = p[p > 0]
    return float(-(p * np.log(p)).sum()) + 0.0
