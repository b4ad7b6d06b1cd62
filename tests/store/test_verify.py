"""Tampering of every kind is found and named; what Penjing itself does is not."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import text

from penjing.store.database import Store, open_store
from penjing.store.erasure import erase_decision
from penjing.store.keys import create_key, revoke_key
from penjing.store.records import write_records
from penjing.store.releases import put_in_service
from penjing.store.reviews import export_open, import_verdicts
from penjing.store.signing import head_file_of, make_key
from penjing.store.verify import verify_store

TRIGGERS = ("audit_keeps_update", "audit_keeps_delete", "chain_keeps_update", "chain_keeps_delete")


@pytest.fixture
def full(store: Store, make, tiny_release, tmp_path: Path) -> Store:
    """A database with all that Penjing records."""
    put_in_service(store, tiny_release)
    put_in_service(store, tiny_release)
    revoke_key(store, create_key(store, "old")[0].id)
    create_key(store, "new")
    for number in range(6):
        with store.write() as connection:
            write_records(connection, [make(f"id-{number}", route="review" if number % 2 else "automatic")])
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
    return store


def by_hand(store: Store, *statements: str) -> list[tuple[str, str, str]]:
    """Change the database as an attacker would; returns what is found."""
    with store.engine.connect() as connection:
        for name in TRIGGERS:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()
    return [(each.table, each.row, each.what) for each in verify_store(store).findings]


def test_all_that_penjing_does_holds(full: Store) -> None:
    done = verify_store(full)
    assert done.findings == []
    assert done.rows == {
        "decision": 6, "review": 3, "verdict": 2, "release": 1, "deployment": 1, "key": 2, "revocation": 1, "audit": 5,
    }  # fmt: skip
    assert [writer["entries"] for writer in done.writers] == [sum(done.rows.values()) + 2]  # a second start, `began`


@pytest.mark.parametrize(
    ("statement", "table", "row", "words"),
    [
        ("DELETE FROM decisions WHERE id = 'id-2'", "decisions", "id-2", "was deleted"),
        ("DELETE FROM reviews WHERE decision = 'id-1'", "reviews", "id-1", "was deleted"),
        ("UPDATE reviews SET verdict = 'spam' WHERE decision = 'id-1'", "reviews", "id-1", "`verdict` of the verdict"),
        ("UPDATE reviews SET status = 'open' WHERE decision = 'id-1'", "reviews", "id-1", "was taken back"),
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
        ("UPDATE keys SET revoked = NULL", "keys", "", "was taken back: the key opens the service again"),
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
    found = by_hand(full, "PRAGMA foreign_keys=OFF", statement)
    assert any(each[0] == table and row in each[1] and words in each[2] for each in found), found


@pytest.mark.parametrize("place", ["7, 1", "1, 9999", "1, 0", "1, -1"])
def test_an_entry_outside_every_signed_chain_vouches_for_nothing(full: Store, place: str) -> None:
    found = by_hand(
        full,
        "INSERT INTO decisions SELECT 'evil', release, created, route, outcome, text, decision, prediction, "
        "fingerprint, evidence FROM decisions WHERE id = 'id-0'",
        f"INSERT INTO chain (writer, number, time, kind, row, digests, hash, salt) SELECT {place}, time, 'decision', "
        "'evil', digests, x'00', salt FROM chain WHERE kind = 'decision' LIMIT 1",
    )
    assert [(table, row) for table, row, _ in found] == [("chain", place.replace(", ", "/"))]
    assert "decision evil is in no writer's signed chain" in found[0][2]


def test_swapped_texts_name_both(full: Store) -> None:
    found = by_hand(
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
    found = by_hand(
        full,
        f"DELETE FROM chain WHERE number > {old.number}",
        f"UPDATE writers SET {columns}",
        "DELETE FROM keys WHERE name = 'later'",
        "DELETE FROM audit WHERE number = 6",
    )
    assert len(found) == 1
    assert "set back to an older state: 2 entries" in found[0][2]
    head_file_of(full.key_file).unlink()
    assert verify_store(full).findings == []  # nothing is left that could tell: docs/verify.md says so


def test_a_chain_signed_by_another_key_is_found(full: Store) -> None:
    public = make_key("0" * 32).public
    found = by_hand(full, f"UPDATE writers SET public = '{public}'")
    assert any("belongs to another database" in what for _, _, what in found)
    assert any("signature" in what for _, _, what in found)


def test_an_erased_person_leaves_a_whole_chain(full: Store) -> None:
    erase_decision(full, "id-1")
    with full.read() as connection:
        row = connection.execute(text("SELECT * FROM decisions JOIN reviews ON id = reviews.decision")).first()
    assert row is not None and row.id == "id-1"
    assert (row.text, row.evidence, row.reviewer, row.note) == (None, None, None, None)
    done = verify_store(full)
    assert (done.findings, done.erased) == ([], 1)
    found = by_hand(full, "UPDATE decisions SET outcome = 'ham', text = 'x' WHERE id = 'id-1'")
    assert {what.split("`")[1] for _, _, what in found} == {"outcome", "text"}


def test_erasing_without_penjing_is_tampering(full: Store) -> None:
    zeros = "zeroblob(160)"
    found = by_hand(
        full,
        f"UPDATE chain SET salt = {zeros} WHERE row = 'id-0' AND kind = 'decision'",
        "UPDATE decisions SET text = NULL WHERE id = 'id-0'",
    )
    assert any("`text`" in what for _, _, what in found)


def test_several_processes_share_a_chain(full: Store, url: str, make) -> None:
    other = open_store(url)
    for number in range(4):
        with (full, other)[number % 2].write() as connection:
            write_records(connection, [make(f"more-{number}")])
    other.close()
    assert verify_store(full).findings == []
