"""What a certificate by label says: its own figures, and no limit that it does not have."""

from __future__ import annotations

from penjing.core.certificate import Certificate
from penjing.prove.label_words import by_label_in_words, label_misses_in_words


def certificate(limit: float | dict[str, float]) -> Certificate:
    return Certificate(
        format=3, max_error=limit, confidence=0.95, certified=True, thresholds={}, grid={}, steps=(), rows=1200,
        automation=0.4567, error=None, high=None, forced=0.0, ruled=0.0, reviewed=(), calibration=(), used=(),
        max_miss={"card": 0.2, "fees": 0.05}, by_label=True,
    )  # fmt: skip


def test_one_limit_is_said_with_the_share_without_a_person() -> None:
    said = by_label_in_words(certificate(0.025), "95%")
    assert said == (
        "with 95% confidence, where the model settles that a text has one of 2 labels, the share of wrong ones is at "
        "most 2.5% for each label: on 45.7% of 1,200 calibration rows every label is settled and no person is needed"
    )


def test_limits_of_their_own_are_not_said_as_one() -> None:
    said = by_label_in_words(certificate({"card": 0.1, "fees": 0.02}), "95%")
    assert "within the limit of the label for each label" in said
    assert "at most" not in said


def test_misses_name_each_limit() -> None:
    said = label_misses_in_words("card 20%, fees 5%")
    assert said.endswith("settled as if they did not have it: card 20%, fees 5%")
