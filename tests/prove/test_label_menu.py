"""The menu of limits by label: more rows never offer less, and what is offered is about what is certified."""

from __future__ import annotations

import numpy as np
import pytest
from tests.prove.test_by_label import labelled, policy

from penjing.prove.by_label import certify_labels, fix_labels, promised_labels, settled_share
from penjing.prove.certify import with_thresholds
from penjing.prove.label_menu import LIMITS, label_menu
from penjing.prove.misses import Promised

RARE = ("rare",)


def test_more_rows_offer_more_and_the_own_limit_is_among_the_offers() -> None:
    offers = label_menu(policy(), labelled(600, 1), 400, Promised(0.07, {"*": 0.15}, RARE))
    assert [offer.max_error for offer in offers] == sorted({*LIMITS, 0.07})
    for offer in offers:
        assert 0 <= offer.now <= offer.more <= offer.most <= 1
    assert offers[-1].most > 0.5


def test_limits_of_single_labels_are_offered_too() -> None:
    promised = Promised({"fees": 0.04, "card": 0.2, "loan": 0.1}, {"*": 0.15}, RARE)
    offers = label_menu(policy(), labelled(300, 1), 300, promised)
    assert [offer.max_error for offer in offers] == sorted({*LIMITS, 0.04})


def test_without_a_label_of_enough_rows_nothing_is_offered() -> None:
    offers = label_menu(policy(), labelled(60, 1), 5, Promised(0.1, {"*": 0.01}, RARE))
    assert {offer.now for offer in offers} == {0.0}


def test_the_offer_is_about_the_share_that_is_certified() -> None:
    one, validation, promised = policy(), labelled(1_000, 1), Promised(0.1, {"*": 0.15}, RARE)
    offer = next(each for each in label_menu(one, validation, 1_500, promised) if each.max_error == 0.1)
    fixed = promised_labels(one, validation, 1_500, promised)
    certificate = certify_labels(one, fix_labels(one, validation, 1_500, fixed), labelled(1_500, 2), fixed)
    assert certificate.certified
    shares = settled_share(with_thresholds(one, certificate.thresholds), labelled(1_500, 3).facts)
    assert offer.now == pytest.approx(float(np.mean(list(shares.values()))), abs=0.1)
