"""The menu: a looser limit and more rows never offer less, and what is offered is what a certificate gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.labelled_cases import draw

from penjing.prove.menu import LIMITS, menu
from penjing.prove.sequence import Cases, chosen, make_grid, run_sequence


def test_a_looser_limit_and_more_rows_offer_more() -> None:
    offers = menu(draw(np.random.default_rng(0), 2_000), 500)
    assert [offer.max_error for offer in offers] == list(LIMITS)
    for offer in offers:
        assert 0 <= offer.now <= offer.more <= offer.most <= 1
    for one, other in itertools.pairwise(offers):
        assert one.now <= other.now and one.more <= other.more and one.most <= other.most
    assert offers[-1].most == 1.0


@pytest.mark.parametrize("limit", [0.05, 0.10])
def test_the_offer_is_about_the_share_that_is_certified(limit: float) -> None:
    random = np.random.default_rng(4)
    validation = draw(random, 2_000)
    (offer,) = menu(validation, 2_000, (limit,))
    grid = make_grid(validation, limit, 2_000)
    shares = []
    for _ in range(30):
        best = chosen(run_sequence(draw(random, 2_000), grid, limit))
        shares.append(0.0 if best is None else best.automated / 2_000)
    assert abs(offer.now - float(np.mean(shares))) < 0.12


def test_what_rules_take_is_not_offered() -> None:
    whole = draw(np.random.default_rng(0), 1_000)
    half = Cases(whole.scope, whole.p, whole.correct, np.arange(1_000) % 2 == 0)
    assert menu(half, 1_000, (0.2,))[0].most == 0.5
    nothing = Cases(whole.scope, whole.p, whole.correct, np.zeros(1_000, dtype=bool))
    assert menu(nothing, 1_000, (0.2,))[0].most == 0.0
