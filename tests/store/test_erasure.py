"""What is erased is nowhere in the database; what was decided stays."""

from __future__ import annotations

import pytest
from tests.recorded import write_records

from penjing.core.errors import DataError, StoreError
from penjing.store import sqlite
from penjing.store.database import Store, open_store
from penjing.store.erasure import erase_decisions, erased_at, find_erasable, ids_with_fields
from penjing.store.records import get_record
from penjing.store.verify import verify_store


def test_the_person_is_erased_and_the_decision_stays(store: Store, make) -> None:
    with store.write() as connection:
        write_records(connection, [make("one", text="a very personal text"), make("two", route="review")])
    erase_decisions(store, ["one"])
    erase_decisions(store, ["one"])
    record = get_record(store, "one")
    assert record is not None
    assert (record.text, record.evidence, record.decided()["facts"]["fields"]) == (None, None, None)
    assert (record.outcome, record.decided()["facts"]["p"]) == ("spam", 0.875)
    assert verify_store(store).findings == []
    with pytest.raises(DataError, match="no decision has the id"):
        erase_decisions(store, ["one", "nobody"])


def test_a_reader_that_keeps_the_text_in_the_log_is_reported(
    url: str, store: Store, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as connection:
        write_records(connection, [make("one", text="a very personal text")])
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)
    other = open_store(url)
    with store.read() as connection:
        connection.exec_driver_sql("SELECT * FROM decisions").fetchall()
        with pytest.raises(StoreError, match="log still holds what was erased"):
            erase_decisions(other, ["one"])
    assert erased_at(other, "one") is not None
    other.compact()
    assert other.log_bytes() == 0
    other.close()


def test_decisions_are_found_by_id_and_by_the_recorded_value_of_a_field(store: Store, make) -> None:
    with store.write() as connection:
        write_records(connection, [make("one"), make("two")])
        changed = """replace(decision, '"fields":{}', '"fields":{"n":5.0}')"""
        connection.exec_driver_sql(f"UPDATE decisions SET decision = {changed} WHERE id = 'two'")
    assert ids_with_fields(store, {"n": "5.0"}) == ["two"]
    assert ids_with_fields(store, {"n": "5"}) == ids_with_fields(store, {"n": "5.0", "m": "1"}) == []
    assert [one.id for one in find_erasable(store, ["two", "one", "two"])] == ["two", "one"]
