"""The most probable tags and their shares, against every allowed sequence one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from penjing.core.task import Item
from penjing.tasks.metrics import softmax
from penjing.tasks.tag_decode import cut_inside, decode_units, located, log_odds, tags_of, units_of


def allowed(path: tuple[int, ...]) -> bool:
    return all(not tag or tag % 2 or (i and path[i - 1] in (tag, tag - 1)) for i, tag in enumerate(path))


def entities(path: tuple[int, ...]) -> tuple[tuple[int, int, int], ...]:
    found: list[list[int]] = []
    for place, tag in enumerate(path):
        if tag % 2:
            found.append([place, place, (tag - 1) // 2])
        elif tag:
            found[-1][1] = place
    return tuple((first, last, kind) for first, last, kind in found)


@pytest.mark.parametrize("seed", range(12))
def test_the_answer_and_its_shares_are_those_of_all_sequences(seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, temperature = random.normal(size=(5, 5)) * 2, 0.5 + random.random()
    shares = softmax(logits, temperature)
    weights = {
        path: float(np.prod(shares[np.arange(5), path])) for path in product(range(5), repeat=5) if allowed(path)
    }
    total = sum(weights.values())
    best = max(weights, key=lambda path: weights[path])
    found = decode_units(logits, temperature)
    assert found.entities == entities(best)
    assert found.share == pytest.approx(weights[best] / total, rel=1e-9)
    for entity, share in zip(found.entities, found.shares, strict=True):
        mine = sum(weight for path, weight in weights.items() if entity in entities(path))
        assert share == pytest.approx(mine / total, rel=1e-9)


def test_a_text_without_units_has_no_entity() -> None:
    found = decode_units(np.zeros((0, 3)), 1.0)
    assert (found.entities, found.share) == ((), 1.0)


def test_two_entities_side_by_side_stay_two() -> None:
    logits = np.full((4, 3), -9.0)
    logits[[0, 1, 2, 3], [1, 2, 1, 2]] = 9.0
    assert decode_units(logits, 1.0).entities == ((0, 1, 0), (2, 3, 0))


def test_units_leave_out_special_tokens_blanks_and_the_mark_before_a_word() -> None:
    places = [(0, 0), (0, 1), (0, 1), (1, 3), (3, 6), (6, 7), (6, 7), (6, 7), (0, 0)]
    units = units_of(Item("浙商银 ab𠀀", np.array(places)))
    assert units.tokens.tolist() == [2, 3, 4, 7]
    assert list(zip(units.starts.tolist(), units.ends.tolist(), strict=True)) == [(0, 1), (1, 3), (4, 6), (6, 7)]


def test_tags_begin_once_and_edges_inside_a_unit_are_counted() -> None:
    units = units_of(Item("abcdefgh", np.array([(0, 2), (2, 4), (4, 6), (6, 8)])))
    gold = [(0, 4, "x"), (4, 5, "y")]
    assert tags_of(gold, units, ("x", "y")).tolist() == [1, 2, 3, 0]
    assert cut_inside(gold, units) == 1
    assert tags_of([(0, 3, "x"), (3, 4, "y")], units, ("x", "y")).tolist() == [1, 2, 0, 0], "a unit has one tag"
    assert tags_of([(20, 24, "x")], units, ("x", "y")).tolist() == [0, 0, 0, 0], "beyond the end that was cut"


@pytest.mark.parametrize("seed", range(6))
def test_log_odds_are_of_the_shares_and_none_is_the_sequence_of_o_alone(seed: int) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(size=(5, 5))
    found = decode_units(logits, 1.0)
    odds = log_odds(logits, 1.0, [*found.entities, None])
    assert 1 / (1 + np.exp(-odds[:-1])) == pytest.approx(found.shares) and np.isnan(odds[-1])
    shares = softmax(logits, 1.0)
    total = sum(float(np.prod(shares[np.arange(5), path])) for path in product(range(5), repeat=5) if allowed(path))
    alone = float(np.prod(shares[:, 0])) / total
    assert 1 / (1 + np.exp(-log_odds(logits, 1.0, []))) == pytest.approx([alone])
    assert log_odds(np.zeros((0, 5)), 1.0, []) > 20


def test_an_entity_has_the_units_that_it_touches() -> None:
    units = units_of(Item("ab cd ef", [(0, 2), (3, 5), (6, 8)]))
    assert located((1, 4, "b"), units, ("a", "b")) == (0, 1, 1)
    assert located((2, 3, "a"), units, ("a", "b")) is None
