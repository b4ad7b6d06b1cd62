"""The source of rows, a file or standard input, and its real format: text, a workbook, parquet or none of them."""

from __future__ import annotations

import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from penjing.core.errors import DataError, UsageError
from penjing.core.paths import AnyPath, local_path, no_such_file

Format = Literal["text", "workbook", "parquet"]
MOST_INPUT = (
    256 * 2**20
)  # bytes of standard input; it is kept in memory, because unmasked text is not written to a disk
# What `zipfile` raises for an archive that is damaged, locked by a password, or packed in a way that it does not know.
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError)
_HEAD = 4096
_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
)
_SAVE_AS = "open it in a spreadsheet and save it as .xlsx or as CSV (UTF-8)"


@dataclass(frozen=True)
class Source:
    """A file, or standard input as a whole; `format` is what the content is, whatever the suffix says."""

    name: str
    suffix: str
    format: Format
    path: Path | None = None
    content: bytes = b""

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, unpacked where they are gzip. Raises UsageError (no such file) or DataError (damaged)."""
        with _open(self.name, self.path, self.content) as raw:
            yield raw


def open_source(file: AnyPath) -> Source:
    """Look at the first bytes of a file, or of standard input for "-".

    Raises UsageError (no such file, standard input beyond its bound) or DataError (neither text nor a table).
    """
    path: Path | None = None
    content = b""
    if str(file) == "-":
        content = _bounded(sys.stdin.buffer, "standard input")
        name, suffix = "standard input", ""
    else:
        path = local_path(file)
        name, suffix = str(path), suffix_of(path)
        if path.is_fifo():  # it can be read once only
            with path.open("rb") as pipe:
                path, content = None, _bounded(pipe, name)
    with _open(name, path, content) as raw:
        head = raw.read(_HEAD)
        return Source(name, suffix, _format(head, raw, name), path, content)


def suffix_of(path: Path) -> str:
    """The suffix that names the format: `.csv` of `a.csv.gz`."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return name.suffix.lower()


@contextmanager
def _open(name: str, path: Path | None, content: bytes) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") if path else io.BytesIO(content) as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                with gzip.open(raw, "rb") as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                yield raw
    except FileNotFoundError:
        assert path is not None
        raise no_such_file(path) from None
    except NotADirectoryError:
        raise UsageError("a part of this path is a file, not a folder", where=name, fix="check the path") from None
    except IsADirectoryError:
        raise UsageError("this is a folder, not a file", where=name, fix="name a file inside it") from None
    except PermissionError:
        raise UsageError("this file may not be read", where=name, fix="change its permissions") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"a damaged gzip file: {error}", where=name, fix="copy it again") from None


def _bounded(stream: BinaryIO, name: str) -> bytes:
    content = stream.read(MOST_INPUT + 1)
    if len(content) > MOST_INPUT:
        raise UsageError(
            f"a pipe with more than {MOST_INPUT >> 20} MB",
            where=name,
            fix="write it to a file and name that, or send it in pieces",
        )
    return content


def _format(head: bytes, raw: BinaryIO, name: str) -> Format:
    if head.startswith(b"PK\x03\x04"):
        return _inside_zip(raw, name)
    if head.startswith(b"\xd0\xcf\x11\xe0"):  # OLE: .xls, and every Office file with a password
        return "workbook"
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, words in _MAGIC:
        if head.startswith(magic):
            raise DataError(f"this is {words}, not a table", where=name, fix="name a file with rows of text")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"<") and (b"<table" in start or b"<html" in start):
        raise DataError("this is a web page (HTML) under another name, not a table", where=name, fix=_SAVE_AS)
    if start.startswith(b"<?xml"):
        raise DataError("this is XML, not a table", where=name, fix=_SAVE_AS)
    odd = sum(byte < 9 or 13 < byte < 27 for byte in head)
    if odd > len(head) // 10 and not _wide(head):
        raise DataError("this is not text", where=name, fix="name a file with rows of text")
    return "text"


def _wide(head: bytes) -> bool:
    """Whether control bytes can be halves of UTF-16 or UTF-32."""
    return head[:2] in (b"\xff\xfe", b"\xfe\xff") or 0 in head[:200]


def _inside_zip(raw: BinaryIO, name: str) -> Format:
    raw.seek(0)
    try:
        with zipfile.ZipFile(raw) as archive:
            names = [entry for entry in archive.namelist() if not entry.endswith("/")]
            kind = archive.read("mimetype") if "mimetype" in names else b""
    except BROKEN_ZIP:
        what = "not a readable workbook or zip archive: it is damaged"
        raise DataError(what, where=name, fix="copy it again") from None
    if any(entry.startswith("xl/") for entry in names) or b"spreadsheet" in kind:
        return "workbook"
    if any(entry.startswith("word/") for entry in names) or b"opendocument.text" in kind:
        raise DataError("this is a text document, not a table", where=name, fix="copy its table into a spreadsheet")
    shown = ", ".join(f"`{entry}`" for entry in names[:5]) + (", …" if len(names) > 5 else "")
    what = f"this is a zip archive that holds {shown or 'nothing'}"
    raise DataError(what, where=name, fix="unpack it and name a file of it")
