"""What a certificate by item says: its own figures, and that missing items are no part of it."""

from __future__ import annotations

from tests.prove.test_label_words import certificate

from penjing.core.chinese import chinese
from penjing.prove.item_words import by_item_in_words, periods_by_item_in_words


def test_the_limit_the_most_and_the_share_are_said() -> None:
    said = by_item_in_words(certificate(0.025).model_copy(update={"most_items": 4, "by_label": False}), "95%")
    assert said == (
        "with 95% confidence at most 2.5% of the items that are decided without a person are wrong, at most 4 of a "
        "text; nothing is promised of missing ones: on 45.7% of 1,200 calibration rows every item is decided and no "
        "person is needed"
    )
    assert "不超过 2.5%" in chinese(said) and "漏掉" in chinese(said)


def test_the_wrong_ones_are_told_where_the_certificate_counts_items() -> None:
    found = {"most_items": 4, "by_label": False, "format": 4, "error": 0.0125, "high": 0.024}
    said = by_item_in_words(certificate(0.025).model_copy(update=found), "95%")
    assert said.endswith("no person is needed, 1.25% of the items decided are wrong, by these rows at most 2.40%")
    assert chinese(said).endswith("自动决定的项中 1.25% 出错，按这些行不超过 2.40%")


def test_periods_have_the_same_limit() -> None:
    said = periods_by_item_in_words(certificate(0.1).model_copy(update={"most_items": 4}), "95%")
    assert said == "rules have dates: with 95% confidence at most 10% of the items decided are wrong in every period"
    assert chinese(said).startswith("规则有起止日期：在 95% 的置信度下") and "10%" in chinese(said)
