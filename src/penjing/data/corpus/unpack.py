"""Archives as streams of their files: gz, zst, bz2, xz, tar and zip, nested once, without links, within limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from penjing.core.errors import MissingPackageError

_GZIP, _ZSTD, _BZIP2, _XZ, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0", b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
HEADER: type[Exception] = tarfile.HeaderError
EOF_HEADER: type[Exception] = tarfile.EOFHeaderError  # type: ignore[attr-defined]
_HEAD = 512
_BLOCK, _LITTLE = 1 << 16, 1 << 10
_FREE = 64 * 2**20  # bytes that any file may unpack to; a ratio of less says nothing
_INNER_ZIP = 256 * 2**20  # bytes of a zip inside another archive: it is read in memory, nothing unmasked is written
_ARCHIVES, _LAYERS = 2, 5  # an archive in an archive; with the compressions around them
Skip = Callable[[str, str, str], None]
_SAID = {"link": "a link, which is not followed", "path": "its name leads out of the archive"}


class BombError(Exception):
    """A file that unpacks to more than the limits allow."""


class BrokenError(Exception):
    """A file that is damaged, cut or protected by a password. Its text says which."""


@dataclass
class Limits:
    """How much one file on the disk may unpack to: `ratio` times its size, and `most` bytes in all its layers."""

    ratio: int = 200
    most: int = 200 * 2**30


@dataclass
class Meter:
    """Counts what was unpacked from one file. packed: its size in bytes, or what was read of a stream so far."""

    limits: Limits
    packed: Callable[[], int]
    unpacked: int = 0

    def add(self, size: int) -> None:
        """Count unpacked bytes. Raises BombError beyond the limits."""
        self.unpacked += size
        if self.unpacked > self.limits.most:
            raise BombError(f"it unpacks to more than {self.limits.most >> 30} GB")
        if self.unpacked > _FREE and self.unpacked > self.limits.ratio * self.packed():
            raise BombError(f"it unpacks to more than {self.limits.ratio} times its size")


class _Metered(io.RawIOBase):
    """The unpacked bytes of a stream, counted."""

    def __init__(self, inner: BinaryIO, meter: Meter | None, read: Callable[[int], None] | None = None) -> None:
        self._inner, self._meter, self._read = inner, meter, read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            block = self._inner.read(len(buffer))
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError) as error:
            raise BrokenError(_said_of(error)) from None
        except ValueError as error:  # zstandard's own error, and a truncated bz2
            raise BrokenError(str(error)) from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise BrokenError(str(error)) from None
        buffer[: len(block)] = block
        if self._meter is not None:
            self._meter.add(len(block))
        if self._read is not None:
            self._read(len(block))
        return len(block)


def buffered(inner: BinaryIO, meter: Meter | None = None, read: Callable[[int], None] | None = None) -> BinaryIO:
    """A stream whose first bytes can be looked at; its bytes are counted by `meter` and given to `read`."""
    return cast(BinaryIO, io.BufferedReader(_Metered(inner, meter, read), _BLOCK))


def head_of(stream: BinaryIO) -> bytes:
    """The first bytes of a buffered stream; they are not consumed."""
    return cast(io.BufferedReader, stream).peek(_HEAD)


def members(stream: BinaryIO, name: str, meter: Meter, skip: Skip, depth: tuple[int, int] = (0, 0)) -> Iterator[
    tuple[str, BinaryIO]
]:  # fmt: skip
    """(name, stream) of each file in a stream: itself, or what is packed in it. A stream is valid until the next.

    Names are `ARCHIVE!MEMBER`. What is not read is given to `skip(name, reason, words)`.

    Raises BrokenError and BombError.
    """
    archives, layers = depth
    head = head_of(stream)
    packed = head.startswith((_GZIP, _ZSTD, _BZIP2, _XZ))
    is_zip, is_tar = head.startswith((_ZIP, _EMPTY_ZIP)), head[257:262] == b"ustar"
    if not (packed or is_zip or is_tar):
        yield name, stream
        return
    if layers >= _LAYERS or (archives >= _ARCHIVES and (is_zip or is_tar)):
        skip(name, "nested", "an archive in an archive in an archive")
        return
    if packed:
        inner = buffered(_decompressed(stream, head), meter)
        yield from members(inner, name, meter, skip, (archives, layers + 1))
    elif is_tar:
        yield from _tar(stream, name, meter, skip, (archives + 1, layers + 1))
    else:
        yield from _zip(stream, name, meter, skip, (archives + 1, layers + 1))


def _decompressed(stream: BinaryIO, head: bytes) -> BinaryIO:
    if head.startswith(_GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if head.startswith(_BZIP2):
        return cast(BinaryIO, bz2.BZ2File(stream))
    if head.startswith(_XZ):
        return cast(BinaryIO, lzma.LZMAFile(stream))
    try:
        import zstandard
    except ImportError:
        raise MissingPackageError(
            "files in zstd need the package `zstandard`", fix="pip install 'penjing[train]', or pack them with gzip"
        ) from None
    # The window bounds the memory of a frame: 128 MB is what the zstd program itself accepts.
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    return cast(BinaryIO, _Zstandard(stream, decompressor.decompressobj, zstandard.ZstdError))


class _Zstandard(io.RawIOBase):
    """The frames of a zstd stream; a cut one is an error, which the library's own reader does not see."""

    def __init__(self, inner: BinaryIO, begin: Callable[[], Any], fault: type[Exception]) -> None:
        self._inner, self._begin, self._fault = inner, begin, fault
        self._frame, self._inside = begin(), False
        self._packed, self._ready = b"", b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            if not self._packed and not (block := self._inner.read(_BLOCK)):
                if self._inside:
                    raise BrokenError("it is cut")
                return 0
            self._packed = self._packed or block
            self._unpack()
        taken = self._ready[: len(buffer)]
        self._ready = self._ready[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _unpack(self) -> None:
        """Take a little at once: four bytes may stand for 128 KB."""
        given, self._packed = self._packed[:_LITTLE], self._packed[_LITTLE:]
        try:
            self._ready, self._inside = self._frame.decompress(given), True
        except self._fault as error:
            raise BrokenError(str(error)) from None
        if self._frame.eof:
            self._packed = self._frame.unused_data + self._packed
            self._frame, self._inside = self._begin(), False


def _tar(stream: BinaryIO, name: str, meter: Meter, skip: Skip, depth: tuple[int, int]) -> Iterator[
    tuple[str, BinaryIO]
]:  # fmt: skip
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member) as archive:
            for member in archive:
                inside = f"{name}!{member.name}"
                if member.isdir():
                    continue
                if reason := _unsafe(member.name) or ("" if member.isreg() else "link"):
                    skip(inside, reason, _SAID[reason])
                    continue
                file = archive.extractfile(member)
                if file is not None:
                    with closing(buffered(cast(BinaryIO, file))) as opened:
                        yield from members(opened, inside, meter, skip, depth)
                archive.members = []  # type: ignore[attr-defined]  # the list of all members would grow with the archive
    except (tarfile.TarError, EOFError) as error:
        raise BrokenError(_said_of(error)) from None


