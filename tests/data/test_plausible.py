"""Which decoded characters are likely, and which only happen to decode."""

from __future__ import annotations

import pytest

from penjing.data.plausible import plausibility


@pytest.mark.parametrize(
    "text", ["这次的服务很好", "這間酒店環境還可以", "Mäkinen", "It’s “fine” – really…", "价格是￥５（含税）"]
)
def test_texts_are_likely(text: str) -> None:
    mean, count = plausibility(text)
    assert mean > 0.5
    assert count == sum(character > "\x7f" for character in text)


@pytest.mark.parametrize(
    "text",
    [
        "这次的服务很好".encode("gb18030").decode("latin-1"),
        "这次的服务很好".encode().decode("gb18030", "replace"),
        "這間酒店環境還可以".encode("big5").decode("gb18030", "replace"),
        "\udc81\ufffd\ue3e2",
    ],
)
def test_wrong_readings_are_not(text: str) -> None:
    assert plausibility(text)[0] < 0


def test_ascii_says_nothing() -> None:
    assert plausibility("plain words") == (0.0, 0)
