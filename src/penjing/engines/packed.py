"""Model files in gzip: weights with many zeros, or of few bits, take less space; the engine gets the same bytes.

The same content gives the same packed bytes (no name, no time), so that a release made twice has one id.
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from pathlib import Path

from penjing.core.errors import DamageError

SUFFIX = ".gz"


def pack(folder: Path, *names: str) -> None:
    """Put `NAME.gz` in the place of each of those files."""
    for name in names:
        path = folder / name
        (folder / f"{name}{SUFFIX}").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()


def unpacked(folder: Path, name: str) -> bytes | None:
    """The content of a file that is packed; None where it is not. Raises DamageError where it cannot be unpacked."""
    path = folder / f"{name}{SUFFIX}"
    if not path.exists():
        return None
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DamageError(f"{path.name} cannot be unpacked: {error}", where=str(folder)) from None


def copy_unpacked(source: Path, name: str, target: Path) -> None:
    """Copy a file of one folder into another, unpacked."""
    content = unpacked(source, name)
    if content is None:
        shutil.copyfile(source / name, target / name)
    else:
        (target / name).write_bytes(content)
