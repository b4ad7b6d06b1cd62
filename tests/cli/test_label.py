"""The group `penjing label`."""

from __future__ import annotations


def test_the_group_lists_its_commands(penjing) -> None:
    ran = penjing("label", "--help")
    assert ran.code == 0 and "suggest" in ran.out and "What to label next" in ran.out
    assert "接下来标注什么" in penjing("label", "--help", "--lang", "zh").out