class _Member(tarfile.TarInfo):
    """A member of a tar whose damaged or missing header is an error: the library takes it for the end."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> _Member:
        try:
            return super().fromtarfile(tarfile)
        except EOF_HEADER:
            raise  # the blocks of zeros at the end
        except HEADER as error:
            raise BrokenError(f"a header of the tar is damaged or missing: {error}") from None


def _zip(stream: BinaryIO, name: str, meter: Meter, skip: Skip, depth: tuple[int, int]) -> Iterator[
    tuple[str, BinaryIO]
]:  # fmt: skip
    """A zip lists its members at its end: one inside another archive is read into memory, up to a bound."""
    if not stream.seekable() or depth[1] > 1:
        content = stream.read(_INNER_ZIP + 1)
        if len(content) > _INNER_ZIP:
            skip(name, "too_large", "a zip of more than 256 MB in an archive")
            return
        stream = io.BytesIO(content)
    try:
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
            if sum(info.compress_size for info in infos) > meter.packed() and depth[1] == 1:
                raise BombError("its members overlap")
            for info in infos:
                inside = f"{name}!{info.filename}"
                if info.is_dir():
                    continue
                is_link = stat.S_ISLNK(info.external_attr >> 16)
                if reason := _unsafe(info.filename) or ("link" if is_link else ""):
                    skip(inside, reason, _SAID[reason])
                    continue
                with archive.open(info) as file, closing(buffered(cast(BinaryIO, file), meter)) as opened:
                    yield from members(opened, inside, meter, skip, depth)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BrokenError(_said_of(error)) from None


def _said_of(error: Exception) -> str:
    """What an error of a library of archives means."""
    words = str(error)
    if isinstance(error, EOFError) or not words or "unexpected end of data" in words:
        return "it is cut"
    if isinstance(error, zipfile.BadZipFile) and "zip" in words:
        return "the list of its members is missing, as in a file that is cut"
    if isinstance(error, RuntimeError) and "password" in words:
        return "it is protected by a password"
    if isinstance(error, (zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile)):
        return "its packed bytes were changed"
    return words


def _unsafe(name: str) -> str:
    """`path` for a member whose name leads out of the archive; "" for the others."""
    path = PurePosixPath(name.replace("\\", "/"))
    return "path" if path.is_absolute() or ".." in path.parts or name[1:2] == ":" else ""
