"""The file at the path: closed to others, and known again."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.recorded import write_records

from penjing.core.errors import StoreError
from penjing.store.database import open_store
from penjing.store.sqlite_file import LEAST_ROOM, check_in_place, check_room, create, identify


def test_a_moved_file_is_the_same_and_a_copy_is_another(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    create(file)
    here = identify(file)
    assert here is not None
    file.rename(tmp_path / "y.db")
    assert identify(tmp_path / "y.db") == here
    with pytest.raises(StoreError, match="was removed"):
        check_in_place(file, here)
    shutil.copy(tmp_path / "y.db", file)
    with pytest.raises(StoreError, match="was replaced by another file"):
        check_in_place(file, here)
    (tmp_path / "y.db").rename(file)
    check_in_place(file, here)


@pytest.mark.parametrize(("free", "held"), [(LEAST_ROOM, True), (LEAST_ROOM - 1, False), (0, False)])
def test_a_disk_that_is_as_good_as_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, held: bool) -> None:
    check_room(tmp_path / "gone" / "x.db")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=free, f_frsize=1))
    if held:
        check_room(tmp_path / "x.db")
        return
    with pytest.raises(StoreError, match="the disk is full"):
        check_room(tmp_path / "x.db")


def test_only_its_owner_may_read_the_database_and_what_lies_beside_it(tmp_path: Path, make) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    with store.write() as connection:
        write_records(connection, [make("one")])
    assert len(list(tmp_path.iterdir())) >= 3
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    store.close()


def test_an_open_database_is_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    open_store(f"sqlite:///{file}").close()
    file.chmod(0o664)
    open_store(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made"):
        create(tmp_path / "nowhere" / "x.db")
