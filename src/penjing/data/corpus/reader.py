"""Raw documents of a stream of bytes, one after another: text, markdown, HTML, tables; memory does not grow with it.

A file is looked at by its first megabyte: its encoding, what one document is, and the columns of a table. A line, a row
or a page beyond `MOST` bytes is cut out and counted.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, cast

from penjing.core.errors import DataError, UsageError
from penjing.core.options import nearest
from penjing.data.cells import Fault
from penjing.data.corpus.sources import Documents, suffix_of
from penjing.data.encoding import decode_line, find_encoding, wide_side
from penjing.data.formula_cells import fused
from penjing.data.layout import records
from penjing.data.names import EXACT, role_of
from penjing.data.read import open_head
from penjing.data.sheets import stream_parquet

Kind = Literal["text", "markdown", "html", "json"]
MOST = 8 * 2**20  # bytes of a line, a row or a page
PIECE = 256 * 2**10  # bytes after which a text without other ends is divided, at the end of a line
SMALL = 64 * 2**10  # bytes of a file among others that is taken as one document
_HEAD = 1 << 20
_TOLD = 1000  # files of which is said why they are not read
_JSON_LIST = 64 * 2**20
_CELL = 1 << 20  # characters of a cell; a quote that is never closed ends there
_ROWS = 100  # rows of JSON lines whose keys are known before the others are read
_LONG_LINES = 300  # mean bytes of lines that are documents
_MARKDOWN, _HTML = {".md", ".markdown", ".mdx"}, {".html", ".htm", ".xhtml"}
_JSON, _TABLE = {".jsonl", ".ndjson", ".json"}, {".csv", ".tsv", ".tab"}
STDIN_NAME = "stdin"
EVERY = ("*",)  # all columns: of evaluation sets
_BINARY = (
    b"%PDF",
    b"{\\rtf",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"SQLite",
    b"\x7fELF",
    b"PAR1",
)


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document as it was read. place: `FILE:LINE`, or the name of a page; columns: of a JSON row, those with text."""

    kind: Kind
    place: str
    data: bytes
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()


