"""A case that waits keeps its masked text until its verdict, also where the release keeps no texts."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from penjing.store.database import Store
from penjing.store.erasure import erase_decisions
from penjing.store.records import get_record, prepare_record, write_prepared
from penjing.store.reviews import export_open, import_verdicts, verdicts
from penjing.store.verify import verify_store
from penjing.store.waiting import WaitingText, get_waiting

HELD = WaitingText("一个很私人的文本 ⟦mobile⟧", {"spans": []})


def _fill(store: Store, make) -> None:
    made = [replace(make(name, route=route, text=None), evidence=None) for name, route in _ROUTES.items()]
    with store.write() as connection:
        write_prepared(connection, [prepare_record(record, HELD) for record in made])


_ROUTES = {"a": "review", "b": "review", "c": "review", "auto": "automatic"}


def _file(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))


def test_the_text_is_there_until_the_verdict_and_nowhere_afterwards(store: Store, make, tmp_path: Path) -> None:
    _fill(store, make)
    assert get_waiting(store, "a") == HELD and get_waiting(store, "auto") is None
    record = get_record(store, "a")
    assert record is not None and record.text is None
    file = tmp_path / "cases.csv"
    export_open(store, file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {row["text"] for row in rows} == {HELD.text}
    assert HELD.text.encode() in _file(tmp_path / "penjing.db")
    for row in rows:
        row["verdict"] = "ham" if row["id"] != "c" else ""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    import_verdicts(store, file)
    assert (get_waiting(store, "a"), get_waiting(store, "b"), get_waiting(store, "c")) == (None, None, HELD)
    assert list(verdicts(store)) == []
    assert verify_store(store).findings == []
    erase_decisions(store, ["c"])
    assert get_waiting(store, "c") is None and verify_store(store).findings == []
    assert HELD.text.encode() not in _file(tmp_path / "penjing.db")


def test_a_text_that_was_blanked_before_its_verdict_is_found(store: Store, make) -> None:
    _fill(store, make)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE waiting_texts SET text = NULL, evidence = NULL WHERE decision = 'a'")
    assert {found.row for found in verify_store(store).findings} & {"a"}
