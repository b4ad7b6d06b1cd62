"""Releases in service: who stood where, and only the one that was asked for is opened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.recorded import in_service

from penjing.core.artifact import gates_digest, open_release, write_gates
from penjing.core.canon import digest_file
from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Release
from penjing.store import audit
from penjing.store.database import Store
from penjing.store.releases import open_recorded, put_in_service


def test_a_release_is_recorded_once_and_its_last_start_each_time(store: Store, tiny_release: Release) -> None:
    assert put_in_service(store, tiny_release, expect=tiny_release.id[:12]) is None
    (first,) = in_service(store)
    assert put_in_service(store, tiny_release) is None
    (again,) = in_service(store)
    assert (again.id, again.name, again.folder) == (tiny_release.id, tiny_release.info.name, tiny_release.folder)
    assert again.first == first.first and again.last > first.last
    assert [entry["kind"] for entry in audit.entries(store)] == ["release"]


def test_the_hash_of_the_promises_is_recorded_with_the_release(
    store: Store, tiny_release: Release, tmp_path: Path
) -> None:
    release = open_release(shutil.copytree(tiny_release.folder, tmp_path / "release"))
    write_gates(release.folder, release.id, [{"name": "keep", "promised": 0.9, "state": "held"}])
    put_in_service(store, release)
    (entry,) = audit.entries(store)
    recorded = json.loads(entry["detail"])["gates"]
    assert recorded == gates_digest(release) == digest_file(tmp_path / "release.gates.json")
    write_gates(release.folder, release.id, [{"name": "keep", "promised": 0.1, "state": "held"}])
    assert gates_digest(release) != recorded, "what was changed afterwards is found"


@pytest.mark.parametrize("expect", ["0" * 12, "", "abc"])
def test_another_release_than_the_expected_is_refused(store: Store, tiny_release: Release, expect: str) -> None:
    with pytest.raises(DamageError, match="not the expected"):
        put_in_service(store, tiny_release, expect=expect)
    # Too few characters name no release.
    with pytest.raises(DamageError):
        put_in_service(store, tiny_release, expect=tiny_release.id[:11])
    assert in_service(store) == []


def test_what_stood_in_the_same_folder_before_is_told(
    store: Store, tiny_release_maker: Callable[..., Release], tmp_path: Path
) -> None:
    old = tiny_release_maker(tmp_path / "a", threshold=0.6)
    put_in_service(store, old)
    place = old.folder
    place.rename(tmp_path / "older")
    new = tiny_release_maker(tmp_path / "b", threshold=0.7)
    new.folder.rename(place)
    moved = Release(place, new.id, new.info, new.artifact)
    before = put_in_service(store, moved)
    assert before is not None and before.id == old.id
    assert [each.id for each in in_service(store)] == [new.id, old.id]
    # The older one's folder holds the newer one now; given its own, it is opened.
    with pytest.raises(DamageError, match="is not here any more"):
        open_recorded(store, old.id)
    assert open_recorded(store, old.id, tmp_path / "older").id == old.id
    assert open_recorded(store, new.id).id == new.id


def test_a_release_that_was_never_here_is_unknown(store: Store) -> None:
    with pytest.raises(UsageError, match="never in service"):
        open_recorded(store, "f" * 64)
