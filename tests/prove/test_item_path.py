"""Limits by item: each holds as often as promised, however the items of one text depend on each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from penjing.prove.item_path import (
    NEVER,
    ItemCases,
    ItemCuts,
    by_text,
    count,
    fix_most,
    item_bound,
    item_curve,
    item_p_value,
    likely_share,
    make_path,
    p_values,
    ranks,
    rows_for,
    surely_above,
    surest_cuts,
)
from penjing.prove.sequence import DELTA

RISK = 0.1


def drawn(rows: int, seed: int, most: int = 1_000) -> ItemCases:
    """Texts of nought to many items, whose errors come together: some texts are hard as a whole."""
    random = np.random.default_rng(seed)
    size = np.minimum(random.poisson(3, rows) * (random.random(rows) > 0.2), 12)
    text = np.repeat(np.arange(rows), size)
    odds = 2.2 + random.normal(size=rows)[text] + random.normal(size=len(text)) * 1.2
    p = np.clip(1 / (1 + np.exp(-odds)), 1e-6, 1 - 1e-6)
    right = random.random(len(text)) < p
    has = (size > 0) | (random.random(rows) < 0.3)
    sure = np.where(has & (size == 0), random.beta(3, 2, rows), random.beta(9, 1, rows))
    micro = (p * 1e6).astype(np.int64)
    opened = random.random(rows) > 0.02
    return ItemCases(
        text, micro, ranks(text, micro), right, np.ones(len(text), bool), size, opened,
        (sure * 1e6).astype(np.int64), has, most,
    )  # fmt: skip


def by_hand(most: int = 2) -> ItemCases:
    """Four texts with three, one, none and one item; the last one is decided by a rule."""
    text, p = np.array([0, 0, 0, 1, 3]), np.array([900_000, 950_000, 930_000, 800_000, 990_000])
    return ItemCases(
        text, p, ranks(text, p), np.array([True, False, True, True, False]), np.ones(5, bool), np.array([3, 1, 0, 1]),
        np.array([True, True, True, False]), np.array([0, 0, 700_000, 0]), np.array([True, True, True, True]), most,
    )  # fmt: skip


def test_the_surest_items_of_a_text_are_settled() -> None:
    cases = by_hand()
    assert cases.rank.tolist() == [2, 0, 1, 0, 0]
    assert ItemCuts(800_000, NEVER).settled(cases).tolist() == [False, True, True, True, False]
    assert ItemCuts(800_000, NEVER).settled(cases, band=1).tolist() == [False, True, True, False, False]
    assert ItemCuts(800_000, NEVER).settled(by_hand(3)).tolist() == [True, True, True, True, False]
    items, empty = count(cases, ItemCuts(800_000, 700_000), RISK)
    assert (items.cases, items.errors, empty.cases, empty.errors) == (3, 1, 1, 1)
    assert ItemCuts(800_000, 700_000).taken(cases).tolist() == [False, True, True, False]
    assert ItemCuts(800_000, 700_000).taken(by_hand(3)).tolist() == [True, True, True, False]
    accepted, wrong = by_text(cases, ItemCuts(800_000, NEVER).settled(cases))
    assert (accepted.tolist(), wrong.tolist()) == ([2, 1, 0, 0], [1, 0, 0, 0])
    assert p_values(cases, ItemCuts(NEVER, NEVER), RISK) == (0.0, 0.0), "nothing is decided"


def test_equally_sure_items_rank_in_their_order() -> None:
    assert ranks(np.array([1, 0, 1, 1]), np.array([5, 9, 5, 7])).tolist() == [1, 0, 2, 0]


def test_one_item_a_text_is_nearly_the_binomial_test() -> None:
    """Without an error n texts have a p-value of about (1 - r)^n times the ten bets of the mixture, at most."""
    ones, none = np.ones(100, dtype=np.int64), np.zeros(100, dtype=np.int64)
    value = item_p_value(ones, none, 1, RISK)
    assert 0.9**100 < value < 10 * 0.9**99
    assert item_p_value(none, none, 1, RISK) == 1.0
    assert item_p_value(ones, none, 8, RISK) > value, "a text may hold more wrong ones"


def test_the_bound_is_where_the_test_ends_to_reject() -> None:
    random = np.random.default_rng(1)
    accepted = random.integers(0, 5, 400)
    wrong = np.minimum(accepted, random.random(400) < 0.06)
    high = item_bound(accepted, wrong, 4)
    assert wrong.sum() / accepted.sum() < high < 0.15
    assert item_p_value(accepted, wrong, 4, high + 1e-6) <= DELTA < item_p_value(accepted, wrong, 4, high - 1e-6)
    assert item_bound(accepted * 0, wrong * 0, 4) == 1.0
    assert surely_above(accepted, accepted, 4, 0.2) and not surely_above(accepted, wrong, 4, 0.2)


@pytest.mark.parametrize("most", [2, 6])
def test_a_true_share_at_the_limit_passes_rarely(most: int) -> None:
    """All items of a hard text are wrong: the binomial test of items would pass far too often."""
    random, passed = np.random.default_rng(most), 0
    for _ in range(400):
        accepted = random.integers(1, most + 1, 300)
        wrong = np.where(random.random(300) < RISK, accepted, 0)
        passed += item_p_value(accepted, wrong, most, RISK) <= DELTA
    assert passed <= 400 * DELTA + 3 * (400 * DELTA * 0.95) ** 0.5


def test_paths_keep_their_promise_and_settle_something() -> None:
    whole, broken, settled = drawn(40_000, 10_000), 0, list[float]()
    for seed in range(16):
        known, tested = drawn(400, 2 * seed), drawn(400, 2 * seed + 1)
        most = fix_most(known, RISK, 400)
        known, tested, truth = (replace(one, most=most) for one in (known, tested, whole))
        best = None
        for cuts in make_path(known, RISK, 400):
            if max(p_values(tested, cuts, RISK)) > DELTA:
                break
            best = cuts
        if best is not None:
            items, empty = count(truth, best, RISK)
            broken += items.errors > RISK * items.cases or empty.errors > RISK * empty.cases
            settled.append(items.cases / len(truth.p))
    assert broken <= 2
    assert len(settled) >= 12 and np.mean(settled) > 0.35


def test_a_path_settles_more_from_step_to_step() -> None:
    cases = drawn(600, 3, most=4)
    path = make_path(cases, RISK, 600)
    assert 1 < len(path) <= 50
    found = [int(cuts.settled(cases).sum()) + int(cuts.without(cases).sum()) for cuts in path]
    assert found == sorted(set(found))
    assert [cuts.item for cuts in path] == sorted((cuts.item for cuts in path), reverse=True)


def test_without_items_there_is_no_path_and_without_hope_one_step() -> None:
    cases = drawn(300, 4)
    assert make_path(replace(cases, open=np.zeros(300, bool)), RISK, 300) == []
    assert fix_most(replace(cases, open=np.zeros(300, bool)), RISK, 300) == 1
    wrong = replace(cases, right=np.zeros(len(cases.p), bool))
    assert len(make_path(wrong, 0.01, 300)) == 1 and surest_cuts(wrong)[0].item > surest_cuts(wrong)[-1].item


def test_more_rows_and_looser_limits_settle_more() -> None:
    cases = drawn(500, 5)
    now, more, most = (likely_share(cases, RISK, rows) for rows in (500, 2_000, None))
    assert 0 < now < more < most <= 1
    assert likely_share(cases, 0.05, 500) < likely_share(cases, 0.2, 500)
    curve = item_curve(replace(cases, most=3), RISK, 500)
    assert [threshold for threshold, _ in curve] == sorted((threshold for threshold, _ in curve), reverse=True)


def test_so_many_rows_pass_as_often_as_said() -> None:
    """The number that `rows_for` names is enough for 97 of 100 runs: simulated with independent errors."""
    random = np.random.default_rng(6)
    accepted = random.integers(0, 4, 400)
    wrong = random.binomial(accepted, 0.04)
    rows = rows_for(accepted, wrong, 3, 0.04, RISK, DELTA)
    assert rows is not None and 100 < rows < 1_500
    passed = 0
    for _ in range(200):
        own = random.integers(0, 4, rows)
        passed += item_p_value(own, random.binomial(own, 0.04), 3, RISK) <= DELTA
    assert passed >= 186
    assert rows_for(accepted, wrong, 3, 0.2, RISK, DELTA) is None
