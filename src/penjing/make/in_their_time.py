"""Rows of a table decided by a release, each at its own time, as the service would have decided them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from penjing.core.nouns import Decision, Table
from penjing.data.masked import counted
from penjing.decide.decider import Decided, Decider, Request
from penjing.prove.certify import CLOCK, clock_of


def requests_of(table: Table) -> list[Request]:
    """The rows of a table of masked texts as requests."""
    return [
        Request(counted(text), {name: column[i] for name, column in table.fields.items()})
        for i, text in enumerate(table.texts)
    ]


def decide_in_their_time(decider: Decider, requests: Sequence[Request]) -> list[Decided]:
    """One decision a request, at the time of its row; without one now, where the rules depend on the time."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z") if decider.policy.spec.periods else CLOCK
    places: dict[str, list[int]] = {}
    for place, request in enumerate(requests):
        clock = clock_of(decider.policy, request.fields)
        places.setdefault(now if clock == CLOCK else clock, []).append(place)
    decided = {
        place: one
        for clock, mine in places.items()
        for place, one in zip(mine, decider.decide([requests[place] for place in mine], clock=clock), strict=True)
    }
    return [decided[place] for place in range(len(requests))]


def by_model(decision: Decision) -> bool:
    """Whether the model decided a case without a person; one that was drawn for audit is only checked by one."""
    return decision.decided_by == "model" and decision.reason in {"above_threshold", "audit"}
