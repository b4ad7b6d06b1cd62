"""Counts are those of the placeholders in a text."""

from __future__ import annotations

from penjing.data.masked import KINDS, PLACEHOLDERS, counted


def test_every_kind_is_counted() -> None:
    assert counted("好").counts == dict.fromkeys(KINDS, 0)
    text = "".join(PLACEHOLDERS.values()) + PLACEHOLDERS["ip"]
    assert counted(text).counts == {**dict.fromkeys(KINDS, 1), "ip": 2}
