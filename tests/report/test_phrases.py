"""Shares as each language writes them; a promise is never rounded."""

from __future__ import annotations

from penjing.report.phrases import as_written, joined, percent, with_interval, words


def test_a_share_in_each_language() -> None:
    assert (percent(0.973, "en"), percent(0.973, "zh")) == ("97.3\u00a0%", "97.3%")
    assert (percent(0.05, "zh"), percent(0.05, "zh", trim=False), percent(0.056, "en", 0)) == ("5%", "5.0%", "6\u00a0%")


def test_a_promise_is_not_rounded() -> None:
    assert (as_written(0.0125, "zh"), as_written(0.005, "en")) == ("1.25%", "0.5\u00a0%")


def test_a_share_with_its_interval_is_the_same_in_both_languages() -> None:
    assert with_interval(0.7, 0.6, 0.8051) == "70.0% (60.0% – 80.5%)"


def test_every_phrase_has_both_languages() -> None:
    assert words("en").keys() == words("zh").keys() and words("en") is words("en")


def test_sentences_are_joined_as_their_language_is_written() -> None:
    assert joined(["One.", "", "Two."], "en") == "One. Two."
    assert joined(["其一。", "", "其二。"], "zh") == "其一。其二。"
