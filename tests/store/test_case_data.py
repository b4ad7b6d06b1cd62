"""The caller's own data is stored beside the decision, listed by its case, bounded, erased, and in no record."""

from __future__ import annotations

import math
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.recorded import write_records

from penjing.core.errors import RequestError, StoreDamageError, UsageError
from penjing.store.about import FORM
from penjing.store.case_data import CaseData, decisions_of, get_cases, refs_with
from penjing.store.database import Store, open_store
from penjing.store.erasure import erase_decisions
from penjing.store.records import get_record
from penjing.store.signing import key_file_of
from penjing.store.verify import verify_store

GOLDEN = Path(__file__).parents[1] / "golden" / "store.sqlite"


def test_a_case_lists_its_decisions_in_the_order_of_time_page_by_page(store: Store, make) -> None:
    made = [replace(make(f"id-{n}"), created=f"2026-01-0{9 - n}T00:00:00.000000Z") for n in range(5)]
    cases = {record.id: CaseData("案件 7") for record in made} | {"id-4": CaseData("other"), "id-0": CaseData()}
    with store.write() as connection:
        write_records(connection, made, cases)
    assert decisions_of(store, "案件 7", 2) == ["id-3", "id-2"]
    assert decisions_of(store, "案件 7", 2, "id-2") == ["id-1"]
    assert decisions_of(store, "案件", 9) == []
    assert sorted(refs_with(store, "案件 7")) == ["id-1", "id-2", "id-3"]
    with pytest.raises(UsageError, match="names no decision of this case"):
        decisions_of(store, "案件 7", 2, "id-4")


def test_it_comes_back_as_it_was_given_and_the_record_has_nothing_of_it(store: Store, make) -> None:
    case = CaseData("C-1", {"支行": "杭州", "amount": 3.5, "vip": True, "none": None})
    plain, given = make("plain"), make("given")
    with store.write() as connection:
        write_records(connection, [plain, given], {"given": case})
    assert get_cases(store, ["plain", "given"]) == {"given": case}
    assert case.to_json() == {"ref": "C-1", "keep": {"支行": "杭州", "amount": 3.5, "vip": True, "none": None}}
    assert get_record(store, "given") == given
    assert "杭州" not in given.decision + given.prediction


def test_an_erasure_blanks_it_and_the_chain_still_verifies(store: Store, make) -> None:
    with store.write() as connection:
        write_records(
            connection, [make("one"), make("two")], {name: CaseData("C-9", {"a": "b"}) for name in ("one", "two")}
        )
    erase_decisions(store, ["one"])
    assert get_cases(store, ["one", "two"]) == {"two": CaseData("C-9", {"a": "b"})}
    assert decisions_of(store, "C-9", 9) == ["two"]
    assert verify_store(store).findings == []
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE case_data SET ref = NULL WHERE decision = 'two'")
    (found,) = verify_store(store).findings
    assert (found.table, found.row, found.what) == (
        "case_data",
        "two",
        "`ref` of the caller's data of the decision two was changed",
    )


@pytest.mark.parametrize(
    ("ref", "keep", "said"),
    [
        ("x" * 201, {}, "has 201 characters; at most 200"),
        (None, {f"c{n}": "" for n in range(21)}, "21 columns to pass through; at most 20"),
        (None, {"a": "x" * 2000}, "have 2,001 characters; at most 2,000"),
        ("a\0b", {}, "NUL or half a character"),
        (None, {"a": "\ud800"}, "NUL or half a character"),
        (None, {"a": math.inf}, "a number that is not finite"),
    ],
)
def test_it_has_bounds(ref: str | None, keep: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        CaseData(ref, keep)


def test_a_case_number_has_no_spaces_around_it() -> None:
    assert CaseData(" C-7 ").ref == "C-7" and CaseData("  ").ref is None


def test_a_database_of_the_fourth_form_gets_the_tables_and_a_signature(
    store: Store, url: str, tmp_path: Path, make
) -> None:
    """A start without the key migrates, and the next one with the key signs the new form."""
    path, key = tmp_path / "penjing.db", key_file_of(tmp_path / "penjing.db")
    _set_back(store, path)
    aside = Path(shutil.move(key, tmp_path / "aside"))
    reading = open_store(url, create=False)
    assert get_cases(reading, ["one"]) == {}
    reading.close()
    shutil.move(aside, key)
    again = open_store(url)
    assert verify_store(again).findings == []
    with again.write() as connection:
        write_records(connection, [make("new")], {"new": CaseData("C-1")})
    again.close()
    last = open_store(url)
    assert verify_store(last).findings == []
    last.close()


def test_a_form_that_no_writer_signed_is_refused(store: Store, url: str, tmp_path: Path) -> None:
    _set_back(store, tmp_path / "penjing.db", signed=False)
    with pytest.raises(StoreDamageError, match="was changed outside Penjing"):
        open_store(url)


def _set_back(store: Store, path: Path, *, signed: bool = True) -> None:
    """Make the tables those of the fourth form, as an earlier version left them."""
    from penjing.store.about import signed_value

    assert store.key is not None
    value = signed_value(store.key, FORM, "0004_whole")
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE case_data")
    connection.execute("DROP TABLE waiting_texts")
    connection.execute("UPDATE penjing_version SET version_num = '0004_whole'")
    connection.execute("UPDATE about SET value = ? WHERE name = 'form'", (value if signed else value[:-1] + "_",))
    connection.commit()
    connection.close()
    if not signed:  # the tables are of another form than the unsigned row says
        connection = sqlite3.connect(path)
        connection.execute("UPDATE penjing_version SET version_num = '0003_chain'")
        connection.commit()
        connection.close()
