"""Entries: in the transaction of what they tell of, linked, signed."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from tests.recorded import write_records

from penjing.core.errors import StoreError
from penjing.store.chain import Entry, link, start_of
from penjing.store.database import Store
from penjing.store.signing import SignedHead
from penjing.store.tables import chain, writers


def test_an_entry_stands_and_falls_with_its_row(store: Store, make) -> None:
    with store.write() as connection:
        write_records(connection, [make("one", route="review")])
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        write_records(connection, [make("two")])
        raise ZeroDivisionError
    with store.read() as connection:
        kinds = list(connection.execute(select(chain.c.kind).order_by(chain.c.number)).scalars())
        (writer,) = connection.execute(select(writers)).all()
    assert kinds == ["began", "form", "decision", "review"]
    assert store.key is not None
    head = SignedHead(store.key.database, writer.public, writer.number, writer.hash, writer.time, writer.signature)
    assert writer.number == 4 and head.holds()


def test_the_head_counts_all_entries(store: Store, make) -> None:
    with store.write() as connection:
        write_records(connection, [make(f"id-{number}") for number in range(40)])
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(chain)).scalar() == 42
        assert connection.execute(select(writers.c.number)).scalar() == 42


@pytest.mark.parametrize(
    "other",
    [
        (b"\1" * 32, 1, "t", Entry("key", "a", b"d", b"")),
        (bytes(32), 2, "t", Entry("key", "a", b"d", b"")),
        (bytes(32), 1, "u", Entry("key", "a", b"d", b"")),
        (bytes(32), 1, "t", Entry("keya", "", b"d", b"")),
        (bytes(32), 1, "t", Entry("key", "ad", b"", b"")),
    ],
)
def test_a_link_covers_all_of_an_entry(other) -> None:
    entry = Entry("key", "a", b"d", b"salt")
    assert link(bytes(32), 1, "t", entry) == link(bytes(32), 1, "t", Entry("key", "a", b"d", b"other"))
    assert link(*other) != link(bytes(32), 1, "t", entry)


def test_chains_of_two_writers_begin_apart() -> None:
    assert len({start_of("a", "b"), start_of("a", "c"), start_of("b", "b")}) == 3


def test_without_its_key_a_store_writes_nothing(store: Store, make) -> None:
    store.key = None
    with pytest.raises(StoreError, match="signing key"), store.write() as connection:
        write_records(connection, [make("one")])
