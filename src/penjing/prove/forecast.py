"""What more rows would do for a certificate, from more labelled rows than it was tested on; and its menu."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from penjing.core.certificate import Certificate, Need
from penjing.core.task import ALL
from penjing.decide.policy import Policy
from penjing.prove.certify import Labelled, cases_of, needs_of
from penjing.prove.menu import LIMITS, Offer, menu
from penjing.prove.misses import Promised, path_need

# Labels that have a menu of their own: those with the most validation rows.
LABELS = 12


@dataclass(frozen=True)
class Forecast:
    """The menu of all cases and of each label that the model gives, and what more rows would do for each limit."""

    menu: tuple[Offer, ...] = ()
    by_label: dict[str, tuple[Offer, ...]] = field(default_factory=dict)
    needs: dict[str, Need] = field(default_factory=dict)


def forecast(
    policy: Policy, certificate: Certificate, validation: Labelled, calibration: Labelled, test: Labelled
) -> Forecast:
    """The forecast of a release that is sealed: nothing is chosen by it.

    The menu is from validation rows. That of a label is for a limit of its own while each other label has one too, so
    its level is divided. What more rows would do is from calibration and test rows together: twice as many as the
    certificate has, and neither chose anything.
    """
    cases, limit = cases_of(policy, validation, certificate.reviewed), certificate.max_error
    own = [limit] if isinstance(limit, float) else list(limit.values())
    limits, delta = sorted({*LIMITS, *own}), 1 - certificate.confidence
    scopes, rows = policy.task.scopes, certificate.rows
    by_label = {}
    if scopes != (ALL,):
        for place, _ in Counter(cases.scope.tolist()).most_common(LABELS):
            part = cases.take(np.flatnonzero(cases.scope == place))
            ours = round(rows * len(part) / len(cases))
            by_label[scopes[place]] = menu(part, ours, limits, delta / len(scopes))
    needs = more_rows(policy, certificate, _both(calibration, test))
    return Forecast(menu(cases, rows, limits, delta), by_label, needs)


def more_rows(policy: Policy, certificate: Certificate, labelled: Labelled) -> dict[str, Need]:
    """What more rows would do for each limit that the certificate does not prove, from these rows."""
    if not certificate.needs:
        return {}
    delta, tested = round(1 - certificate.confidence, 6), certificate.rows
    if certificate.path:
        promised = Promised(certificate.max_error, certificate.max_miss, certificate.reviewed, delta)
        return {ALL: path_need(policy, certificate.path, labelled, promised, tested)}
    found = needs_of(
        policy, certificate.grid, labelled, certificate.max_error, certificate.reviewed, delta=delta, tested=tested
    )
    return {name: found[name] for name in certificate.needs}


def _both(one: Labelled, other: Labelled) -> Labelled:
    return Labelled((*one.hashes, *other.hashes), (*one.truth, *other.truth), (*one.facts, *other.facts))
