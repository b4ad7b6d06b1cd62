"""All documents of one source: its files and the archives among them, or standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from penjing.core.paths import local_path
from penjing.data.corpus.reader import (
    STDIN_NAME,
    HowToRead,
    Notes,
    RawDocument,
    read_documents,
    read_parquet_documents,
)
from penjing.data.corpus.sources import ABOUT, STDIN, SUFFIXES, CorpusSource, FoundFiles, suffix_of
from penjing.data.corpus.unpack import BombError, BrokenError, Limits, Meter, buffered, head_of, members


@dataclass
class SourceFiles:
    """The documents of one source, whatever its files are."""

    source: CorpusSource
    found: FoundFiles
    notes: Notes
    limits: Limits
    progress: Callable[[int], None] = lambda _: None

    def documents(self) -> Iterator[RawDocument]:
        """All of them, in the order of the files."""
        how = HowToRead(self.source.columns, self.source.documents, not self.found.single)
        if self.source.path == STDIN:
            yield from self._stream(sys.stdin.buffer, STDIN_NAME, how, None)
            return
        for path in self.found.files:
            name = path.name if self.found.single else self._short(path)
            try:
                with path.open("rb") as file:
                    size = path.stat().st_size if path.is_file() else None
                    yield from self._stream(file, name, how, size)
            except PermissionError:
                self.notes.skip(name, "not_allowed", "this file may not be read")
            except FileNotFoundError:
                self.notes.skip(name, "gone", "this file is no longer there")

    def _short(self, path: Path) -> str:
        root = local_path(self.source.path)
        return path.relative_to(root).as_posix() if root.is_dir() else path.name

    def _stream(self, file: BinaryIO, name: str, how: HowToRead, size: int | None) -> Iterator[RawDocument]:
        seen = [0]

        def count(read: int) -> None:
            seen[0] += read
            self.progress(read)

        meter = Meter(self.limits, lambda: seen[0] if size is None else size)
        head = head_of(file) if size is not None else b""
        if head.startswith(b"PAR1"):
            yield from read_parquet_documents(Path(file.name), name, how, self.notes)
            self.progress(size or 0)
            return
        skip = self.notes.skip
        is_zip = head.startswith(b"PK")  # its list of members is at its end: it is read here and there
        try:
            for inside, opened in members(file if is_zip else buffered(file, read=count), name, meter, skip):
                if inside == name:
                    yield from read_documents(opened, inside, how, self.notes)
                elif ABOUT.fullmatch(inside.rpartition("!")[2].rpartition("/")[2]):
                    skip(inside, "about", "")
                elif suffix_of(inside.rpartition("!")[2]) not in SUFFIXES:
                    skip(inside, "other_kind", "")
                else:
                    yield from read_documents(opened, inside, replace(how, among=True), self.notes)
        except BombError as error:
            skip(name, "bomb", f"the rest of it is left out: {error}")
        except BrokenError as error:
            skip(name, "damaged", f"it is damaged from some place on: {error}")
        if is_zip:
            self.progress(size or 0)
