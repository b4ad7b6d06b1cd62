"""Every kind of promise is proven by its own test, and tested again with the limits and the order that it had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.labelled_cases import policy as plain_policy
from tests.labelled_cases import rows as plain_rows
from tests.prove import test_by_label as sets
from tests.prove import test_joint as joint

from penjing.core.certificate import Certificate
from penjing.decide.policy import Policy
from penjing.prove.certify import Labelled
from penjing.prove.kinds import more_rows, prove, prove_again
from penjing.prove.misses import Promised
from penjing.prove.sequence import DELTA


@dataclass(frozen=True)
class Kind:
    """A policy with its promise, and so many labelled rows of a seed."""

    policy: Policy
    promised: Promised
    rows: Callable[[int, int], Labelled]

    def proven(self, count: int = 1_500) -> Certificate:
        return prove(self.policy, self.rows(800, 1), self.rows(count, 2), self.promised, ())


@pytest.fixture(params=["plain", "misses", "tasks", "labels"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    if request.param == "tasks":
        return Kind(joint.policy(), Promised(0.10, {}), lambda count, seed: joint.labelled(joint.drawn(count, seed)))
    if request.param == "labels":
        return Kind(sets.policy(), Promised(0.10, {"*": 0.15}, ("rare",)), sets.labelled)
    one = plain_policy(tmp_path)
    misses = {"ham": 0.15, "spam": 0.10} if request.param == "misses" else {}
    return Kind(one, Promised(0.10, misses), lambda count, seed: plain_rows(one, count, seed))


def test_a_limit_alone_is_a_sequence_and_several_are_one_path(kind: Kind, request: pytest.FixtureRequest) -> None:
    name, certificate = request.node.callspec.params["kind"], kind.proven()
    assert certificate.certified and certificate.rows == 1_500
    assert bool(certificate.grid) == (name == "plain") and bool(certificate.path) == (name != "plain")
    assert certificate.by_label == (name == "labels")
    assert bool(certificate.max_miss) == (name in ("misses", "labels"))
    tested = {test.kind for step in certificate.path_steps for test in step.tests}
    by_label = {"error", "miss", "rare", "empty"}
    assert tested == {"plain": set(), "tasks": {"error"}, "misses": {"error", "miss"}, "labels": by_label}[name]


def test_the_same_rows_give_the_same_certificate_again(kind: Kind) -> None:
    first = kind.proven()
    assert prove_again(kind.policy, first, kind.rows(1_500, 2), (), DELTA) == first


def test_other_rows_are_tested_in_the_order_of_before(kind: Kind) -> None:
    first, used = kind.proven(), tuple(f"{number:016x}" for number in range(9_000, 9_005))
    again = prove_again(kind.policy, first, kind.rows(1_200, 3), used, DELTA / 2)
    assert (again.rows, again.confidence) == (1_200, 1 - DELTA / 2)
    assert (again.grid, again.path, again.max_error, again.max_miss) == (
        first.grid, first.path, first.max_error, first.max_miss,
    )  # fmt: skip
    assert set(used) <= set(again.used)


def test_more_rows_are_forecast_where_they_are_needed_alone(kind: Kind) -> None:
    assert more_rows(kind.policy, kind.proven(), kind.rows(300, 4)) == {}
    few = kind.proven(20)
    assert not few.certified and set(more_rows(kind.policy, few, kind.rows(20, 2))) == set(few.needs) != set()
