"""Only a key of the signed chain opens the service, whatever is done to the tables, also after a restart."""

from __future__ import annotations

import pytest
from tests.tampering import by_hand

from penjing.store.database import Store, open_store
from penjing.store.keys import active_keys, create_key, revoke_key

EVIL = "INSERT INTO keys VALUES ('evil', 'n', 'd', 'decide', '2026', NULL)"
LAST = "number = (SELECT max(number) FROM chain WHERE kind = '{}')"


def names(store: Store) -> list[str]:
    return [key.name for key in active_keys(store)]


@pytest.fixture
def keyed(store: Store) -> Store:
    create_key(store, "good")
    revoke_key(store, create_key(store, "old")[0].id)
    return store


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("statements", "left"),
    [
        ([], ["good"]),
        ([EVIL], ["good"]),
        (["UPDATE keys SET revoked = NULL"], ["good"]),
        (["UPDATE keys SET scopes = 'read' WHERE name = 'good'"], []),
        (["UPDATE keys SET digest = 'd' WHERE name = 'good'"], []),
        (["UPDATE keys SET revoked = '2026' WHERE name = 'good'"], []),
        ([EVIL, "INSERT INTO chain SELECT 7, 1, time, kind, 'evil', digests, hash, salt FROM chain WHERE kind = 'key' "
          "LIMIT 1"], ["good"]),
    ],
)  # fmt: skip
def test_rows_that_the_chain_does_not_have_open_nothing(
    keyed: Store, url: str, statements: list[str], left: list[str], restarted: bool
) -> None:
    assert names(keyed) == ["good"]
    by_hand(url, *statements)
    if restarted:
        keyed.close()
        keyed = open_store(url)
    assert names(keyed) == left


@pytest.mark.parametrize(
    "broken",
    [
        [f"DELETE FROM chain WHERE {LAST.format('revocation')}"],
        [f"UPDATE chain SET kind = 'key' WHERE {LAST.format('revocation')}"],
        [f"UPDATE chain SET row = 'x', time = '1' WHERE {LAST.format('revocation')}"],
        ["DELETE FROM chain WHERE number > 5", "UPDATE writers SET number = 5"],
    ],
)
def test_after_a_break_only_newer_keys_open(keyed: Store, url: str, broken: list[str]) -> None:
    by_hand(url, "UPDATE keys SET revoked = NULL", *broken)
    keyed.close()
    store = open_store(url, create=False)
    assert names(store) == []
    if store.key is not None and len(broken) == 1:
        create_key(store, "newer")
        assert names(store) == ["newer"]
    store.close()


def test_what_is_new_is_seen_at_once_by_another_process(keyed: Store, url: str) -> None:
    assert names(keyed) == ["good"]
    other = open_store(url)
    made = create_key(other, "later")[0]
    assert names(keyed) == ["good", "later"]
    revoke_key(other, made.id)
    assert names(keyed) == ["good"]
    other.close()
