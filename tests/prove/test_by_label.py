"""The certificate by label: what it counts is what the policy decides, and what it leaves to a person."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from penjing.core.errors import RecipeError
from penjing.decide.policy import Policy, PolicySpec
from penjing.prove.by_label import (
    certify_labels,
    few_rows,
    fix_labels,
    limits_of_labels,
    promised_labels,
    settled_share,
)
from penjing.prove.certify import CLOCK, Labelled, in_words, misses_in_words, with_thresholds
from penjing.prove.misses import Promised

NAMES = ("fees", "card", "loan", "rare")
TASK = {"type": "several", "labels": list(NAMES), "separator": ";", "none": "none"}


def policy(tolerance: float = 0.0) -> Policy:
    spec = PolicySpec(
        format=6, certify="label", task=TASK, thresholds={}, audit=0.0, tolerance=tolerance, masking="2", folding="2",
        rules="2", facts="3", max_error=0.1,
    )  # fmt: skip
    return Policy(spec, None, "")


def labelled(rows: int, seed: int) -> Labelled:
    """Cases of three labels, and a rare one that the model hardly knows."""
    random, facts, truth = np.random.default_rng(seed), list[dict[str, Any]](), list[str]()
    for _ in range(rows):
        true = random.random(4) < [0.4, 0.3, 0.3, 0.01]
        odds = ((2 * true - 1) * [3.0, 3.0, 3.0, 1.0] + random.normal(size=4) * 2.2 - [0, 0, 0, 6]) * 0.8
        p = np.clip(1 / (1 + np.exp(-odds)), 1e-6, 1 - 1e-6).round(6).tolist()
        margin = round(min(abs(each - 0.5) for each in p), 6)
        own: dict[str, Any] = {"p": round(0.5 + margin, 6), "margin": margin, "count": sum(each >= 0.5 for each in p)}
        for name, each in zip(NAMES, p, strict=True):
            own |= {f"p.{name}": each, f"has.{name}": each >= 0.5}
        facts.append(
            {
                **own,
                "too_long": False,
                "pii": {},
                "fields": {},
                "clock": CLOCK,
                "text": {},
                "version": "3",
                "features": {},
            }
        )
        truth.append(";".join(sorted(name for name, has in zip(NAMES, true, strict=True) if has)) or "none")
    return Labelled(tuple(f"{i:016x}" for i in range(rows)), tuple(truth), tuple(facts))


def test_the_certificate_counts_what_the_policy_decides() -> None:
    one, calibration = policy(0.001), labelled(1_500, 2)
    promised = promised_labels(one, labelled(900, 1), 1_500, Promised(0.1, {"*": 0.15}, ("rare",)))
    assert promised.reviewed == ("rare",) and promised.max_miss == {"fees": 0.15, "card": 0.15, "loan": 0.15}
    certificate = certify_labels(one, fix_labels(one, labelled(900, 1), 1_500, promised), calibration, promised)
    assert certificate.certified and certificate.by_label and 0.3 < certificate.automation < 1
    assert certificate.thresholds["yes.rare"] is None
    at = with_thresholds(one, certificate.thresholds)
    tests = {(test.kind, test.of): test for test in [s for s in certificate.path_steps if s.passed][-1].tests}
    given = wrong = missed = 0
    for facts, gold in zip(calibration.facts, calibration.truth, strict=True):
        settled = "card" not in {at.task.part_of(scope) for scope in at.doubts(facts)}  # type: ignore[attr-defined]
        given += settled and facts["has.card"]
        wrong += settled and facts["has.card"] and "card" not in gold.split(";")
        missed += settled and not facts["has.card"] and "card" in gold.split(";")
    assert (tests["error", "card"].cases, tests["error", "card"].errors) == (given, wrong)
    assert tests["miss", "card"].errors == missed
    assert tests["miss", "card"].cases == sum("card" in gold.split(";") for gold in calibration.truth)
    routes = [at.decide("", facts).route for facts in calibration.facts]
    assert certificate.automation == pytest.approx(routes.count("automatic") / len(routes))
    shares = settled_share(at, calibration.facts)
    assert min(shares.values()) >= certificate.automation and max(shares.values()) < 1
    said = in_words(certificate)
    assert "label" in said and "at most 10%" in said
    assert "card: 0.15" in misses_in_words(certificate)


def test_a_case_with_a_given_rare_label_or_a_doubt_goes_to_a_person() -> None:
    one = policy()
    sides = dict.fromkeys(one.task.scopes, 0.9)
    at = with_thresholds(one, {**sides, "yes.rare": None})
    facts = labelled(1, 3).facts[0] | {"p.fees": 0.95, "p.card": 0.05, "p.loan": 0.02, "p.rare": 0.01}
    facts |= {"has.fees": True, "has.card": False, "has.loan": False, "has.rare": False, "count": 1, "margin": 0.45}
    assert at.decide("", facts).route == "automatic" and at.decide("", facts).outcome == "fees"
    doubtful = at.decide("", facts | {"p.card": 0.2})
    assert (doubtful.route, doubtful.reason, at.doubts(doubtful.facts)) == (
        "review", "below_threshold", {"no.card": "below_threshold"},
    )  # fmt: skip
    rare = at.decide("", facts | {"p.rare": 0.97, "has.rare": True})
    assert (rare.route, rare.reason) == ("review", "not_certified")
    empty = facts | {"p.fees": 0.05, "has.fees": False, "count": 0, "p": 0.95}
    assert at.decide("", empty).outcome == "none" and at.decide("", empty).route == "automatic"
    assert with_thresholds(one, {**sides, "empty": None}).decide("", empty).route == "review"


def test_without_rows_nothing_is_certified() -> None:
    one, few = policy(), labelled(40, 1)
    promised = promised_labels(one, few, 40, Promised(0.01, {"*": 0.01}))
    assert set(promised.reviewed) == set(NAMES) and not promised.max_miss
    certificate = certify_labels(one, fix_labels(one, few, 40, promised), labelled(40, 2), promised)
    assert not certificate.certified and set(certificate.thresholds.values()) == {None}
    assert "nothing is certified" in in_words(certificate)


def test_limits_of_labels_are_read() -> None:
    found = limits_of_labels(NAMES, {"fees": 0.1, "card": 0.2}, {"*": 0.1, "card": 0.3})
    assert found == {"fees": (0.1, 0.1), "card": (0.2, 0.3)}
    with pytest.raises(RecipeError, match="unknown label 'cards'"):
        limits_of_labels(NAMES, 0.1, {"cards": 0.1})
    with pytest.raises(RecipeError, match="`max_miss` is not there"):
        limits_of_labels(NAMES, 0.1, {})
    assert few_rows(policy().task, {"fees": 30, "card": 29, "loan": 500}) == ["card", "rare"]
