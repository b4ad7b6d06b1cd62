"""Releases by their ids: whole under both names, found from where one was, whole after a kill at any moment."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from penjing.core.artifact import gates_file, observed_file, open_release, read_gates, write_gates
from penjing.core.folder import verify
from penjing.core.nouns import Release
from penjing.core.releases import by_id, places, put_in_place, retire, sweep


@pytest.fixture
def two(tiny_release_maker: Callable[..., Release], tmp_path: Path) -> tuple[Release, Release]:
    return tiny_release_maker(tmp_path / "a", threshold=0.6), tiny_release_maker(tmp_path / "b", threshold=0.7)


def staged(release: Release, out: Path) -> Path:
    out.mkdir(exist_ok=True)
    return Path(shutil.copytree(release.folder, out / ".release.sealed"))


def test_both_names_are_whole_real_folders(two: tuple[Release, Release], tmp_path: Path) -> None:
    old, new = two
    out = tmp_path / "out"
    for release in (old, new, new):
        put_in_place(staged(release, out), out / "release")
    assert verify(out / "release") == new.id
    assert verify(by_id(out / "release", new.id)) == new.id
    assert verify(by_id(out / "release", old.id)) == old.id
    assert {path.name for path in (out / "releases").iterdir()} == {old.id[:12], new.id[:12]}
    assert not [path for path in out.rglob("*") if path.is_symlink()]
    manifest = out / "release" / "MANIFEST"
    assert manifest.stat().st_ino == (by_id(out / "release", new.id) / "MANIFEST").stat().st_ino, "no room is taken"
    shutil.copytree(out / "release", tmp_path / "server", symlinks=True)
    assert open_release(tmp_path / "server").id == new.id


def test_without_hard_links_there_are_copies(
    two: tuple[Release, Release], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    out = tmp_path / "out"
    put_in_place(staged(two[0], out), out / "release")
    assert verify(out / "release") == verify(by_id(out / "release", two[0].id)) == two[0].id


def test_a_release_of_an_older_penjing_is_kept_by_its_id(two: tuple[Release, Release], tmp_path: Path) -> None:
    old, new = two
    out = tmp_path / "out"
    shutil.copytree(old.folder, out / "release")
    shutil.copyfile(observed_file(old.folder), observed_file(out / "release"))
    write_gates(out / "release", old.id, [{"name": "keep", "promised": 0.9, "state": "held"}])
    put_in_place(staged(new, out), out / "release")
    kept = by_id(out / "release", old.id)
    assert verify(kept) == old.id and observed_file(kept).is_file()
    assert [gate["name"] for gate in read_gates(open_release(kept))] == ["keep"]
    assert not gates_file(out / "release").exists(), "it is of the older one"
    assert retire(out / "release") == by_id(out / "release", new.id)
    assert not (out / "release").exists() and retire(out / "release") is None


def test_a_damaged_one_is_never_used_again(two: tuple[Release, Release], tmp_path: Path) -> None:
    old, _ = two
    out = tmp_path / "out"
    put_in_place(staged(old, out), out / "release")
    (out / "release" / "certificate.json").write_text("{}", encoding="utf-8")  # both names have this file
    put_in_place(staged(old, out), out / "release")
    assert verify(out / "release") == verify(by_id(out / "release", old.id)) == old.id


@pytest.mark.parametrize("call", ["rename", "link"])
def test_a_kill_at_any_moment_leaves_whole_folders(
    two: tuple[Release, Release], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    old, new = two
    out = tmp_path / "out"
    put_in_place(staged(old, out), out / "release")
    made = getattr(os, call)
    for at in range(1, 9):
        count = 0

        def killed(*arguments: object, at: int = at) -> object:
            nonlocal count
            count += 1
            if count == at:
                raise KeyboardInterrupt
            return made(*arguments)

        with monkeypatch.context() as patch:
            sealed = staged(new, out)
            patch.setattr(os, call, killed)
            with contextlib.suppress(KeyboardInterrupt):
                put_in_place(sealed, out / "release")
        shutil.rmtree(out / ".release.sealed", ignore_errors=True)
        assert verify(by_id(out / "release", old.id)) == old.id
        if (out / "release").exists():
            assert verify(out / "release") in {old.id, new.id}
        put_in_place(staged(new, out), out / "release")
        assert verify(out / "release") == new.id
        assert {path.name for path in out.iterdir()} == {"release", "releases"}
        put_in_place(staged(old, out), out / "release")
    (out / ".release.old-x").mkdir()
    sweep(out / "release")
    assert not (out / ".release.old-x").exists()


def test_it_is_looked_for_where_older_versions_moved_it_too() -> None:
    identity = "0123456789abcdef" * 4
    found = [path.as_posix() for path in places(Path("/o/release"), identity)]
    assert found[:2] == ["/o/release", "/o/releases/0123456789ab"]
    assert {"/o/release-0123456789ab", f"/o/releases/{identity}"} <= set(found)
    from_out = [path.as_posix() for path in places(Path("/o"), identity)]
    assert {"/o/releases/0123456789ab", "/o/release"} <= set(from_out)
    from_kept = [path.as_posix() for path in places(Path("/o/releases/aaaaaaaaaaaa"), identity)]
    assert {"/o/releases/0123456789ab", "/o/release"} <= set(from_kept)