@dataclass
class Notes:
    """What was not read: files and rows by reason, and for files what to say of them; read_as: files by form."""

    skipped: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, tuple[int, int]] = field(default_factory=dict)
    read_as: dict[str, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    files: int = 0

    def skip(self, name: str, reason: str, more: str = "") -> None:
        """Count a file that is not read, with a line for a person where that is not usual."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1
        if more and len(self.said) < _TOLD:
            self.said.append(f"{name}: {more}")

    def drop(self, reason: str, size: int) -> None:
        """Count a document that is cut out before it is read, with its bytes."""
        documents, characters = self.dropped.get(reason, (0, 0))
        self.dropped[reason] = documents + 1, characters + size


class _Rewound(io.RawIOBase):
    """A stream with its first bytes before it again."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._place, self._rest = head, 0, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._head[self._place : self._place + len(buffer)] or self._rest.read(len(buffer))
        self._place += len(block)
        buffer[: len(block)] = block
        return len(block)


class _AsUtf8(io.RawIOBase):
    """UTF-16 and UTF-32 as UTF-8, so that lines end in one byte; what does not decode becomes U+FFFD."""

    def __init__(self, inner: BinaryIO, encoding: str) -> None:
        self._inner, self._decoder = inner, codecs.getincrementaldecoder(encoding)("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            block = self._inner.read(1 << 16)
            self._ready = self._decoder.decode(block, not block).encode("utf-8", "replace")
            if not block:
                break
        taken = self._ready[: len(buffer)]
        self._ready = self._ready[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


@dataclass(frozen=True)
class HowToRead:
    """What is known of a file before it is read. among: it is one of several files of its source."""

    columns: tuple[str, ...] = ()
    documents: Documents = "auto"
    among: bool = True


def read_documents(stream: BinaryIO, name: str, how: HowToRead, notes: Notes) -> Iterator[RawDocument]:
    """The documents of one file, unpacked already. What is left out is counted in `notes`.

    Raises UsageError where a named column is missing.
    """
    head = _first(stream)
    if not head:
        return notes.skip(name, "empty", "empty")
    if head.startswith(_BINARY) or _is_binary(head):
        return notes.skip(name, "not_text", "this is not text")
    whole = len(head) < _HEAD
    look = head if whole else head[: head.rfind(b"\n") + 1] or head
    suffix = _suffix(name, look)
    if name == STDIN_NAME and suffix == ".txt" and (how.columns or _keys(look.split(b"\n")[0])):
        suffix = ".jsonl" if look.lstrip()[:1] in (b"{", b"[") else ".csv"
    try:
        encoding = find_encoding(lambda: nullcontext(cast(BinaryIO, io.BytesIO(_ending(look, whole)))), name).name
    except DataError as error:
        return notes.skip(name, "encoding", error.what)
    again = cast(BinaryIO, io.BufferedReader(_Rewound(head, stream), 1 << 16))
    if encoding.startswith(("utf-16", "utf-32")):
        again = cast(BinaryIO, io.BufferedReader(_AsUtf8(again, encoding), 1 << 16))
        look, encoding = look.decode(encoding, "replace").encode("utf-8", "replace"), "utf-8"
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    notes.files += 1
    if suffix in _JSON:
        found = _json(again, name, look, how, notes)
    elif suffix in _TABLE:
        found = _table(again, name, (look, suffix), how, notes)
    elif suffix in _HTML or suffix in _MARKDOWN:
        found = _page(again, name, "html" if suffix in _HTML else "markdown", encoding, notes)
    else:
        mode = how.documents if how.documents != "auto" else guess_documents(look, whole and how.among)
        _count(notes.read_as, mode)
        found = _text(again, name, mode, encoding, notes)
    yield from found
    return None


def guess_documents(head: bytes, small: bool) -> Documents:
    """What one document is in a text: a small file among others; text between blank lines; long lines; the file."""
    if small and len(head) <= SMALL:
        return "file"
    lines = head.split(b"\n")
    blank = [_is_blank(line) for line in lines[:-1]]
    filled = len(blank) - sum(blank)
    if sum(blank) >= 3 and filled:
        return "blank"
    return "line" if filled >= 3 and len(head) / filled >= _LONG_LINES else "file"


def _first(stream: BinaryIO) -> bytes:
    parts, size = [], 0
    while size < _HEAD and (block := stream.read(_HEAD - size)):
        parts.append(block)
        size += len(block)
    return b"".join(parts)


def _ending(look: bytes, whole: bool) -> bytes:
    """Without the last character, which may be cut, where no line ends in all of it."""
    return look if whole or look.endswith(b"\n") else look[: len(look) - 4]


def _is_binary(head: bytes) -> bool:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return False
    zeros = head.count(0)
    if zeros and wide_side(head) is None:
        return True
    odd = sum(byte < 9 or 13 < byte < 27 for byte in head[:4096])
    return not zeros and odd > len(head[:4096]) // 10


def _suffix(name: str, head: bytes) -> str:
    suffix = suffix_of(name.rpartition("!")[2])
    start = head[:1024].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    return ".html" if start.startswith((b"<!doctype html", b"<html")) else suffix


def bounded_lines(stream: BinaryIO, notes: Notes) -> Iterator[tuple[int, bytes]]:
    """(number, line with its end) of every line of at most `MOST` bytes; a longer one is passed over and counted."""
    number = 0
    while line := stream.readline(MOST + 1):
        number += 1
        if len(line) <= MOST:
            yield number, line
            continue
        size = len(line)
        while not line.endswith(b"\n") and (line := stream.readline(_HEAD)):
            size += len(line)
        notes.drop("too_large", size)


def _is_blank(line: bytes) -> bool:
    return len(line) < 200 and not line.replace(b"\xe3\x80\x80", b"").replace(b"\xc2\xa0", b"").strip()


def _text(stream: BinaryIO, name: str, mode: Documents, encoding: str, notes: Notes) -> Iterator[RawDocument]:
    parts: list[bytes] = []
    size, start = 0, 1
    for number, line in bounded_lines(stream, notes):
        ends = mode in ("blank", "line") and _is_blank(line)
        if parts and (ends or mode == "line" or size + len(line) > PIECE):
            yield RawDocument("text", f"{name}:{start}", b"".join(parts), encoding)
            parts, size = [], 0
        if ends:
            continue
        start = number if not parts else start
        parts.append(line)
        size += len(line)
    if parts:
        yield RawDocument("text", f"{name}:{start}", b"".join(parts), encoding)


def _page(stream: BinaryIO, name: str, kind: Kind, encoding: str, notes: Notes) -> Iterator[RawDocument]:
    content = stream.read(MOST + 1)
    if len(content) > MOST:
        size = len(content)
        while block := stream.read(_HEAD):
            size += len(block)
        return notes.drop("too_large", size)
    _count(notes.read_as, kind)
    yield RawDocument(kind, name, content, encoding)
    return None


def choose_columns(names: Sequence[str], wanted: Sequence[str], where: str) -> list[str] | None:
    """The columns that hold the text: those that are wanted, else the one that is named like it; None if none is.

    Raises UsageError where a wanted column is missing.
    """
    if tuple(wanted) == EVERY:
        return list(names)
    for name in wanted:
        if name not in names:
            raise UsageError(f"there is no column `{name}`", where=where, fix=nearest(name, list(names)))
    if wanted:
        return list(wanted)
    exact = [name for name in names if EXACT.get(name.strip().lower()) == "text"]
    like = exact or [name for name in names if role_of(name) == "text"]
    return like[:1] or ([names[0]] if len(names) == 1 else None)


def _no_column(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in list(names)[:12])
    return f"none of its columns is named like a text: {shown}; name one: --text COLUMN"


def _json(stream: BinaryIO, name: str, look: bytes, how: HowToRead, notes: Notes) -> Iterator[RawDocument]:
    lines = [line.removeprefix(codecs.BOM_UTF8) for line in look.split(b"\n") if line.strip()]
    as_lines = suffix_of(name.rpartition("!")[2]) in (".jsonl", ".ndjson")  # one broken line is not the end of them
    rows = [found for line in lines[: _ROWS if as_lines else 1] if (found := _keys(line)) is not None]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    if not rows:
        yield from _json_whole(stream, name, how, notes)
        return
    columns = choose_columns(keys, how.columns, name)
    if columns is None:
        return notes.skip(name, "no_column", _no_column(keys))
    _count(notes.read_as, "json")
    for number, line in bounded_lines(stream, notes):
        if line.strip():
            yield RawDocument("json", f"{name}:{number}", line, "utf-8", tuple(columns))
    return None


def _keys(first: bytes) -> list[str] | None:
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return None
    return list(row) if isinstance(row, dict) and not isinstance(row.get("data"), list) else None


def _json_whole(stream: BinaryIO, name: str, how: HowToRead, notes: Notes) -> Iterator[RawDocument]:
    """A list of objects, or an object around one; it is read as a whole, up to a bound."""
    content = stream.read(_JSON_LIST + 1)
    if len(content) > _JSON_LIST:
        said = f"a JSON list of more than {_JSON_LIST >> 20} MB: write one object a line"
        return notes.skip(name, "too_large", said)
    try:
        rows = json.loads(content)
    except (ValueError, RecursionError) as error:
        return notes.skip(name, "damaged", f"not valid JSON: {str(error)[:80]}")
    if isinstance(rows, dict):
        rows = next((inner for inner in rows.values() if isinstance(inner, list)), [rows])
    rows = [row if isinstance(row, dict) else {"text": row} for row in rows] if isinstance(rows, list) else []
    keys = list(dict.fromkeys(key for row in rows[:100] for key in row))
    columns = choose_columns(keys, how.columns, name) if keys else None
    if columns is None:
        return notes.skip(name, "no_column", _no_column(keys))
    _count(notes.read_as, "json")
    for number, row in enumerate(rows, start=1):
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
        yield RawDocument("json", f"{name}:{number}", line, "utf-8", tuple(columns))
    return None


def _table(stream: BinaryIO, name: str, look: tuple[bytes, str], how: HowToRead, notes: Notes) -> Iterator[RawDocument]:
    try:
        opened = open_head(look[0], name, look[1], how.columns)
    except (DataError, UsageError) as error:
        return notes.skip(name, "damaged", error.what)
    if opened.layout is None or opened.names is None:
        yield from _json(stream, name, look[0], how, notes)
        return
    columns = choose_columns(opened.names, how.columns, name)
    if columns is None:
        return notes.skip(name, "no_column", _no_column(opened.names))
    _count(notes.read_as, "table")
    places = [opened.names.index(column) for column in columns]
    usual = "utf-8" if opened.encoding == "utf-8-sig" else opened.encoding
    if opened.layout.kind == "lines":
        for number, line in bounded_lines(stream, notes):
            if number > opened.header and line.strip():
                yield RawDocument("text", f"{name}:{number}", line, usual)
        return None
    for record in records(_decoded(stream, usual, notes), opened.layout):
        csv.field_size_limit(_CELL)
        if isinstance(record, Fault):
            notes.drop("unreadable", 0)
        elif record[0] > opened.header:
            cells = [record[2][place].strip() for place in places if place < len(record[2])]
            cells = [fused(cell) for cell in cells] if opened.exported else cells
            text = "\n".join(cell for cell in cells if cell)
            yield RawDocument("text", f"{name}:{record[0]}", text.encode("utf-8", "replace"))
    return None


def _decoded(stream: BinaryIO, usual: str, notes: Notes) -> Iterator[str]:
    for _, line in bounded_lines(stream, notes):
        found = decode_line(line.removeprefix(codecs.BOM_UTF8), usual)
        yield found[0] if found else line.decode(usual, "replace")


def read_parquet_documents(path: Path, name: str, how: HowToRead, notes: Notes) -> Iterator[RawDocument]:
    """The rows of a parquet file as documents. Raises as `read_documents` does."""

    def choose(names: list[str]) -> Sequence[str]:
        columns = choose_columns(names, how.columns, name)
        if columns is None:
            raise DataError(_no_column(names), where=name)
        return columns

    number = 0
    try:
        for number, cells in enumerate(stream_parquet(path, choose), start=1):
            text = "\n".join(cell for cell in cells if cell)
            yield RawDocument("text", f"{name}:{number}", text.encode("utf-8", "replace"))
    except DataError as error:
        notes.skip(name, "no_column" if "column" in error.what else "damaged", error.what)
        return
    notes.files += 1
    _count(notes.read_as, "table")


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
