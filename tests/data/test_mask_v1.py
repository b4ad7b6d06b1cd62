"""The first version masks as it did in every release that was made with it, its faults too."""

from __future__ import annotations

import pytest

from penjing.data.mask_v1 import mask

SEALED = {
    "4239 0424 8611 1484": "4239 ⟦landline⟧",
    "6901234567892": "⟦bank_card⟧",
    "0371-2026-0115": "⟦landline⟧",
    "章节1.2.3.4": "章节⟦ip⟧",
    "138.1234.5678": "138.1234.5678",
    "1 3 8 1 2 3 4 5 6 7 8": "1 3 8 1 2 3 4 5 6 7 8",
    "٠١٣٨١٢٣٤٥٦٧٨": "٠١٣٨١٢٣٤٥٦٧٨",
    "13800138000元": "⟦mobile⟧元",
    "(+86)13812345678": "(+86)⟦mobile⟧",
    "130503670401001": "130503670401001",
}


@pytest.mark.parametrize(("text", "masked"), SEALED.items())
def test_nothing_of_it_changes(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "1-", "4111 ", "京A", "a@", "1.", "+86", "138 1234 567", "１", "b.", "0"]
)
def test_long_texts_take_no_square_of_their_length(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    assert mask(mask(text).text + "@").counts is not None
