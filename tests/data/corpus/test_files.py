"""The documents of one source: files in their order, archives among them, standard input, and what is not read."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from penjing.data.corpus.files import SourceFiles
from penjing.data.corpus.reader import Notes
from penjing.data.corpus.sources import CorpusSource, find_files
from penjing.data.corpus.unpack import Limits


def files_of(path: Path | str, limits: Limits | None = None, read: list[int] | None = None) -> SourceFiles:
    source = CorpusSource(path=str(path), name="s", documents="line")
    progress = (lambda size: read.append(size)) if read is not None else (lambda _: None)
    return SourceFiles(source, find_files(source), Notes(), limits or Limits(), progress)


def test_a_folder_is_read_in_order_with_places_inside_it(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.txt").write_bytes(b"third\n")
    (tmp_path / "a.txt").write_bytes(b"first\nsecond\n")
    read: list[int] = []
    files = files_of(tmp_path, read=read)
    assert [(each.place, each.data) for each in files.documents()] == [
        ("a.txt:1", b"first\n"), ("a.txt:2", b"second\n"), ("b/one.txt:1", b"third\n"),
    ]  # fmt: skip
    assert sum(read) == 13 + 6 and files.notes.files == 2
    assert [each.place for each in files_of(tmp_path / "b" / "one.txt").documents()] == ["one.txt:1"]


def test_of_an_archive_only_texts_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name, content in (("in/LICENSE", "MIT"), ("in/b.txt", "好\n的\n"), ("c.png", "no"), ("../d.txt", "out")):
            archive.writestr(name, content)
    read: list[int] = []
    files = files_of(tmp_path, read=read)
    assert [(each.place, each.data.decode()) for each in files.documents()] == [
        ("z.zip!in/b.txt:1", "好\n"), ("z.zip!in/b.txt:2", "的\n"),
    ]  # fmt: skip
    assert files.notes.skipped == {"about": 1, "other_kind": 1, "path": 1}
    assert files.notes.said == ["z.zip!../d.txt: its name leads out of the archive"]
    assert sum(read) == (tmp_path / "z.zip").stat().st_size


def test_a_bomb_ends_itself_and_not_the_source(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"x" * 500_000))
    (tmp_path / "b.txt").write_bytes(b"after\n")
    files = files_of(tmp_path, Limits(most=100_000))
    assert [each.data for each in files.documents()] == [b"after\n"]
    assert files.notes.skipped == {"bomb": 1}
    assert files.notes.said[0].startswith("a.txt.gz: the rest of it is left out: it unpacks to more than")


def test_standard_input_is_read_packed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"one\ntwo\n", gzip.compress(b"one\ntwo\n")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        read: list[int] = []
        assert [(each.place, each.data) for each in files_of("-", read=read).documents()] == [
            ("stdin:1", b"one\n"), ("stdin:2", b"two\n"),
        ]  # fmt: skip
        assert sum(read) == len(content)
