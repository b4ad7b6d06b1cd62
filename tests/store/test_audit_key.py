"""The key of audits: shared by a file, safe from others, told by its fingerprint alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.decide.draw import Drawer
from penjing.store.audit_key import LEAST, find_audit_key, read_audit_key
from penjing.store.database import open_store

SECRET = "0123456789abcdef" * 4


def key_file(path: Path, content: str = SECRET, mode: int = 0o600) -> str:
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def test_two_servers_with_one_file_draw_the_same_and_with_keys_of_their_own_another(tmp_path: Path) -> None:
    shared, draws = key_file(tmp_path / "audit.key"), {}
    for server in ("one", "two"):
        store = open_store(f"sqlite:///{tmp_path / server}.db")
        for file in ("", key_file(tmp_path / f"{server}.key", f"\n{SECRET}\n"), shared):
            key = find_audit_key(store, file)
            assert key is not None and (key.file is None) == (not file)
            draws[server, bool(file)] = Drawer(key.secret).draw("hello", {"amount": 3.0}), key.fingerprint
        store.close()
    assert draws["one", True] == draws["two", True] != draws["one", False] != draws["two", False]


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o602, 0o601, 0o777])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = key_file(tmp_path / "audit.key", mode=mode)
    with pytest.raises(UsageError, match=f"others can read or change the audit key \\(mode {mode:o}\\)") as caught:
        read_audit_key(file)
    assert caught.value.fix == f"chmod 600 {file}"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440])
def test_its_owner_and_its_group_may_read_it(tmp_path: Path, mode: int) -> None:
    assert len(read_audit_key(key_file(tmp_path / "audit.key", mode=mode)).secret) == 32


def test_a_short_a_long_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the audit key has 31 bytes, not 32 to 4,096"):
        read_audit_key(key_file(tmp_path / "short", "x" * (LEAST - 1) + "\n"))
    with pytest.raises(UsageError, match="the audit key has 4,097 bytes"):
        read_audit_key(key_file(tmp_path / "long", "x" * 10_000))
    with pytest.raises(UsageError, match="the audit key cannot be read: no such file"):
        read_audit_key(str(tmp_path / "none"))


def test_the_key_is_in_no_message(tmp_path: Path) -> None:
    key = read_audit_key(key_file(tmp_path / "audit.key"))
    assert repr(key) == str(key) == f"AuditKey({key.fingerprint})" and len(key.fingerprint) == 8
    assert key.secret.hex() not in repr(key) and key.fingerprint not in key.secret.hex()
