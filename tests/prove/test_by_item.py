"""The certificate by item: what it counts is what the policy decides, and what it leaves to a person."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from penjing.core.certificate import Certificate
from penjing.core.chinese import chinese
from penjing.core.errors import RecipeError, UsageError
from penjing.core.itemwise import MOST_ITEMS
from penjing.decide.condition import Rule, Then
from penjing.decide.policy import Policy, PolicySpec
from penjing.decide.table import RuleTable
from penjing.prove.by_item import (
    AN_ERROR,
    certify_items,
    fix_items,
    item_cases,
    item_figures,
    items_need,
    limit_of_items,
    with_most,
)
from penjing.prove.certify import CLOCK, Labelled, certify, in_words, is_joint, with_thresholds
from penjing.prove.forecast import forecast, menus
from penjing.prove.kinds import prove, prove_again
from penjing.prove.misses import Promised
from penjing.prove.periods import certify_periods, lines_in_words

KINDS = ("org", "place")
PROMISED = Promised(0.1, {})


def policy(tolerance: float = 0.0, **changes: Any) -> Policy:
    spec = PolicySpec.model_validate(
        {
            "format": 7, "certify": "item", "most_items": MOST_ITEMS, "task": {"type": "tag", "types": list(KINDS)},
            "thresholds": {}, "audit": 0.0, "tolerance": tolerance, "masking": "2", "folding": "2", "rules": "2",
            "facts": "3", "max_error": 0.1, **changes,
        }
    )  # fmt: skip
    return Policy(spec, None, "")


def labelled(rows: int, seed: int, level: float = 2.4) -> Labelled:
    """Texts with nought to five entities; a wrong one stands one character beside the true one."""
    random, facts, truth = np.random.default_rng(seed), list[dict[str, Any]](), list[str]()
    for row in range(rows):
        number = int(random.integers(0, 6))
        p = np.clip(1 / (1 + np.exp(-(level + random.normal(size=number) * 1.6))), 1e-6, 1 - 1e-6).round(6).tolist()
        kinds = [KINDS[int(random.integers(2))] for _ in range(number)]
        spans = [[10 * place, 10 * place + 5, kind] for place, kind in enumerate(kinds)]
        right = [bool(random.random() < each) for each in p]
        golds = [
            {"start": start, "end": end - (not ok), "label": kind}
            for (start, end, kind), ok in zip(spans, right, strict=True)
        ]
        if random.random() < 0.05:
            golds.append({"start": 90, "end": 95, "label": "org"})
        facts.append(
            {
                "entities": number, "p": round(float(np.prod(p)) * 0.95, 6), "spans": spans, "span_p": p,
                "too_long": row % 50 == 0, "pii": {}, "fields": {}, "clock": CLOCK, "text": {}, "version": "3",
                "features": {},
            }
        )  # fmt: skip
        truth.append(json.dumps(golds, separators=(",", ":")))
    return Labelled(tuple(f"{i:016x}" for i in range(rows)), tuple(truth), tuple(facts))


def test_the_certificate_counts_what_the_policy_decides() -> None:
    known, calibration = labelled(700, 1), labelled(900, 2)
    one = with_most(policy(0.001), known, 900, PROMISED)
    assert 1 <= one.spec.most_items <= 5
    certificate = prove(one, known, calibration, PROMISED, ())
    assert certificate.certified and certificate.most_items == one.spec.most_items and not is_joint(certificate)
    at = with_thresholds(one, certificate.thresholds)
    (item, empty) = [step for step in certificate.path_steps if step.passed][-1].tests
    figures = item_figures(at, calibration)
    assert (item.kind, item.cases, item.errors) == ("item", figures.accepted.sum(), figures.wrong.sum())
    assert int(figures.accepted.max()) <= one.spec.most_items and item.cases > 0.3 * sum(
        each.told for each in figures.kinds
    )
    routes = [at.decide("", facts).route for facts in calibration.facts]
    assert certificate.automation == pytest.approx(routes.count("automatic") / 900)
    assert figures.whole == routes.count("automatic")
    assert empty.cases == sum(
        not facts["entities"] and route == "automatic" for facts, route in zip(calibration.facts, routes, strict=True)
    )
    assert "at most 10% of the items that are decided without a person are wrong" in in_words(certificate)
    bound = figures.bound(0.05)
    assert bound is not None and item.errors / item.cases < bound <= 0.1
    # What the certificate calls its error and its bound is what the limit is about, and not whole texts.
    assert (certificate.format, certificate.error, certificate.high) == (4, item.errors / item.cases, bound)
    assert certificate.an_error == AN_ERROR and certificate.high <= 0.1
    assert Certificate.model_validate(certificate.model_dump(mode="json")) == certificate
    again = prove_again(one, certificate, labelled(900, 3), (), 0.05)
    figures = item_figures(with_thresholds(one, again.thresholds), labelled(900, 3))
    assert again.error == figures.wrong.sum() / figures.accepted.sum() and again.high == figures.bound(0.05)
    assert again.most_items == certificate.most_items and again.path == certificate.path


def test_periods_tell_the_items_that_are_wrong() -> None:
    known, calibration = labelled(700, 1), labelled(900, 2)
    one = with_most(policy(0.001), known, 900, PROMISED)
    rules = RuleTable("r.csv", one.schema, (Rule("june", 2, (), Then("review"), valid_from=1_780_272_000),))
    path = fix_items(one, known, 900, PROMISED)
    certificate, _ = certify_periods(
        rules, calibration, lambda _, rows, delta: certify_items(one, path, rows, replace(PROMISED, delta=delta)), 0.05
    )
    assert certificate.format == 4 and [each.counted for each in certificate.periods] == ["items", "items"]
    first, now, _ = lines_in_words(certificate, 0)
    period = certificate.periods[0]
    assert first == "rules have dates: with 95% confidence at most 10% of the items decided are wrong in every period"
    assert now == (
        f"  now until 2026-05-31: on {period.automation:.1%} of 900 calibration rows every item is decided; of all "
        f"items decided {period.error:.2%} are wrong"
    )
    assert period.high is not None and period.error is not None and period.error < period.high <= 0.1
    assert "每一项都自动决定" in chinese(now.strip())


def test_figures_by_kind_add_up() -> None:
    rows = labelled(300, 4)
    one = with_thresholds(policy(most_items=3), {"entity": 0.8, "empty": 0.5})
    figures = item_figures(one, rows)
    assert sum(each.told for each in figures.kinds) == sum(facts["entities"] for facts in rows.facts)
    assert sum(each.settled for each in figures.kinds) == figures.accepted.sum()
    assert sum(each.wrong for each in figures.kinds) == figures.wrong.sum()
    whole = [one.decide("", facts).route == "automatic" for facts in rows.facts]
    golds = [json.loads(gold) for gold, ok in zip(rows.truth, whole, strict=True) if ok]
    assert sum(each.meant for each in figures.kinds) == sum(map(len, golds))
    assert 0 < sum(each.missed for each in figures.kinds) < sum(each.meant for each in figures.kinds)
    nothing = item_figures(with_thresholds(one, {"entity": None, "empty": None}), rows)
    assert nothing.bound(0.05) is None and nothing.whole == 0


def test_rows_that_prove_nothing_say_what_more_would_do() -> None:
    few = labelled(60, 5)
    one = with_most(policy(), few, 60, PROMISED)
    path = fix_items(one, few, 60, PROMISED)
    certificate = certify_items(one, path, labelled(60, 6), PROMISED)
    assert not certificate.certified and set(certificate.thresholds.values()) == {None}
    assert certificate.needs["*"].answer in ("enough", "unknown") and "nothing is certified" in in_words(certificate)
    more = items_need(one, path, labelled(600, 7, level=5.0), PROMISED, tested=60)
    assert more.answer == "enough" and more.rows is not None and 1 <= more.rows < 600
    hopeless = replace(labelled(900, 8), truth=("[]",) * 900)
    assert items_need(one, path, hopeless, PROMISED).answer == "no_help"


def test_rows_drawn_with_different_probabilities_are_refused() -> None:
    drawn = replace(labelled(30, 9), drawn=(0.5,) * 30)
    with pytest.raises(UsageError, match="limits by item"):
        certify_items(policy(), (), drawn, PROMISED)


def test_the_limit_is_one_number_and_misses_have_none() -> None:
    assert limit_of_items(0.1, {}) == 0.1
    with pytest.raises(RecipeError, match="one limit for all items"):
        limit_of_items({"org": 0.1}, {})
    with pytest.raises(RecipeError, match="promises nothing of items that are missed"):
        limit_of_items(0.1, {"org": 0.1})


def test_a_text_out_of_the_models_hands_counts_for_nothing() -> None:
    cases = item_cases(policy(), labelled(200, 10))
    assert not cases.open[[0, 50, 100, 150]].any() and cases.open[1:50].all()
    assert not cases.usable[np.isin(cases.text, [0, 50])].any()


def test_the_menu_offers_shares_of_items() -> None:
    offers, by_label = menus(policy(most_items=2), labelled(500, 11), 400, PROMISED)
    assert not by_label and [offer.max_error for offer in offers] == [0.01, 0.02, 0.05, 0.1, 0.2]
    assert all(offer.now <= offer.more <= offer.most for offer in offers)
    assert offers[3].now > 0.3 and offers[0].now == 0


def test_a_forecast_has_the_items_of_test_rows() -> None:
    known, calibration = labelled(400, 12), labelled(400, 13)
    one = with_most(policy(), known, 400, PROMISED)
    certificate = prove(one, known, calibration, PROMISED, ())
    at = with_thresholds(one, certificate.thresholds)
    found = forecast(at, certificate, known, calibration, labelled(300, 14))
    assert found.items is not None and len(found.items.accepted) == 300 and not found.settled
    plain = certify(_whole(), {"*": (0.9,)}, calibration, 0.1)
    assert forecast(_whole(), plain, known, calibration, calibration).items is None


def _whole() -> Policy:
    return policy(format=4, certify="case", most_items=0, thresholds={"*": 0.9})
