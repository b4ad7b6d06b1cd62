"""Signed values of the table `about`: only a writer of this database makes one."""

from __future__ import annotations

from penjing.store.about import read_signed, signed_value
from penjing.store.signing import make_key


def test_a_signed_value_holds_for_its_name_its_database_and_its_writer() -> None:
    key, other = make_key("one"), make_key("one")
    written = signed_value(key, "form", "0004")
    assert read_signed("one", "form", written, [other.public, key.public]) == "0004"
    assert read_signed("one", "form", written, [other.public]) is None
    assert read_signed("two", "form", written, [key.public]) is None
    assert read_signed("one", "probed", written, [key.public]) is None
    assert read_signed("one", "form", "0005 " + written.split()[1], [key.public]) is None
    for odd in ("", "0004", "0004 zz", "\ud800 00"):
        assert read_signed("one", "form", odd, [key.public]) is None
