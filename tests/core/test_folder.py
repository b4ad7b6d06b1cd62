"""A sealed folder is whole or absent, whatever happens while it is written or after."""

from __future__ import annotations

import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import (
    MANIFEST,
    check_place,
    folder_size,
    link_or_copy,
    make_private,
    replaced_file,
    sealed_folder,
    verify,
    write_whole,
)

WRITER = """
import os, signal, sys
from pathlib import Path
from penjing.core import folder

count = 0
limit = int(sys.argv[2])

def maybe_die():
    global count
    count += 1
    if count == limit:
        os.kill(os.getpid(), signal.SIGKILL)

real_fsync, real_rename = os.fsync, Path.rename

def fsync(descriptor):
    maybe_die()
    real_fsync(descriptor)

def rename(self, target):
    maybe_die()
    return real_rename(self, target)

os.fsync, Path.rename = fsync, rename
with folder.sealed_folder(Path(sys.argv[1])) as inside:
    (inside / "a.txt").write_text(sys.argv[3])
    (inside / "deep").mkdir()
    (inside / "deep" / "b.bin").write_bytes(bytes(1000))
"""


def write(target: Path, text: str = "hello") -> str:
    with sealed_folder(target) as folder:
        (folder / "a.txt").write_text(text)
        (folder / "deep").mkdir()
        (folder / "deep" / "盆景.bin").write_bytes(bytes(range(256)) * 20)
    return verify(target)


def test_same_content_has_the_same_id(tmp_path: Path) -> None:
    assert write(tmp_path / "one") == write(tmp_path / "two")
    assert write(tmp_path / "three", "other") != verify(tmp_path / "one")
    assert folder_size(tmp_path / "one") > 5000


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), sealed_folder(tmp_path / "x") as folder:
        (folder / "a").write_text("half")
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_another_content_moves_the_old_one_aside(tmp_path: Path) -> None:
    old = write(tmp_path / "release")
    new = write(tmp_path / "release", "new rules")
    assert verify(tmp_path / "release") == new
    assert verify(tmp_path / f"release-{old[:12]}") == old


def test_what_another_wrote_is_not_in_the_way_unnoticed(tmp_path: Path) -> None:
    place = tmp_path / "out"
    check_place(place, "penjing make", "card.json")
    place.mkdir()
    check_place(place, "penjing make", "card.json")
    (place / "card.json").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for taken in (place, tmp_path / "file", tmp_path / "link"):
        with pytest.raises(UsageError, match="something is here that `penjing make` did not write") as caught:
            check_place(taken, "penjing make", "card.json")
        assert caught.value.where == str(taken)
    (place / MANIFEST).touch()
    check_place(place, "penjing make", "release.json", "card.json")
    with pytest.raises(UsageError):
        check_place(place, "penjing make", "release.json")


@pytest.mark.parametrize("present", [False, True])
def test_killed_at_every_fsync_and_rename(tmp_path: Path, present: bool) -> None:
    target = tmp_path / "release"
    old = write(target) if present else None
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path / "apart"), "0", "new"], check=True)
    new = verify(tmp_path / "apart")
    kills = 0
    for limit in range(1, 30):
        process = subprocess.run([sys.executable, "-c", WRITER, str(target), str(limit), "new"], check=False)
        if process.returncode == 0:
            break
        kills += 1
        if target.exists():
            assert verify(target) in {old, new}
    assert kills >= 5, "the writer was killed at every one of its steps"
    assert verify(target) == new
    assert not list(tmp_path.glob(".*partial*")), "leftovers are removed by the next writer"
    if old is not None:
        assert verify(tmp_path / f"release-{old[:12]}") == old


def test_flipped_bits_and_truncations_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "release"
    write(target)
    draw = random.Random(0)
    files = [path for path in target.rglob("*") if path.is_file()]
    for turn in range(220):
        path = draw.choice(files)
        sound = path.read_bytes()
        if turn < 200:
            damaged = bytearray(sound)
            damaged[draw.randrange(len(sound))] ^= 1 << draw.randrange(8)
        else:
            damaged = bytearray(sound[: draw.randrange(len(sound))])
        path.write_bytes(bytes(damaged))
        with pytest.raises(DamageError):
            verify(target)
        path.write_bytes(sound)
    verify(target)


def test_missing_and_extra_files_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "release"
    write(target)
    (target / "extra.txt").write_text("?")
    with pytest.raises(DamageError, match="not listed"):
        verify(target)
    (target / "extra.txt").unlink()
    (target / "a.txt").unlink()
    with pytest.raises(DamageError, match="is missing"):
        verify(target)
    (target / MANIFEST).unlink()
    with pytest.raises(DamageError, match="no MANIFEST"):
        verify(target)
    with pytest.raises(UsageError, match="no such folder"):
        verify(tmp_path / "nothing")


def test_a_manifest_that_points_outside_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "release"
    write(target)
    lines = (target / MANIFEST).read_text()
    (target / MANIFEST).write_text("0" * 64 + "  ../../etc/passwd\n" + lines)
    with pytest.raises(DamageError):
        verify(target)


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file"
    write_whole(target, b"one")
    write_whole(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]


def test_a_private_file_is_new_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with make_private(path) as file:
        file.write(b"secret")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"secret", 0o600)
    with pytest.raises(FileExistsError):
        make_private(path)
    assert path.read_bytes() == b"secret"
    write_whole(path, b"other", private=True)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"other", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_a_second_name_takes_no_room_where_links_are_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"x" * 100)
    assert link_or_copy(str(source), str(tmp_path / "b")).stat().st_ino == source.stat().st_ino

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    copy = link_or_copy(source, tmp_path / "c")
    assert copy.stat().st_ino != source.stat().st_ino
    assert copy.read_bytes() == source.read_bytes()


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    with replaced_file(path) as partial:
        partial.write_text("one")
        assert not path.exists()
    with pytest.raises(OSError, match="full"), replaced_file(path) as partial:
        partial.write_text("tw")
        raise OSError("full")
    assert path.read_text() == "one"
    assert [each.name for each in tmp_path.iterdir()] == ["cases.csv"]
