"""Keys: never kept in the clear, matched whole, revocable, in the audit chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.store import audit
from penjing.store.database import Store
from penjing.store.keys import active_keys, create_key, list_keys, match_key, revoke_key


def test_the_secret_is_nowhere_in_the_database(store: Store, tmp_path: Path) -> None:
    key, secret = create_key(store, "claims desk")
    store.close()
    assert secret.startswith("pj_")
    for file in tmp_path.iterdir():
        assert secret.encode() not in file.read_bytes()
    assert list_keys(store) == [key]
    assert key.scopes == ("decide", "read")


def test_a_key_is_matched_whole(store: Store) -> None:
    (first, secret), (second, other) = create_key(store, "a", ["read"]), create_key(store, "b")
    known = active_keys(store)
    assert match_key(known, secret) == first
    assert match_key(known, other) == second
    for wrong in ("", secret[:-1], secret + "x", first.digest, "\ud800", "é"):
        assert match_key(known, wrong) is None


def test_a_revoked_key_opens_nothing(store: Store) -> None:
    key, secret = create_key(store, "a")
    revoke_key(store, key.id)
    assert match_key(active_keys(store), secret) is None
    assert list_keys(store)[0].revoked is not None
    with pytest.raises(UsageError, match="was revoked before"):
        revoke_key(store, key.id)
    with pytest.raises(UsageError, match="is unknown"):
        revoke_key(store, "nothing")
    assert [entry["kind"] for entry in audit.entries(store)] == ["key created", "key revoked"]
    audit.verify(store)


@pytest.mark.parametrize(("name", "scopes"), [("", ["read"]), ("x" * 81, ["read"]), ("a\n", ["read"]), ("a", ["root"])])
def test_a_wrong_key_is_refused(store: Store, name: str, scopes: list[str]) -> None:
    with pytest.raises(UsageError):
        create_key(store, name, scopes)
    with pytest.raises(UsageError, match="needs a scope"):
        create_key(store, "a", [])
