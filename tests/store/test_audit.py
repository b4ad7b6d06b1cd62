"""The chain finds what was changed, taken out, put in or cut off."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.tampering import by_hand

from penjing.core.errors import DamageError, StoreError
from penjing.store import audit
from penjing.store.database import Store


@pytest.fixture
def chained(store: Store) -> Store:
    with store.write() as connection:
        for number in range(5):
            audit.append(connection, "release", {"id": f"{number}" * 64, "名": "盆景"})
    return store


def test_an_empty_chain_holds(store: Store) -> None:
    assert audit.verify(store) == audit.AuditHead(0, audit.START)


def test_a_whole_chain_holds(chained: Store) -> None:
    head = audit.verify(chained)
    assert head.number == 5
    assert [entry["kind"] for entry in audit.entries(chained)] == ["release"] * 5
    with chained.write() as connection:
        audit.append(connection, "release", {})
    assert audit.verify(chained, expected=head).number == 6


@pytest.mark.parametrize("verb", ["UPDATE audit SET kind = 'x'", "DELETE FROM audit WHERE number = 5"])
def test_the_database_refuses_to_change_it(chained: Store, verb: str) -> None:
    with pytest.raises(StoreError, match="append-only"), chained.write() as connection:
        connection.execute(text(verb))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET detail = '{}' WHERE number = 3", "entry 3 .* was changed"),
        ("UPDATE audit SET time = '2020-01-01T00:00:00.000000Z' WHERE number = 5", "entry 5 .* was changed"),
        ("UPDATE audit SET hash = 'f' WHERE number = 2", "entry 2 .* was changed"),
        ("DELETE FROM audit WHERE number = 1", "entry 1 .* is missing"),
        ("DELETE FROM audit WHERE number = 4", "entry 4 .* is missing"),
    ],
)
def test_tampering_is_found(chained: Store, url: str, statement: str, words: str) -> None:
    by_hand(url, statement)
    with pytest.raises(DamageError, match=words):
        audit.verify(chained)


def test_a_chain_cut_short_is_found_by_a_noted_head(chained: Store, url: str) -> None:
    head = audit.verify(chained)
    by_hand(url, "DELETE FROM audit WHERE number = 5")
    assert audit.verify(chained).number == 4
    with pytest.raises(DamageError, match="without the noted entry 5"):
        audit.verify(chained, expected=head)
