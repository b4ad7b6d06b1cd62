"""The table: common characters, each beside others; the Latin ones are of another script and look the same."""

from __future__ import annotations

import unicodedata

from penjing.data.noise.homophones import common_characters
from penjing.data.noise.lookalikes import alike


def test_the_table_has_common_characters_and_none_beside_itself() -> None:
    table, common = alike(), set(common_characters())
    chinese = {one: others for one, others in table.items() if not one.isascii()}
    assert len(chinese) == 2883
    assert all(one in common and set(others) <= common for one, others in chinese.items())
    assert all(1 <= len(set(others)) == len(others) <= 3 and one not in others for one, others in table.items())
    # Pairs that people confuse.
    assert "末" in table["未"] and "已" in table["己"] and "士" in table["土"] and "帐" in table["账"]


def test_latin_letters_stand_for_letters_of_another_script() -> None:
    latin = {one: others for one, others in alike().items() if one.isascii()}
    assert len(latin) == 23
    for one, (other,) in latin.items():
        name = unicodedata.name(other)
        assert name.startswith(("CYRILLIC", "GREEK")) and one.isupper() == other.isupper()
