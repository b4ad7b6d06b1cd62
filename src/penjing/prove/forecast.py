"""What more rows would do for a certificate, from more labelled rows than it was tested on; and its menu."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

from penjing.core.certificate import Certificate, Need
from penjing.core.itemwise import ItemwiseTask
from penjing.core.labelwise import LabelwiseTask
from penjing.core.task import ALL, JointTask
from penjing.decide.policy import Policy
from penjing.decide.table import RuleTable
from penjing.prove.by_item import ItemFigures, item_figures
from penjing.prove.by_label import settled_share
from penjing.prove.certify import Labelled, cases_of
from penjing.prove.item_menu import item_menu
from penjing.prove.joint import whole_cases
from penjing.prove.kinds import more_rows
from penjing.prove.label_menu import label_menu
from penjing.prove.menu import LIMITS, Offer, menu
from penjing.prove.misses import Promised
from penjing.prove.periods import counts_days, is_dated, period_at, rows_in, zone_of

# Labels that have a menu of their own: those with the most validation rows.
LABELS = 12


@dataclass(frozen=True)
class Forecast:
    """The menu of all cases and of each label that the model gives, and what more rows would do for each limit.

    settled: where each label is certified, the share of the test cases in which it needs no person. items: where items
    are certified, what becomes of those of the test cases.
    """

    menu: tuple[Offer, ...] = ()
    by_label: dict[str, tuple[Offer, ...]] = field(default_factory=dict)
    needs: dict[str, Need] = field(default_factory=dict)
    settled: dict[str, float] = field(default_factory=dict)
    items: ItemFigures | None = None


def forecast(
    policy: Policy,
    certificate: Certificate,
    validation: Labelled,
    calibration: Labelled,
    test: Labelled,
    second: int | None = None,
) -> Forecast:
    """The forecast of a release that is sealed: nothing is chosen by it.

    The menu is from validation rows. That of a label is for a limit of its own while each other label has one too, so
    its level is divided. What more rows would do is from calibration and test rows together: twice as many as the
    certificate has, and neither chose anything. Where the dates of rules cut time into periods, the menu is that of
    the period that holds at `second` (since 1970; default: now), and what more rows would do is in the certificate.
    """
    delta, rows = 1 - certificate.confidence, certificate.rows
    table = policy.rules if isinstance(policy.rules, RuleTable) else None
    if is_dated(table):
        clocks = [facts["clock"] for facts in calibration.facts]
        span, rows, delta = period_at(table, clocks, int(time.time()) if second is None else second, delta)
        validation = rows_in(validation, span, zone_of(table), timed=counts_days(table))
    promised = Promised(certificate.max_error, certificate.max_miss, certificate.reviewed, delta)
    limit = certificate.max_error
    own: tuple[float, ...] = (limit,) if isinstance(limit, float) else tuple(limit.values())
    own_by_label: tuple[float, ...] = () if isinstance(limit, float) else own
    every, by_label = menus(policy, validation, rows, promised)
    # Another limit would be one more test of these rows, and each test halves the level of the next (`openings.py`).
    again, by_label_again = menus(policy, validation, rows, replace(promised, delta=delta / 2))
    every = _asked_again(every, again, own)
    by_label = {name: _asked_again(offers, by_label_again[name], own_by_label) for name, offers in by_label.items()}
    tested = test if len(test) else calibration
    settled = settled_share(policy, tested.facts) if certificate.by_label else {}
    items = item_figures(policy, tested) if certificate.most_items else None
    if certificate.periods:
        return Forecast(every, by_label, settled=settled, items=items)
    return Forecast(every, by_label, more_rows(policy, certificate, _both(calibration, test)), settled, items)


def _asked_again(offers: tuple[Offer, ...], again: tuple[Offer, ...], own: Collection[float]) -> tuple[Offer, ...]:
    """The offers, with what the same rows would prove at the level of another test for limits that are not `own`."""
    return tuple(
        one if one.max_error in own else replace(one, now=other.now) for one, other in zip(offers, again, strict=True)
    )


def menus(
    policy: Policy, validation: Labelled, rows: int, promised: Promised
) -> tuple[tuple[Offer, ...], dict[str, tuple[Offer, ...]]]:
    """The menu of all cases, and of each label that the model gives. rows: calibration rows.

    Of several tasks in one there is a menu of all cases, for a limit on an error of any task. Where each label is
    certified, the menu is for a limit on the errors of every label, with the limits on misses of the promise; where
    items are, for a limit on wrong items.
    """
    if isinstance(policy.task, LabelwiseTask):
        return (label_menu(policy, validation, rows, promised) if promised.max_miss else ()), {}
    if isinstance(policy.task, ItemwiseTask):
        return item_menu(policy, validation, rows, promised), {}
    max_error, reviewed, delta = promised.max_error, promised.reviewed, promised.delta
    joint = isinstance(policy.task, JointTask)
    cases = whole_cases(policy, validation) if joint else cases_of(policy, validation, reviewed)
    scopes = policy.task.scopes
    own = [max_error] if isinstance(max_error, float) else list(max_error.values())
    limits, by_label = sorted({*LIMITS, *own}), {}
    if scopes != (ALL,) and not joint:
        for place, _ in Counter(cases.scope.tolist()).most_common(LABELS):
            part = cases.take(np.flatnonzero(cases.scope == place))
            ours = round(rows * len(part) / len(cases))
            by_label[scopes[place]] = menu(part, ours, limits, delta / len(scopes))
    return menu(cases, rows, limits, delta), by_label


def _both(one: Labelled, other: Labelled) -> Labelled:
    return Labelled((*one.hashes, *other.hashes), (*one.truth, *other.truth), (*one.facts, *other.facts))
