"""Beginning anew: only after a loss, and on record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.recorded import write_records

from penjing.core.errors import UsageError
from penjing.store import audit
from penjing.store.database import Store, open_store
from penjing.store.records import count_records
from penjing.store.recovery import begin
from penjing.store.signing import head_file_of
from penjing.store.verify import verify_store


def lose(path: Path) -> None:
    for file in path.parent.glob(path.name + "*"):
        file.unlink()


@pytest.fixture
def one(store: Store, make) -> Store:
    with store.write() as connection:
        write_records(connection, [make("one")])
    store.close()
    return store


@pytest.mark.usefixtures("one")
def test_nothing_is_begun_where_nothing_is_lost(url: str) -> None:
    with pytest.raises(UsageError, match="nothing is lost"):
        begin(url)


@pytest.mark.usefixtures("one")
def test_a_lost_database(url: str, tmp_path: Path) -> None:
    lose(tmp_path / "penjing.db")
    moved = begin(url)
    assert moved is not None and moved.exists()
    new = open_store(url)
    assert count_records(new) == {"automatic": 0, "review": 0}
    assert verify_store(new).findings == []
    new.close()


@pytest.mark.parametrize("lost", ["key", "key damaged", "older state"])
def test_a_lost_key_or_end(one: Store, url: str, make, lost: str) -> None:
    if lost == "key":
        one.key_file.unlink()
    elif lost == "key damaged":
        one.key_file.write_text("{")
    else:
        head = head_file_of(one.key_file)
        head.write_text(head.read_text().replace('"count":3', '"count":99'))
    begin(url)
    new = open_store(url)
    with new.write() as connection:
        write_records(connection, [make("two")])
    done = verify_store(new)
    assert done.findings == []
    assert len(done.writers) == 2
    assert [entry["kind"] for entry in audit.entries(new)] == ["begun anew"]
    new.close()
