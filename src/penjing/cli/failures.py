"""Any exception as a message: what happened, where, what to do, and the exit code; never a traceback."""

from __future__ import annotations

import errno
import io
import os
import platform
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import penjing
from penjing.core.errors import MissingPackageError, PenjingError
from penjing.core.folder import make_private

_AGAIN = "then give the same command again"
# errno -> what happened, what to do.
_SYSTEM = {
    errno.ENOSPC: ("the disk is full", f"free space on it, {_AGAIN}"),
    errno.EDQUOT: ("the disk quota is used up", f"free space or have the quota raised, {_AGAIN}"),
    errno.EFBIG: ("the file is larger than this system allows", f"raise the limit (ulimit -f), {_AGAIN}"),
    errno.EIO: ("the disk failed to read or to write", f"check the disk (dmesg), {_AGAIN}"),
    errno.EROFS: ("the file system is read-only", "give a folder that can be written"),
    errno.EACCES: ("permission denied", "change its permissions, or give another file or folder"),
    errno.EPERM: ("this is not permitted", "change its owner or permissions, or give another file or folder"),
    errno.EMFILE: ("too many files are open in this process", f"raise the limit (ulimit -n 4096), {_AGAIN}"),
    errno.ENFILE: ("too many files are open on this machine", f"close other programs, {_AGAIN}"),
    errno.ENOMEM: ("there is not enough memory", f"close other programs, {_AGAIN}"),
    errno.ENOENT: ("no such file or folder", "check the path"),
    errno.ENOTDIR: ("a part of this path is a file, not a folder", "check the path"),
    errno.EISDIR: ("this is a folder, not a file", "name a file"),
    errno.EEXIST: ("this exists already", "give another name"),
    errno.ENAMETOOLONG: ("the name is too long", "give a shorter one"),
    errno.ELOOP: ("the symbolic links form a loop", "check the path"),
    errno.EBUSY: ("it is in use by another program", f"close the other program, {_AGAIN}"),
    errno.ETXTBSY: ("it is in use by another program", f"close the other program, {_AGAIN}"),
    errno.ESTALE: ("the network file system lost this file", f"mount it again, {_AGAIN}"),
}
# Messages of libraries in other languages for the same failures; their exceptions have no errno.
_NUMBER = re.compile(r"(?:os error |\[?[Ee]rrno:? )(\d+)")
_WORDS = (
    ("no space left on device", errno.ENOSPC),
    ("disk quota exceeded", errno.EDQUOT),
    ("permission denied", errno.EACCES),
    ("too many open files", errno.EMFILE),
    ("input/output error", errno.EIO),
    ("read-only file system", errno.EROFS),
    ("cannot allocate memory", errno.ENOMEM),
    ("bad_alloc", errno.ENOMEM),
    ("not enough memory", errno.ENOMEM),
    ("out of memory", errno.ENOMEM),
    ("failed to allocate memory", errno.ENOMEM),
)
_RENAME = "rename the file or the folder, or set LC_ALL to the encoding in which its name was written"
_NEARLY_FULL = 1 << 20
_FEW_FILES = 100
_SHOWN = 200


