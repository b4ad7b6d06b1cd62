"""Tampering of every kind is found and named; what Penjing itself does is not."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.recorded import write_records
from tests.tampering import by_hand

from penjing.core.errors import StoreDamageError, UsageError
from penjing.store import runs
from penjing.store.case_data import CaseData
from penjing.store.database import Store, open_store
from penjing.store.erasure import erase_decisions
from penjing.store.keys import create_key, revoke_key
from penjing.store.opening import VERSION_TABLE
from penjing.store.records import prepare_record, write_prepared
from penjing.store.recovery import begin
from penjing.store.releases import put_in_service
from penjing.store.reviews import export_open, import_verdicts
from penjing.store.runs import finish_run, open_run
from penjing.store.signing import head_file_of, make_key
from penjing.store.tables import metadata
from penjing.store.verify import KnownHead, read_head, verify_store
from penjing.store.waiting import WaitingText


def record_rows(store, run, made):
    return runs.record_rows(store, run, {row: prepare_record(one) for row, one in made.items()})


@pytest.fixture
def full(store: Store, make, tiny_release, tmp_path: Path) -> Store:
    """A database with all that Penjing records."""
    put_in_service(store, tiny_release)
    put_in_service(store, tiny_release)
    revoke_key(store, create_key(store, "old")[0].id)
    create_key(store, "new")
    for number in range(6):
        with store.write() as connection:
            record = make(f"id-{number}", route="review" if number % 2 else "automatic")
            case = CaseData(f"C-{number}", {"branch": "杭州", "amount": 3.5})
            write_prepared(connection, [prepare_record(record, WaitingText("文本", {"spans": []})).with_case(case)])
    export_open(store, tmp_path / "cases.csv")
    with (tmp_path / "cases.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:2]:
        row |= {"verdict": "ham", "reviewer": "wang", "note": "电话里说的"}
    with (tmp_path / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    import_verdicts(store, tmp_path / "cases.csv")
    run = open_run(store, "k" * 64, "/in.csv")
    record_rows(store, run, {1: make("run-1"), 2: make("run-2")})
    finish_run(store, run)
    erase_decisions(store, ["run-2"])
    return store


def cells() -> list[tuple[str, str]]:
    """Every column of every table, that of the version too."""
    every = [(name, column.name) for name, table in metadata.tables.items() for column in table.columns]
    return [*every, (VERSION_TABLE, "version_num")]


def names(store: Store, table: str) -> str:
    """A condition on one row: of those with the most that can be changed."""
    which = {
        "keys": "revoked IS NOT NULL", "reviews": "status = 'done'", "about": "name = 'probed'",
        "chain": "kind = 'decision'", "waiting_texts": "text IS NOT NULL",
    }.get(table, "1")  # fmt: skip
    keys = [column.name for column in metadata.tables[table].primary_key]
    query = f"SELECT {', '.join(keys)} FROM {table} WHERE {which} ORDER BY {', '.join(keys)} LIMIT 1"
    with store.read() as connection:
        row = connection.execute(text(query)).one()
    return " AND ".join(f"{key} = {value!r}" for key, value in zip(keys, row, strict=True))


def changed_row(condition: str) -> str:
    """What a finding calls the row: its key, or a piece of it."""
    return "/".join(part.split(" = ")[1].strip("'") for part in condition.split(" AND "))


@pytest.mark.parametrize(("table", "column"), cells())
def test_every_cell_of_every_table_is_covered(full: Store, url: str, table: str, column: str) -> None:
    if table == VERSION_TABLE:
        with full.engine.connect() as connection:
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = '0002_runs'")
            connection.commit()
        with pytest.raises(StoreDamageError, match="was changed outside Penjing"):
            open_store(url)
        return
    condition = names(full, table)
    number = metadata.tables[table].c[column].type.python_type is int
    value = f"{column} + 1000" if number else f"CAST({column} AS TEXT) || 'x'"
    found = found_after(full, f"UPDATE {table} SET {column} = {value} WHERE {condition}")
    assert any(one == table and changed_row(condition) in row for one, row, _ in found), (condition, found)


@pytest.mark.parametrize("table", list(metadata.tables))
def test_a_deleted_row_of_every_table_is_found(full: Store, table: str) -> None:
    condition = names(full, table)
    found = found_after(full, f"DELETE FROM {table} WHERE {condition}")
    assert any(one == table and (changed_row(condition) in row or not row) for one, row, _ in found), (condition, found)


@pytest.mark.parametrize("table", list(metadata.tables))
def test_an_added_row_of_every_table_is_found(full: Store, table: str) -> None:
    condition = names(full, table)
    columns = metadata.tables[table].columns
    key = {column.name for column in metadata.tables[table].primary_key} | {"public", "hash", "digest"}
    made = [
        column.name
        if column.name not in key
        else (f"{column.name} + 1000" if column.type.python_type is int else f"{column.name} || 'x'")
        for column in columns
    ]
    listed = ", ".join(column.name for column in columns)
    found = found_after(
        full,
        f"INSERT INTO {table} ({listed}) SELECT {', '.join(made)} FROM {table} WHERE {condition}",
    )
    assert any(one == table for one, _, _ in found), found


def found_after(store: Store, *statements: str) -> list[tuple[str, str, str]]:
    """What is found in a database that an attacker changed."""
    by_hand(f"sqlite:///{store.engine.url.database}", *statements)
    return [(each.table, each.row, each.what) for each in verify_store(store).findings]


def test_all_that_penjing_does_holds(full: Store) -> None:
    done = verify_store(full)
    assert done.findings == []
    assert done.rows == {
        "decision": 8, "review": 3, "verdict": 2, "release": 1, "deployment": 1, "key": 2, "revocation": 1, "audit": 6,
        "run": 1, "run end": 1, "run row": 2, "erasure": 1, "case data": 6, "waiting text": 3,
    }  # fmt: skip
    # `began`, `form`, and a second start of the release.
    assert [writer["entries"] for writer in done.writers] == [sum(done.rows.values()) + 3]


@pytest.mark.parametrize(
    ("statement", "table", "row", "words"),
    [
        ("DELETE FROM decisions WHERE id = 'id-2'", "decisions", "id-2", "was deleted"),
        ("DELETE FROM reviews WHERE decision = 'id-1'", "reviews", "id-1", "was deleted"),
        ("UPDATE reviews SET verdict = 'spam' WHERE decision = 'id-1'", "reviews", "id-1", "`verdict` of the verdict"),
        ("UPDATE reviews SET status = 'open' WHERE decision = 'id-1'", "reviews", "id-1", "was undone"),
        ("UPDATE reviews SET note = 'x' WHERE decision = 'id-1'", "reviews", "id-1", "`note`"),
        ("UPDATE reviews SET status = 'done', closed = 'x' WHERE decision = 'id-5'", "reviews", "id-5", "was added"),
        ("UPDATE reviews SET verdict = 'ham' WHERE decision = 'id-5'", "reviews", "id-5", "was added"),
        ("UPDATE reviews SET reviewer = 'x' WHERE decision = 'id-5'", "reviews", "id-5", "was added"),
        ("UPDATE reviews SET opened = '2020' WHERE decision = 'id-5'", "reviews", "id-5", "`opened`"),
        ("UPDATE decisions SET created = '2020' WHERE id = 'id-0'", "decisions", "id-0", "`created`"),
        ("UPDATE decisions SET outcome = 'ham' WHERE id = 'id-0'", "decisions", "id-0", "`outcome`"),
        ("UPDATE decisions SET route = 'review' WHERE id = 'id-0'", "decisions", "id-0", "`route`"),
        ("UPDATE decisions SET text = 'x' WHERE id = 'id-0'", "decisions", "id-0", "`text`"),
        ("UPDATE decisions SET text = NULL WHERE id = 'id-0'", "decisions", "id-0", "`text`"),
        ("UPDATE decisions SET text = CAST(x'ff' AS TEXT) WHERE id = 'id-0'", "decisions", "id-0", "`text`"),
        ("UPDATE decisions SET text = x'ff' WHERE id = 'id-0'", "decisions", "id-0", "`text`"),
        ("UPDATE decisions SET evidence = NULL WHERE id = 'id-0'", "decisions", "id-0", "`evidence`"),
        ("UPDATE decisions SET decision = '{' WHERE id = 'id-0'", "decisions", "id-0", "`decision`"),
        ("UPDATE decisions SET decision = decision || ' ' WHERE id = 'id-0'", "decisions", "id-0", "`decision`"),
        (
            'UPDATE decisions SET decision = replace(decision, \'"fields":{}\', \'"fields":{"a":1}\') '
            "WHERE id = 'id-0'",
            "decisions",
            "id-0",
            "`fields`",
        ),
        ("UPDATE decisions SET fingerprint = '{}' WHERE id = 'id-0'", "decisions", "id-0", "`fingerprint`"),
        ("UPDATE decisions SET release = 'c' WHERE id = 'id-0'", "decisions", "id-0", "`release`"),
        ("UPDATE decisions SET id = 'id-9' WHERE id = 'id-0'", "decisions", "id-9", "added outside Penjing"),
        ("UPDATE keys SET revoked = NULL", "keys", "", "was undone: the key is valid again"),
        ("UPDATE keys SET revoked = '2020' WHERE revoked IS NULL", "keys", "", "added outside Penjing"),
        ("UPDATE keys SET scopes = 'read' WHERE name = 'new'", "keys", "", "`scopes`"),
        ("INSERT INTO keys VALUES ('evil', 'n', 'd', 'decide', 't', NULL)", "keys", "evil", "added outside Penjing"),
        ("DELETE FROM keys WHERE name = 'new'", "keys", "", "was deleted"),
        ("UPDATE releases SET folder = '/evil'", "releases", "", "`folder`"),
        ("UPDATE releases SET first = '2020'", "releases", "", "`first`"),
        ("DELETE FROM releases", "releases", "", "was deleted"),
        ("DELETE FROM audit WHERE number = 5", "audit", "5", "was deleted"),
        ("UPDATE audit SET detail = '{}' WHERE number = 2", "audit", "2", "`detail`"),
        ("DELETE FROM chain WHERE number = 4", "chain", "4", "the entry 4 was deleted"),
        ("DELETE FROM chain WHERE number > 15", "chain", "16", "were deleted"),
        ("UPDATE chain SET time = '2020' WHERE number = 4", "chain", "4", "was changed"),
        ("UPDATE chain SET salt = NULL WHERE row = 'id-0'", "decisions", "id-0", "salt"),
        ("UPDATE writers SET number = number - 1", "writers", "1", "signature"),
        ("DELETE FROM writers", "writers", "", "no writer"),
    ],
)
def test_tampering_is_named(full: Store, statement: str, table: str, row: str, words: str) -> None:
    found = found_after(full, statement)
    assert any(each[0] == table and row in each[1] and words in each[2] for each in found), found


@pytest.mark.parametrize("place", ["7, 1", "1, 9999", "1, 0", "1, -1"])
def test_an_entry_outside_every_signed_chain_vouches_for_nothing(full: Store, place: str) -> None:
    found = found_after(
        full,
        "INSERT INTO decisions SELECT 'evil', release, created, route, outcome, text, decision, prediction, "
        "fingerprint, evidence FROM decisions WHERE id = 'id-0'",
        f"INSERT INTO chain (writer, number, time, kind, row, digests, hash, salt) SELECT {place}, time, 'decision', "
        "'evil', digests, x'00', salt FROM chain WHERE kind = 'decision' LIMIT 1",
    )
    own = [("writers", "7")] * place.startswith("7")
    assert [(table, row) for table, row, _ in found] == [("chain", place.replace(", ", "/")), *own]
    assert "decision evil is in no writer's signed chain" in found[0][2]


def test_swapped_texts_name_both(full: Store) -> None:
    found = found_after(
        full,
        "UPDATE decisions SET text = 'one' WHERE id = 'id-0'",
        "UPDATE decisions SET outcome = (SELECT CASE id WHEN 'id-2' THEN 'ham' END) WHERE id = 'id-2'",
    )
    assert [each[1] for each in found] == ["id-0", "id-2"]


def test_a_cut_tail_with_a_head_of_the_attackers_own_is_found(full: Store) -> None:
    """Without the key no head can be signed; an older one that was kept is found by the head beside the key."""
    full.close()
    with full.read() as connection:
        (old,) = connection.execute(text("SELECT * FROM writers")).all()
    create_key(full, "later")
    full.close()
    assert verify_store(full).findings == []
    columns = f"number = {old.number}, hash = '{old.hash}', time = '{old.time}', signature = '{old.signature}'"
    found = found_after(
        full,
        f"DELETE FROM chain WHERE number > {old.number}",
        f"UPDATE writers SET {columns}",
        "DELETE FROM keys WHERE name = 'later'",
        "DELETE FROM audit WHERE number = 7",
    )
    assert {table for table, _, _ in found} == {"writers"}
    assert "set back to an older state: 2 entries" in found[0][2]
    head_file_of(full.key_file).unlink()
    assert verify_store(full).findings == []  # nothing is left that could tell: docs/verify.md says so


def test_a_chain_signed_by_another_key_is_found(full: Store) -> None:
    public = make_key("0" * 32).public
    found = found_after(full, f"UPDATE writers SET public = '{public}'")
    assert any("belongs to another database" in what for _, _, what in found)
    assert any("signature" in what for _, _, what in found)


def test_an_erased_person_leaves_a_whole_chain(full: Store) -> None:
    erase_decisions(full, ["id-1"])
    with full.read() as connection:
        row = connection.execute(text("SELECT * FROM decisions JOIN reviews ON id = reviews.decision")).first()
    assert row is not None and row.id == "id-1"
    assert (row.text, row.evidence, row.reviewer, row.note) == (None, None, None, None)
    done = verify_store(full)
    assert (done.findings, done.erased) == ([], 2)
    found = found_after(full, "UPDATE decisions SET outcome = 'ham', text = 'x' WHERE id = 'id-1'")
    assert {what.split("`")[1] for _, _, what in found} == {"outcome", "text"}


def test_erasing_without_penjing_is_tampering(full: Store) -> None:
    zeros = "zeroblob(160)"
    found = found_after(
        full,
        f"UPDATE chain SET salt = {zeros} WHERE row = 'id-0' AND kind = 'decision'",
        "UPDATE decisions SET text = NULL WHERE id = 'id-0'",
    )
    assert ("decisions", "id-0") in [(table, row) for table, row, _ in found]


def test_an_older_database_with_its_files_is_found_by_a_head_that_was_kept(full: Store, make) -> None:
    (head,) = verify_store(full).heads
    assert verify_store(full, expected=[read_head(str(head))]).findings == []
    with full.write() as connection:
        write_records(connection, [make("later")])
    (later,) = verify_store(full).heads
    assert verify_store(full, expected=[head, later]).findings == []
    newer = KnownHead(later.writer, later.count + 2, "0" * 64)
    (found,) = verify_store(full, expected=[newer]).findings
    assert "2 entries of its chain are missing at the end" in found.what
    (found,) = verify_store(full, expected=[replace(head, hash="0" * 64)]).findings
    assert (found.table, found.row) == ("chain", f"1/{head.count}")
    (found,) = verify_store(full, expected=[replace(head, writer="f" * 64)]).findings
    assert found.table == "writers" and "were deleted" in found.what


@pytest.mark.parametrize(
    "head",
    ["", "a:1:b", "1", f"{'a' * 64}:-1:{'a' * 64}", f"{'a' * 64}:{'9' * 5000}:{'a' * 64}", f"{'A' * 64}:1:{'a' * 64}"],
)
def test_what_is_no_head_is_refused(head: str) -> None:
    with pytest.raises(UsageError, match="is not a head"):
        read_head(head)


def test_a_whole_earlier_writer_that_was_deleted_is_found(full: Store, url: str, make) -> None:
    full.close()
    full.key_file.unlink()
    begin(url)
    store = open_store(url)
    with store.write() as connection:
        write_records(connection, [make("later")])
    assert verify_store(store).findings == []
    found = found_after(
        store,
        *(f"DELETE FROM {table}" for table in ("reviews", "releases", "keys", "run_rows", "runs")),
        "DELETE FROM decisions WHERE id <> 'later'",
        "DELETE FROM chain WHERE writer = 1",
        "DELETE FROM writers WHERE id = 1",
        "DELETE FROM audit WHERE number <= 5",
    )
    assert any(table == "writers" and "were deleted" in what for table, _, what in found), found
    store.close()


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON decisions BEGIN UPDATE decisions SET outcome = 'ham'; END", "t"),
        ("CREATE VIEW v AS SELECT * FROM decisions", "v"),
        ("CREATE TABLE t (a)", "t"),
        ("CREATE INDEX i ON decisions (outcome)", "i"),
        ("ALTER TABLE keys ADD COLUMN more TEXT", "keys.more"),
        ("DROP INDEX decisions_created", "decisions_created"),
        ("DROP TRIGGER chain_keeps_delete", "chain_keeps_delete"),
        (
            "DROP TRIGGER chain_keeps_delete; CREATE TRIGGER chain_keeps_delete BEFORE DELETE ON chain "
            "BEGIN SELECT 1; END",
            "chain_keeps_delete",
        ),
    ],
)
def test_what_was_added_to_the_schema_is_named(full: Store, statement: str, row: str) -> None:
    with full.engine.connect() as connection:
        for one in statement.split("; CREATE"):
            connection.exec_driver_sql(one if one.startswith(("CREATE", "ALTER", "DROP")) else "CREATE" + one)
        connection.commit()
    assert [(each.table, each.row) for each in verify_store(full).findings] == [("schema", row)]


def test_several_processes_share_a_chain(full: Store, url: str, make) -> None:
    other = open_store(url)
    for number in range(4):
        with (full, other)[number % 2].write() as connection:
            write_records(connection, [make(f"more-{number}")])
    other.close()
    assert verify_store(full).findings == []
