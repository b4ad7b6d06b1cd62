"""A tested release is shipped as it is; its suite holds what it gets right, and no text where none may be kept."""

from __future__ import annotations

import shutil
from pathlib import Path

from penjing.core.artifact import gates_digest, gates_file, open_release, promises, read_gates, write_gates
from penjing.core.canon import digest_file
from penjing.core.nouns import Release, Table
from penjing.prove.gates import at_least, at_least_windows
from penjing.prove.seal import SUITE_ROWS, put_with_gates, regression_suite


def test_suite() -> None:
    table = Table(texts=["a", "b", "c"], labels=["x", "y", "x"])
    assert regression_suite(table, [False, True, False], keep_texts=True) == [
        {"text": "a", "label": "x"},
        {"text": "c", "label": "x"},
    ]
    assert regression_suite(table, [False, True, False], keep_texts=False) == []
    many = Table(texts=["a"] * 500, labels=["x"] * 500)
    assert len(regression_suite(many, [False] * 500, keep_texts=True)) == SUITE_ROWS


def test_what_was_tested_is_what_is_shipped(tmp_path: Path, tiny_release: Release) -> None:
    """The promises are beside the release, under its id, and no byte within it changes."""
    tested = open_release(shutil.copytree(tiny_release.folder, tmp_path / "out" / ".candidate"))
    before = {path.relative_to(tested.folder): path.read_bytes() for path in files_of(tested.folder)}
    gates = [
        at_least("keep", 0.97, 0.99, 0.98, 1.0, 200),
        at_least_windows("times_faster", 50.0, [49.8] * 4 + [51.0]),
    ]
    release = put_with_gates(tested, tmp_path / "out" / "release", gates)
    assert release.id == tested.id == tiny_release.id
    kept = open_release(tmp_path / "out" / "releases" / release.id[:12])
    for one in (release, kept):
        assert {path.relative_to(one.folder): path.read_bytes() for path in files_of(one.folder)} == before
        assert read_gates(one) == [gate.model_dump(mode="json") for gate in gates]
        assert [(gate["name"], gate["state"]) for gate in promises(one, {"gates": []})] == [
            ("keep", "held"), ("times_faster", "unproven"),
        ]  # fmt: skip
    assert gates_digest(release) == gates_digest(kept) == digest_file(gates_file(release.folder))


def test_promises_of_another_release_are_not_read(tmp_path: Path, tiny_release: Release) -> None:
    copy = open_release(shutil.copytree(tiny_release.folder, tmp_path / "release"))
    assert read_gates(copy) == [] and gates_digest(copy) is None
    write_gates(copy.folder, "another", [{"name": "keep", "promised": 0.9, "state": "held"}])
    assert read_gates(copy) == [] and gates_digest(copy) is None
    write_gates(copy.folder, copy.id, [{"name": "keep", "promised": 0.9, "state": "held"}, {"name": "odd"}])
    assert [gate["name"] for gate in read_gates(copy)] == ["keep"]
    sealed = {"name": "keep", "promised": 0.9, "state": "broken"}
    assert promises(copy, {"gates": [sealed]}) == [sealed], "a file beside never replaces what is sealed"


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
