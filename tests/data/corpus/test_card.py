"""The card of a corpus: sums over its sources, reasons by their frequency, and nothing that it does not know."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from penjing.data.corpus.card import Amount, CorpusCard, SourceCard


def amount(documents: int, characters: int) -> Amount:
    return Amount(documents=documents, characters=characters)


def card() -> CorpusCard:
    one = SourceCard(
        name="one", domain="d", given="/one", read=amount(10, 100), kept=amount(4, 40),
        dropped={"symbols": amount(1, 9), "too_short": amount(5, 11)}, changed={"masked": 1, "divided": 2},
    )  # fmt: skip
    two = SourceCard(
        name="two", domain="d", given="/two", read=amount(7, 70), kept=amount(1, 10),
        dropped={"digits": amount(3, 8), "symbols": amount(2, 1)}, changed={"masked": 1, "simplified": 9},
    )  # fmt: skip
    return CorpusCard(sources=(one, two), domains=())


def test_amounts_are_summed_over_the_sources() -> None:
    assert card().read == amount(17, 170) and card().kept == amount(5, 50)
    assert CorpusCard(sources=(), domains=()).read == amount(0, 0)


def test_reasons_stand_by_their_frequency_then_by_name() -> None:
    assert list(card().dropped.items()) == [
        ("too_short", amount(5, 11)), ("digits", amount(3, 8)), ("symbols", amount(3, 10)),
    ]  # fmt: skip
    assert list(card().changed.items()) == [("simplified", 9), ("divided", 2), ("masked", 2)]


def test_a_card_reads_back_and_refuses_what_it_does_not_know() -> None:
    written = card().model_dump_json()
    assert CorpusCard.model_validate_json(written) == card()
    for changed in (written.replace('"format":1', '"format":2'), written.replace('"masking"', '"host"')):
        assert changed != written
        with pytest.raises(ValidationError):
            CorpusCard.model_validate_json(changed)
    with pytest.raises(ValidationError):
        card().sources[0].name = "other"
