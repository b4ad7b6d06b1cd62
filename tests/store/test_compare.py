"""One entry with its row: agreement, and what is said where there is none."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from penjing.store import compare, runs
from penjing.store.compare import ReadEntry, compare_rows
from penjing.store.database import Store
from penjing.store.parts import KINDS, digests_of, split_fields, split_plain, values_of
from penjing.store.records import prepare_record
from penjing.store.runs import open_run


def record_rows(store, run, made):
    return runs.record_rows(store, run, {row: prepare_record(one) for row, one in made.items()})


SALT = b"0123456789abcdef"


def test_a_repeated_row_is_compared_with_its_last_entry(store: Store, make) -> None:
    run = open_run(store, "k", "/in.csv")
    record_rows(store, run, {1: make("one")})
    kind, row = KINDS["run row"], f"{run.id}/1"
    old = digests_of(kind, values_of(kind, {"decision": "other"}), SALT)
    with store.read() as connection:
        assert list(compare_rows(connection, kind, [ReadEntry(1, 1, "t", row, old, SALT)], set())) == []


def test_text_that_is_no_utf8_stops_nothing(store: Store) -> None:
    run = open_run(store, "k", "/in.csv")
    with store.write() as connection:
        connection.execute(text("UPDATE runs SET file = CAST(x'ff' AS TEXT)"))
    kind = KINDS["run"]
    entry = ReadEntry(1, 1, "t", run.id, bytes(48), SALT)
    with store.read() as connection:
        found = list(compare_rows(connection, kind, [entry], set()))
    assert {each.table for each in found} == {"chain", "runs"}


@pytest.mark.parametrize("fields", ["{}", '{"a":1}', '{"名":"\\"}"}', "null"])
def test_the_quick_cut_is_the_slow_one(fields: str) -> None:
    decision = f'{{"facts":{{"fields":{fields},"p":1}},"id":"x"}}'
    assert split_plain(decision) == split_fields(decision)


@pytest.mark.parametrize("decision", ['{"fields":1,"fields":2}', '{"fields":', "[]", None, b"x", "[" * 99999])
def test_what_is_unusual_goes_the_slow_way(decision: object) -> None:
    assert split_plain(decision) is None


def test_names_of_every_kind() -> None:
    assert {kind.name for kind in KINDS.values() if kind.table is not None} == set(compare._WORDS)
