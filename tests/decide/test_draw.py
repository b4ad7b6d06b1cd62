"""Draws for audits: even, the same for the same case, others under another key."""

from __future__ import annotations

import numpy as np

from penjing.decide.draw import Drawer

ONE = Drawer(b"key of a service")


def test_a_case_draws_the_same_again_however_it_is_spaced() -> None:
    first = ONE.draw("VIP 要求退款", {"amount": 3.0, "channel": None})
    assert first == ONE.draw("ＶＩＰ要求退款！", {"amount": 3.0})
    others = [
        ONE.draw("VIP 要求退款", {"amount": 4.0}),
        ONE.draw("要求退款", {"amount": 3.0}),
        Drawer(b"another").draw("VIP 要求退款", {"amount": 3.0}),
    ]
    assert len({first, *others}) == 4


def test_draws_are_even_and_written_in_nine_decimals() -> None:
    draws = np.array([ONE.draw(f"text {n}", {}) for n in range(20_000)])
    assert draws.min() >= 0 and draws.max() < 1 and len(np.unique(draws)) == 20_000
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 45  # chi squared, 19 degrees of freedom: 99.9 % below 43.8
    assert all(float(f"{each:.9f}") == each for each in draws[:1000])
