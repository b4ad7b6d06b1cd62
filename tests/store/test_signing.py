"""The key file: its owner's alone, never overwritten; heads that only the key can sign."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from penjing.core.errors import StoreError
from penjing.store.signing import head_file_of, key_file_of, load_head, load_key, make_key, save_head, save_key


def test_a_key_is_kept_for_its_owner_and_never_overwritten(tmp_path: Path) -> None:
    file, key = tmp_path / ".x.db.key", make_key("d" * 32, ("a" * 64,))
    assert load_key(file) is None
    save_key(file, key)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_key(file) == key
    with pytest.raises(StoreError, match="cannot be made"):
        save_key(file, make_key("e" * 32))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"database":"x","public":"00","private":"zz","trusted":[]}'])
def test_a_damaged_key_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(StoreError, match=r"is damaged|is not a signing key"):
        load_key(tmp_path / "key")


def test_a_head_is_the_writers_own(tmp_path: Path) -> None:
    key = make_key("d" * 32)
    head = key.sign(7, "ab" * 32, "2026-01-01T00:00:00.000000Z")
    assert head.holds()
    for changed in (replace(head, count=6), replace(head, hash="ac" * 32), replace(head, database="e" * 32)):
        assert not changed.holds()
    assert not replace(head, writer=make_key("d" * 32).public).holds()
    assert not replace(head, signature="x").holds()
    file = head_file_of(key_file_of(tmp_path / "x.db"))
    assert load_head(file) is None
    save_head(file, head)
    assert load_head(file) == head
    assert [path.name for path in tmp_path.iterdir()] == [".x.db.head"]


def test_a_head_is_replaced_whole_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = make_key("d" * 32)
    file = head_file_of(key_file_of(tmp_path / "x.db"))
    for count in (1, 2):
        save_head(file, key.sign(count, "ab" * 32, "2026-01-01T00:00:00.000000Z"))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = load_head(file)
    assert found is not None and found.count == 2
    assert [path.name for path in tmp_path.iterdir()] == [".x.db.head"]


def test_a_key_for_another_purpose_is_always_the_same_and_another_than_for_a_third() -> None:
    key = make_key("d" * 32)
    assert key.derive(b"one") == key.derive(b"one") and len(key.derive(b"one")) == 32
    assert len({key.derive(b"one"), key.derive(b"two"), make_key("d" * 32).derive(b"one")}) == 3
