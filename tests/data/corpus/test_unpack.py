"""Archives: every kind, nested once; links and unsafe names are passed over; damage, bombs and passwords are named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from penjing.data.corpus.unpack import BombError, BrokenError, Limits, Meter, buffered, members

TEXT = "银行在收到您的投诉之后会与您联系。\n".encode() * 50


def tar_of(files: dict[str, bytes], mode: str = "w") -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return raw.getvalue()


def read(raw: bytes, limits: Limits | None = None) -> tuple[dict[str, bytes], dict[str, str]]:
    skipped: dict[str, str] = {}
    meter = Meter(limits or Limits(), lambda: len(raw))
    found = members(buffered(io.BytesIO(raw)), "file", meter, lambda name, reason, _: skipped.update({name: reason}))
    return {name: stream.read() for name, stream in found}, skipped


def zstandard(raw: bytes) -> bytes:
    return bytes(pytest.importorskip("zstandard").ZstdCompressor().compress(raw))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard])
def test_each_compression(pack: Callable[[bytes], bytes]) -> None:
    assert read(pack(TEXT)) == ({"file": TEXT}, {})
    assert read(pack(tar_of({"a/b.txt": TEXT, "c.txt": b"x"}))) == ({"file!a/b.txt": TEXT, "file!c.txt": b"x"}, {})
    with pytest.raises(BrokenError, match="it is cut"):
        read(pack(TEXT)[:-20])


def test_an_archive_in_an_archive_and_no_deeper() -> None:
    inner = tar_of({"x.txt": TEXT})
    assert read(zip_of({"in.tar": inner})) == ({"file!in.tar!x.txt": TEXT}, {})
    assert read(tar_of({"in.zip": zip_of({"x.txt": TEXT})})) == ({"file!in.zip!x.txt": TEXT}, {})
    assert read(zip_of({"a.zip": zip_of({"b.zip": zip_of({"x.txt": TEXT})})})) == ({}, {"file!a.zip!b.zip": "nested"})


def test_links_devices_and_unsafe_names_are_passed_over() -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, kind in (("l", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE), ("d", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        for name in ("/etc/x.txt", "../x.txt", "ok.txt"):
            info = tarfile.TarInfo(name)
            info.size = len(TEXT)
            archive.addfile(info, io.BytesIO(TEXT))
    found, skipped = read(raw.getvalue())
    assert list(found) == ["file!ok.txt"]
    assert sorted(skipped.values()) == ["link", "link", "link", "path", "path"]
    linked = io.BytesIO()
    with zipfile.ZipFile(linked, "w") as packed:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(entry, "/etc/passwd")
        packed.writestr("..\\x.txt", TEXT)
    assert sorted(read(linked.getvalue())[1].values()) == ["link", "path"]


def test_a_damaged_tar_is_an_error_wherever_it_is_damaged() -> None:
    raw = tar_of({"a.txt": TEXT, "b.txt": TEXT})
    second = raw.index(b"b.txt")
    for broken in (raw[: len(TEXT) // 2], raw[:second], raw[:second] + b"\x07" * 512 + raw[second + 512 :]):
        with pytest.raises(BrokenError):
            read(broken)


def test_a_damaged_zip_is_an_error() -> None:
    raw = bytearray(zip_of({"a.txt": TEXT}))
    with pytest.raises(BrokenError, match="the list of its members is missing, as in a file that is cut"):
        read(bytes(raw[:-30]))
    locked = bytearray(raw)
    for flags in (6, locked.index(b"PK\x01\x02") + 8):  # in the header of the member, and in the list
        locked[flags] |= 1
    with pytest.raises(BrokenError, match="it is protected by a password"):
        read(bytes(locked))
    raw[60] ^= 0xFF
    with pytest.raises(BrokenError, match="its packed bytes were changed"):
        read(bytes(raw))


def test_bombs_are_refused() -> None:
    packed = gzip.compress(bytes(80 << 20))
    with pytest.raises(BombError, match="200 times"):
        read(packed)
    assert len(read(packed, Limits(ratio=2000))[0]["file"]) == 80 << 20
    with pytest.raises(BombError, match="more than 0 GB"):
        read(packed, Limits(ratio=2000, most=1 << 20))
    nested = zip_of({"a.gz": gzip.compress(gzip.compress(bytes(80 << 20)))})
    with pytest.raises(BombError):
        read(nested)
