"""Groups of facts of which each is at most the next one."""

from __future__ import annotations

from penjing.core.abilities import Bounds


def test_each_fact_is_in_its_group_or_alone() -> None:
    bounds = Bounds(ordered=("low", "value", "high"), rising=(("a.min", "a.max"), ("b.min", "b.max")))
    assert bounds.chains == (("low", "value", "high"), ("a.min", "a.max"), ("b.min", "b.max"))
    assert bounds.chain("value") == ("low", "value", "high") and bounds.chain("b.max") == ("b.min", "b.max")
    assert bounds.chain("p") == ("p",)
    assert Bounds().chains == ()
