"""What is erased is nowhere in the database; what was decided stays."""

from __future__ import annotations

import pytest

from penjing.core.errors import DataError
from penjing.store.database import Store
from penjing.store.erasure import erase_decisions
from penjing.store.records import get_record, write_records
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
