"""The menu of limits by item: which share of the items would be decided without a person under which limit.

Shares are forecasts from validation rows, as in `menu.py`: of all items of the answers those that are settled where the
limit passes as likely as not, with so many calibration rows and the best number of items a text.
"""

from __future__ import annotations

from penjing.core.itemwise import MOST_ITEMS
from penjing.decide.policy import Policy
from penjing.prove.by_item import item_cases, limit_of_items
from penjing.prove.certify import Labelled
from penjing.prove.item_path import likely_share
from penjing.prove.menu import TIMES, Offer
from penjing.prove.misses import Promised

LIMITS = (0.01, 0.02, 0.05, 0.10, 0.20)


def item_menu(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> tuple[Offer, ...]:
    """The offers of each limit, rising, with that of the promise. rows: calibration rows."""
    cases, offers = item_cases(policy, validation, MOST_ITEMS), list[Offer]()
    for limit in sorted({*LIMITS, limit_of_items(promised.max_error, promised.max_miss)}):
        shares = list[float]()
        for count in (rows, TIMES * rows, None):
            # With more rows the limit of fewer would do as well.
            shares.append(max([likely_share(cases, limit, count, promised.delta), *shares]))
        offers.append(Offer(limit, *shares))
    return tuple(offers)
