"""Entities from outputs by token: the most probable sequence of tags that the scheme allows, and its probability.

    tags: O, B-x, I-x of each type x;   I-x follows only B-x or I-x
    P(y) = prod_t softmax(z_t / T)[y_t] / Z over the allowed sequences y;   Z is their sum

The answer is the sequence of largest P (Viterbi). The probability of one entity is the share of Z of the sequences
that have exactly this entity, by forward and backward sums. This is a Markov model whose transitions are allowed or
not. A model that learned weights of transitions is decoded by `tasks/tag_chain.py`.

Sources: Viterbi, Error Bounds for Convolutional Codes, 1967; Ramshaw, Marcus, Text Chunking Using Transformation-Based
Learning, 1995 (the tags); Culotta, McCallum, Confidence Estimation for Information Extraction, 2004 (the probability of
one entity by constrained sums).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.task import Item
from penjing.tasks.metrics import softmax
from penjing.tasks.tag_chain import TagChain
from penjing.tasks.tag_spans import Entity

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# No share is smaller, so that logarithms stay finite.
_LEAST = 1e-12


@dataclass(frozen=True)
class Units:
    """The tokens of a text that bear tags: their places among all tokens, and [start, end) of each in characters.

    Special tokens and blanks bear none. Of tokens that begin at one place (the mark of a word and its first piece, the
    bytes of one character) the last one does. Ends are in order, and blanks at the edges of a token are left out.
    """

    tokens: Ints
    starts: Ints
    ends: Ints


def units_of(item: Item) -> Units:
    """The units of an item, whose offsets are (tokens, 2)."""
    found: list[tuple[int, int, int]] = []
    for place, (start, end) in enumerate(np.asarray(item.offsets).tolist()):
        piece = item.text[start:end]
        first, last = end - len(piece.lstrip()), start + len(piece.rstrip())
        if first >= last:
            continue
        if found and found[-1][1] == first:
            found.pop()
        if found and first < found[-1][2]:
            first = found[-1][2]
        if first < last:
            found.append((place, first, last))
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    return Units(table[:, 0], table[:, 1], table[:, 2])


def tags_of(entities: Sequence[Entity], units: Units, labels: Sequence[str]) -> Ints:
    """The tag of each unit, (units,): 0 for O, 1 + 2 k and 2 + 2 k for B and I of type k.

    An entity has all units that it touches; a unit that two entities touch is of the first. What lies beyond the last
    unit has none.
    """
    tags = np.zeros(len(units.tokens), dtype=np.int64)
    for start, end, label in entities:
        first = int(np.searchsorted(units.ends, start, "right"))
        last = int(np.searchsorted(units.starts, end, "left"))
        while first < last and tags[first]:
            first += 1
        if first < last:
            tags[first:last] = 2 + 2 * labels.index(label)
            tags[first] -= 1
    return tags


def cut_inside(entities: Sequence[Entity], units: Units) -> int:
    """How many of these entities begin or end inside a unit: no sequence of tags can say them."""
    starts, ends = set(units.starts.tolist()), set(units.ends.tolist())
    last = int(units.ends[-1]) if len(units.ends) else 0
    return sum(end <= last and (start not in starts or end not in ends) for start, end, _ in entities)


@dataclass(frozen=True)
class Best:
    """The most probable entities of a text, (first unit, last unit, type), the share of each, and that of them all."""

    entities: tuple[tuple[int, int, int], ...]
    shares: tuple[float, ...]
    share: float


def decode_units(logits: npt.ArrayLike, temperature: float, following: npt.ArrayLike = ()) -> Best:
    """The entities of a text from the outputs of its units, (units, 1 + 2 K).

    following: weights of what follows what, of a model that learned them (`tasks/tag_chain.py`).
    """
    table, weights = np.asarray(logits, dtype=np.float64), np.asarray(following, dtype=np.float64)
    if not len(table):
        return Best((), (), 1.0)
    if weights.size:
        chain = TagChain.of(table, weights, temperature)
        path = chain.best()
        found = _entities(path)
        return Best(found, tuple(chain.share_of(one) for one in found), chain.share_of_path(path))
    shares = np.maximum(softmax(table, temperature), _LEAST)
    path = _best_path(np.log(shares))
    forward, backward, scale = _sums(shares)
    entities = _entities(path)
    logged = np.log(shares)
    steps = np.log(scale)
    total = float(steps.sum())
    whole = float(np.exp(min(logged[np.arange(len(path)), path].sum() - total, 0.0)))
    each = tuple(_share(one, (forward, backward, logged, steps)) for one in entities)
    return Best(entities, each, whole)


def best_odds(table: Any, temperature: float, begins: Sequence[int]) -> float:
    """The sum over some entities of the best log-odds of their first tag against O among the tokens.

    table: logits (tokens, tags); begins: the first tag of each entity's type. Without entities it is the least log-odds
    of O against all types.
    """
    scaled = np.asarray(table, dtype=np.float64) / temperature
    if not begins:
        return float((scaled[:, 0] - np.logaddexp.reduce(scaled[:, 1:], axis=1)).min())
    return float(sum((scaled[:, begin] - scaled[:, 0]).max() for begin in begins))


def log_odds(
    logits: npt.ArrayLike,
    temperature: float,
    entities: Sequence[tuple[int, int, int] | None],
    following: npt.ArrayLike = (),
) -> Floats:
    """log(q / (1 - q)) of each entity, (k,), NaN for None; q is the share of the sequences that have exactly this one.

    Without entities (1,): q is the share of the sequence that is O alone. Every q is held within [1e-12, 1 - 1e-12].
    following: as in `decode_units`.
    """
    table, weights = np.asarray(logits, dtype=np.float64), np.asarray(following, dtype=np.float64)
    if not len(table):
        found = np.full(max(1, len(entities)), np.nan if entities else 1.0)
    elif weights.size:
        chain = TagChain.of(table, weights, temperature)
        found = np.array([np.nan if one is None else chain.share_of(one) for one in entities], dtype=np.float64)
        if not entities:
            found = np.array([chain.share_of_path(np.zeros(len(table), dtype=np.int64))])
    else:
        shares = np.maximum(softmax(table, temperature), _LEAST)
        forward, backward, scale = _sums(shares)
        logged, steps = np.log(shares), np.log(scale)
        sums = (forward, backward, logged, steps)
        found = np.array([np.nan if one is None else _share(one, sums) for one in entities], dtype=np.float64)
        if not entities:
            found = np.exp(np.minimum([logged[:, 0].sum() - steps.sum()], 0.0))
    held = np.clip(found, _LEAST, 1 - _LEAST)
    odds: Floats = np.log(held) - np.log1p(-held)
    return odds


def located(entity: Entity, units: Units, labels: Sequence[str]) -> tuple[int, int, int] | None:
    """(first unit, last unit, type) of the units that an entity touches; None if it touches none."""
    start, end, label = entity
    first = int(np.searchsorted(units.ends, start, "right"))
    last = int(np.searchsorted(units.starts, end, "left")) - 1
    return (first, last, labels.index(label)) if first <= last else None


def _best_path(logged: Floats) -> Ints:
    """The allowed sequence of the largest sum, (units,); of equal ones the tag that is listed first."""
    units, size = logged.shape
    back = np.zeros((units, size), dtype=np.int64)
    best = logged[0].copy()
    best[2::2] = -np.inf
    begins = np.arange(1, size, 2)
    for t in range(1, units):
        top = int(best.argmax())
        before_inside = np.where(best[1::2] >= best[2::2], begins, begins + 1)
        reached = np.full(size, best[top])
        reached[2::2] = best[before_inside]
        back[t] = top
        back[t, 2::2] = before_inside
        best = reached + logged[t]
    path = np.zeros(units, dtype=np.int64)
    path[-1] = int(best.argmax())
    for t in range(units - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def _sums(shares: Floats) -> tuple[Floats, Floats, Floats]:
    """Forward sums, each step scaled to sum to 1, backward sums under the same scale, and the scales, (units,)."""
    units, size = shares.shape
    forward, backward, scale = np.zeros((units, size)), np.zeros((units, size)), np.zeros(units)
    row = shares[0].copy()
    row[2::2] = 0.0
    for t in range(units):
        if t:
            before = forward[t - 1]
            row = np.full(size, before.sum())
            row[2::2] = before[1::2] + before[2::2]
            row = row * shares[t]
        scale[t] = row.sum()
        forward[t] = row / scale[t]
    backward[-1] = 1.0
    for t in range(units - 2, -1, -1):
        after = shares[t + 1] * backward[t + 1]
        # After O nothing continues; after B or I of a type its own I may.
        own = after[2::2]
        any_way = after[0] + after[1::2].sum()
        row = np.full(size, any_way)
        row[1::2] += own
        row[2::2] += own
        backward[t] = row / scale[t + 1]
    return forward, backward, scale


def _share(entity: tuple[int, int, int], sums: tuple[Floats, Floats, Floats, Floats]) -> float:
    """The share of all sequences that begin this type at its first unit and end it at its last one."""
    forward, backward, logged, steps = sums
    first, last, kind = entity
    begin, inside = 1 + 2 * kind, 2 + 2 * kind
    said = logged[first, begin] + logged[first + 1 : last + 1, inside].sum() - steps[first : last + 1].sum()
    # Forward sums to 1 before the entity, for a B may follow all. After it all but the I of its type may follow.
    after = 1.0
    if last + 1 < len(logged):
        # The backward sum of O has no I to continue: exactly the ways on that end this entity.
        after = float(backward[last, 0])
    return float(min(1.0, np.exp(said) * after * (forward[first - 1].sum() if first else 1.0)))


def _entities(path: Ints) -> tuple[tuple[int, int, int], ...]:
    found: list[tuple[int, int, int]] = []
    for place, tag in enumerate(path.tolist()):
        if tag % 2:
            found.append((place, place, (tag - 1) // 2))
        elif tag:
            start, _, kind = found[-1]
            found[-1] = (start, place, kind)
    return tuple(found)
