"""The forecast of a release: its menus, and what more rows would do from twice the rows of its certificate."""

from __future__ import annotations

from pathlib import Path

from tests.labelled_cases import made_certificate, numbered, numbers, policy, rows

from penjing.prove.certify import cases_of, certify, fix_grid
from penjing.prove.forecast import forecast, more_rows
from penjing.prove.menu import menu
from penjing.prove.misses import Promised, certify_path, fix_path


def test_the_menus_hold_the_limits_of_the_recipe_too(tmp_path: Path) -> None:
    one = policy(tmp_path)
    certificate = made_certificate(one, {"ham": 0.03, "spam": 0.07})
    found = forecast(one, certificate, rows(one, 1_000, 1), rows(one, 500, 2), rows(one, 500, 3))
    assert [offer.max_error for offer in found.menu] == [0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2]
    assert set(found.by_label) == {"ham", "spam"} and len(found.by_label["ham"]) == 8
    # A rule takes two of ten cases.
    assert 0.7 < found.menu[-1].most < 0.85 and 0.7 < found.by_label["spam"][-1].most < 0.9
    assert found.needs.keys() == certificate.needs.keys()


def test_another_limit_is_forecast_at_the_level_of_another_test(tmp_path: Path) -> None:
    one = policy(tmp_path)
    for limit in (0.05, 0.1):
        certificate = made_certificate(one, limit)
        seen = rows(one, 1_000, 1, wrong=0.01), rows(one, 60, 2), rows(one, 60, 3)
        offers = {offer.max_error: offer for offer in forecast(one, certificate, *seen).menu}
        known = cases_of(one, seen[0], certificate.reviewed)
        for other, offer in offers.items():
            level = 0.05 if other == limit else 0.025
            assert offer.now == menu(known, certificate.rows, [other], level)[0].now
            assert offer.more == menu(known, certificate.rows, [other], 0.05)[0].more, "new rows have the first level"


def test_test_rows_are_evidence_too(tmp_path: Path) -> None:
    one = policy(tmp_path, "name,text,p,then\nperson,contains 投诉,,review\n")
    grid = fix_grid(one, rows(one, 1_000, 1, wrong=0.01), 45, 0.05)
    certificate = certify(one, grid, rows(one, 45, 2, wrong=0.01), 0.05)
    assert not certificate.certified and certificate.needs["*"].answer == "unknown"
    more = more_rows(one, certificate, rows(one, 600, 3, wrong=0.01))
    assert more["*"].answer == "enough" and (more["*"].rows or 0) > 59 - 45


def test_the_whole_path_has_one_need(tmp_path: Path) -> None:
    one = policy(tmp_path, "name,text,p,then\nperson,contains 投诉,,review\n")
    promised = Promised(0.05, {"spam": 0.05})
    path = fix_path(one, rows(one, 1_000, 1, wrong=0.01), 50, promised)
    certificate = certify_path(one, path, rows(one, 50, 2, wrong=0.01), promised)
    found = forecast(one, certificate, rows(one, 300, 1), rows(one, 400, 2, wrong=0.01), rows(one, 400, 3, wrong=0.01))
    assert set(found.needs) == {"*"} and found.needs["*"].answer == "enough"


def test_a_task_without_labels_has_one_menu(tmp_path: Path) -> None:
    one = numbers(tmp_path)
    grid = fix_grid(one, numbered(one, 500, 1), 500, 0.05)
    certificate = certify(one, grid, numbered(one, 500, 2), 0.05)
    found = forecast(one, certificate, numbered(one, 500, 1), numbered(one, 500, 2), numbered(one, 500, 3))
    assert found.menu and found.by_label == {}
