"""The menu of limits by item: rising limits, with that of the promise; see also `test_by_item.py`."""

from __future__ import annotations

from tests.prove.test_by_item import labelled, policy

from penjing.prove.item_menu import item_menu
from penjing.prove.misses import Promised


def test_the_limit_of_the_promise_is_among_the_offers() -> None:
    offers = item_menu(policy(), labelled(300, 1), 300, Promised(0.07, {}))
    assert [offer.max_error for offer in offers] == [0.01, 0.02, 0.05, 0.07, 0.1, 0.2]
    shares = [offer.most for offer in offers]
    assert shares == sorted(shares) and shares[-1] > 0.9


def test_without_an_item_nothing_is_offered() -> None:
    rows = labelled(100, 2)
    closed = tuple({**facts, "too_long": True} for facts in rows.facts)
    offers = item_menu(policy(), type(rows)(rows.hashes, rows.truth, closed), 100, Promised(0.1, {}))
    assert {(offer.now, offer.more, offer.most) for offer in offers} == {(0.0, 0.0, 0.0)}
