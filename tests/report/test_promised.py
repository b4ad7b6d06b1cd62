"""The parts of a report about promises by true label and about what could be promised."""

from __future__ import annotations

import pytest

from penjing.core.certificate import Certificate, LimitTest, PathStep
from penjing.prove.forecast import Forecast
from penjing.prove.harm import Harm
from penjing.prove.menu import Offer
from penjing.report.promised import harm_rows, menu_of

PLAIN = Certificate(
    format=3, max_error=0.05, confidence=0.95, certified=True, thresholds={"no": 0.9, "yes": None}, grid={},
    steps=(), rows=400, automation=0.75, error=0.01, high=0.04, forced=0.0, ruled=0.1, reviewed=(),
    calibration=(), used=(),
)  # fmt: skip
HARM = (Harm("no", 90, 1, 0, 0.052, 0.033), Harm("yes", 10, 2, 1, 0.51, 0.26))


def test_a_label_with_a_limit_shows_what_proves_it() -> None:
    test = LimitTest(kind="miss", of="yes", limit=0.05, cases=59, errors=0, p_value=0.048)
    step = PathStep(thresholds={"no": 0.9, "yes": None}, tests=(test,), p_value=0.048, passed=True)
    certificate = PLAIN.model_copy(update={"max_miss": {"yes": 0.05}, "path_steps": (step,)})
    no, yes = harm_rows(HARM, certificate)
    assert (no.limit, no.proven, no.proof_rows, no.proof_best) == (None, None, None, None)
    assert (yes.limit, yes.proven, yes.proof_rows) == (0.05, True, 59)
    assert yes.proof_best == pytest.approx(1 - 0.05 ** (1 / 59), abs=1e-6)
    assert (yes.rows, yes.wrong, yes.forced, yes.high) == (10, 2, 1, 0.51)
    refused = certificate.model_copy(update={"certified": False})
    assert harm_rows(HARM, refused)[1].proven is False


def test_without_a_forecast_there_is_no_menu() -> None:
    assert menu_of(Forecast(), 100) is None
    offer = Offer(0.05, 0.1, 0.2, 0.3)
    menu = menu_of(Forecast(menu=(offer,), by_label={"yes": (offer,)}), 100)
    assert menu is not None and menu.rows == 100
    assert menu.offers == menu.by_label["yes"] and menu.offers[0].model_dump() == vars(offer)