def explain(error: BaseException) -> PenjingError:
    """The failure as a PenjingError with a plain message; a PenjingError is returned unchanged."""
    if isinstance(error, PenjingError):
        return error
    if isinstance(error, ModuleNotFoundError) and error.name:
        return MissingPackageError(
            f"this needs the package `{error.name.split('.')[0]}`, which is not installed",
            fix="pip install 'penjing[train]' for init, check and make; `penjing doctor` says what is missing for what",
        )
    if isinstance(error, io.UnsupportedOperation):
        return PenjingError(
            "this file can be read or written once only, as a pipe can: a regular file is needed",
            where=_file_of(error),
            fix="save it to a file; `penjing predict` and `penjing decide` also read standard input: ... | penjing "
            "decide RELEASE -",
        )
    if isinstance(error, UnicodeEncodeError) and error.encoding != "utf-8":
        return PenjingError(
            f"a name has characters that this system's encoding ({error.encoding}) lacks: {error.object[:80]}",
            fix="set the environment variable PYTHONUTF8=1, or LC_ALL=C.UTF-8, and give the same command again",
        )
    if isinstance(error, UnicodeEncodeError):
        message = error.object[:80].encode("utf-8", "backslashreplace").decode()
        return PenjingError(f"the name `{message}` is not readable in this system's encoding", fix=_RENAME)
    number = _errno_of(error)
    if number is None and _full_disk(error):
        number = errno.ENOSPC
    if number is None:
        message = " ".join(str(error).split())[:_SHOWN]
        return PenjingError(
            f"an unexpected error: {type(error).__name__}{f': {message}' if message else ''}",
            where=_place(error),
            fix=f"check what was given, {_AGAIN}; if it fails again, this is a fault of Penjing: "
            "give the command with --debug, which writes the details to a file, and report them",
        )
    what, fix = _SYSTEM.get(number, (os.strerror(number).lower(), f"check the disk and the permissions, {_AGAIN}"))
    where = _file_of(error)
    if number == errno.ENOSPC:
        where = where or _full_disk(error)
        if where and _no_files_left(Path(where)):
            what, fix = "the disk can hold no more files (inodes)", f"remove files from it, {_AGAIN}"
    return PenjingError(what, where=where, fix=fix)


def write_details(error: BaseException) -> Path | None:
    """Write the traceback of `error` to a new file here, else in the temporary folder; None if both fail.

    Only its owner can read the file: messages of errors may contain pieces of a text.
    """
    name = f"penjing-error-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.log"
    head = [
        f"penjing {penjing.__version__}, Python {platform.python_version()}, {platform.platform()}",
        time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        f"command: {sys.argv[1:]}",
        "",
    ]
    raw = ("\n".join(head) + "".join(traceback.format_exception(error))).encode("utf-8", "backslashreplace")
    for folder in (Path.cwd, tempfile.gettempdir):
        try:
            path = Path(folder()) / name
            with make_private(path) as file:
                file.write(raw)
        except OSError:
            continue
        return path
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that it was raised from."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _errno_of(error: BaseException) -> int | None:
    for one in _chain(error):
        if isinstance(one, MemoryError):
            return errno.ENOMEM
        if isinstance(one, OSError) and one.errno is not None:
            return one.errno
        message = str(one)
        if isinstance(one, PenjingError):
            continue
        if found := _NUMBER.search(message):
            return int(found[1])
        low = message.lower()
        for words, number in _WORDS:
            if words in low:
                return number
    return None


def _file_of(error: BaseException) -> str | None:
    names = (one.filename for one in _chain(error) if isinstance(one, OSError))
    name = next((name for name in names if name is not None), None)
    return None if isinstance(name, int) else name and os.fsdecode(name)


def _full_disk(error: BaseException) -> str | None:
    """The folder of a full disk among those that the command uses: some libraries do not report the cause."""
    folders = [Path(name) for name in (_file_of(error), *sys.argv[1:]) if name and not name.startswith("-")]
    for folder in (*folders, *(folder.parent for folder in folders), Path(), Path(tempfile.gettempdir())):
        try:
            disk = shutil.disk_usage(folder)
            if disk.total and disk.free < _NEARLY_FULL:  # /proc and similar file systems have no size
                return str(folder.absolute())
        except (OSError, ValueError):
            continue
    return None


def _no_files_left(path: Path) -> bool:
    """Whether the disk has free space but hardly a free inode: what was half written is removed by now."""
    for each in (path, *path.parents):
        try:
            disk = os.statvfs(each)
        except (OSError, ValueError):
            continue
        return disk.f_files > 0 and disk.f_favail < _FEW_FILES and disk.f_bavail * disk.f_frsize >= _NEARLY_FULL
    return False


def _place(error: BaseException) -> str | None:
    """The innermost line of Penjing in the traceback."""
    root = Path(penjing.__file__).parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(root) and path.parent.name != "cli":
            return f"penjing/{path.relative_to(root).as_posix()}:{frame.lineno}"
    return None
