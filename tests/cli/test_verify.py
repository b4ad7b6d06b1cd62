"""`penjing verify`: whole records exit 0, tampering exits 5 and is named, a loss is begun anew on record."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from penjing.store.database import open_store


@pytest.fixture
def ids(penjing, tiny_release, tmp_path: Path) -> list[str]:
    (tmp_path / "in.txt").write_text("win cash now\n明天开会\n打13812345678\n", encoding="utf-8")
    return [line["id"] for line in penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines]


def test_whole_records_hold(penjing, ids: list[str]) -> None:
    ran = penjing("verify", "--json")
    assert ran.code == 0, ran.err
    (last,) = ran.lines
    assert (last["held"], last["wrong"], last["rows"]["decision"]) == (True, 0, len(ids))
    ran = penjing("verify")
    assert ran.code == 0
    assert "decision 3" in ran.out and "writer 1 " in ran.out


def test_tampering_exits_5_and_is_named(penjing, ids: list[str]) -> None:
    store = open_store("sqlite:///penjing.db")
    with store.write() as connection:
        connection.execute(text(f"UPDATE decisions SET outcome = 'ham' WHERE id = '{ids[0]}'"))
        connection.execute(text(f"DELETE FROM decisions WHERE id = '{ids[1]}'"))
    store.close()
    ran = penjing("verify", "--json")
    assert ran.code == 5
    named = {line["row"]: line["what"] for line in ran.lines[:-1] if line["table"] == "decisions"}
    assert set(named) == {ids[0], ids[1]}
    assert "`outcome`" in named[ids[0]] and "deleted" in named[ids[1]]
    assert penjing("verify").code == 5


@pytest.mark.usefixtures("ids")
def test_a_lost_database_is_not_made_by_any_command(penjing, tiny_release, tmp_path: Path) -> None:
    for file in tmp_path.glob("penjing.db*"):
        file.unlink()
    for command in (
        ["decide", tiny_release.folder, "in.txt"],
        ["keys", "create", "--name", "x"],
        ["keys", "list"],
        ["replay", "--all"],
        ["review", "export", "x.csv"],
        ["review", "import", "in.txt"],
        ["serve", tiny_release.folder, "--port", 0],
        ["verify"],
    ):
        ran = penjing(*command)
        assert ran.code == (5 if command == ["verify"] else 1), command
        assert "decisions were recorded here before" in ran.err, command
        assert "key (shown" not in ran.err
        assert not (tmp_path / "penjing.db").exists()
    assert penjing("verify", "--begin-anew").code == 0
    assert penjing("decide", tiny_release.folder, "in.txt").code == 0
    ran = penjing("verify", "--begin-anew")
    assert ran.code == 2
    assert "nothing is lost" in ran.err


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("table", ["chain", "writers", "about", "audit", "keys", "decisions"])
def test_a_dropped_table_is_damage(penjing, table: str) -> None:
    store = open_store("sqlite:///penjing.db")
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.commit()
    store.engine.dispose()
    assert penjing("verify").code == 5


def test_no_database(penjing) -> None:
    assert penjing("verify").code == 2
