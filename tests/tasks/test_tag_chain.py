"""Tags with weights of what follows what: the answer and its shares, against every allowed sequence one by one."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from tests.tasks.test_tag_decode import entities

from penjing.core.task import Item
from penjing.tasks.tag import HEAD, Tag
from penjing.tasks.tag_chain import chain_temperature, may_begin, may_follow
from penjing.tasks.tag_decode import decode_units, log_odds

SIZE, UNITS = 5, 5


def sequences() -> list[tuple[int, ...]]:
    """Every sequence of tags that begins no entity inside."""
    follow, begin = may_follow(SIZE), may_begin(SIZE)
    return [
        path
        for path in product(range(SIZE), repeat=UNITS)
        if begin[path[0]] and all(follow[a, b] for a, b in pairwise(path))
    ]


def weighed(logits: np.ndarray, following: np.ndarray, temperature: float) -> dict[tuple[int, ...], float]:
    """The probability of each sequence."""
    scores = {
        path: (logits[np.arange(UNITS), path].sum() + following[list(path[:-1]), list(path[1:])].sum()) / temperature
        for path in sequences()
    }
    total = sum(np.exp(score) for score in scores.values())
    return {path: float(np.exp(score) / total) for path, score in scores.items()}


def test_an_inside_follows_its_own_entity_alone() -> None:
    assert may_follow(SIZE)[:, 4].tolist() == [False, False, False, True, True]
    assert may_begin(SIZE).tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("seed", range(12))
def test_the_answer_and_its_shares_are_those_of_all_sequences(seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, following = random.normal(size=(UNITS, SIZE)) * 2, random.normal(size=(SIZE, SIZE)) * 2
    temperature = 0.5 + random.random()
    shares = weighed(logits, following, temperature)
    best = max(shares, key=lambda path: shares[path])
    found = decode_units(logits, temperature, following)
    assert found.entities == entities(best)
    assert found.share == pytest.approx(shares[best], rel=1e-9)
    for entity, share in zip(found.entities, found.shares, strict=True):
        mine = sum(weight for path, weight in shares.items() if entity in entities(path))
        assert share == pytest.approx(mine, rel=1e-9)
    odds = log_odds(logits, temperature, [*found.entities, None], following)
    assert 1 / (1 + np.exp(-odds[:-1])) == pytest.approx(found.shares) and np.isnan(odds[-1])
    none = log_odds(logits, temperature, [], following)
    assert 1 / (1 + np.exp(-none)) == pytest.approx([shares[(0,) * UNITS]])


def test_without_weights_of_what_follows_it_is_the_model_of_single_tags() -> None:
    logits = np.random.default_rng(3).normal(size=(7, SIZE)) * 3
    one, other = decode_units(logits, 1.5), decode_units(logits, 1.5, np.zeros((SIZE, SIZE)))
    assert one.entities == other.entities and one.shares == pytest.approx(other.shares)
    assert one.share == pytest.approx(other.share)


def test_scores_of_any_size_stay_finite() -> None:
    found = decode_units(np.array([[0.0, -5e4, 9e4], [0.0, 0.0, 1e5], [-9e5, 0.0, 0.0]]), 1.0, np.full((3, 3), -50.0))
    assert np.isfinite([found.share, *found.shares]).all()


def test_the_temperature_is_the_one_under_which_the_sequences_were_drawn() -> None:
    random, drawn, tables = np.random.default_rng(0), [], []
    following = random.normal(size=(SIZE, SIZE))
    for _ in range(400):
        logits = random.normal(size=(UNITS, SIZE)) * 3
        shares = weighed(logits, following, 2.0)
        drawn.append(np.array(list(shares)[random.choice(len(shares), p=list(shares.values()))]))
        tables.append(logits)
    assert chain_temperature(tables, drawn, following) == pytest.approx(2.0, rel=0.16)
    assert chain_temperature([], [], following) == 1.0


def test_a_task_puts_the_weights_into_its_calibrations_and_answers_by_them() -> None:
    plain = Tag(("a", "b"))
    weights = np.zeros((SIZE, SIZE))
    weights[1, 2] = 6.0
    task = plain.chained({HEAD: weights})
    assert task.state == plain.state and task.heads == plain.heads
    table = np.array([[0.0, 3.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0, 0.0]])
    item = Item("xy", np.array([(0, 1), (1, 2)]))
    calibration = task.fit({HEAD: [table]}, ['[{"start":0,"end":2,"label":"a"}]'], [item])
    assert np.array(calibration["following"]).shape == (SIZE, SIZE) and "following" not in plain.plain()
    # The task of an artifact is restored without weights: its calibration has them.
    (answer,) = plain.decode({HEAD: [table]}, calibration, [item])
    (other,) = plain.decode({HEAD: [table]}, plain.plain(), [item])
    assert [(span.start, span.end) for span in answer.spans] == [(0, 2)]  # type: ignore[union-attr]
    assert [(span.start, span.end) for span in other.spans] == [(0, 1)]  # type: ignore[union-attr]
