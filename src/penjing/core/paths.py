"""A path as a person gives it: text or a Path, with `~` for the home folder; a missing one is explained."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

from penjing.core.errors import UsageError

# The type of a path argument.
AnyPath = str | os.PathLike[str]
_DRIVE = re.compile(r"(^|/)[A-Za-z]:\\")


def local_path(given: AnyPath) -> Path:
    """The path that is meant: `~` and `~name` are a home folder. Raises UsageError for what is no path.

    A path stays relative where it was, so that messages show what was given.
    """
    if not isinstance(given, (str, os.PathLike)):
        raise UsageError(
            f"a path was expected, not {type(given).__name__}", fix='give text or a pathlib.Path, as "my/out/release"'
        )
    text = os.fspath(given)
    if not text or "\0" in text:
        said = "contains a NUL character" if text else "is empty"
        raise UsageError(f"the path {said}", fix="give the path of a file or a folder")
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:  # ~name where no user has this name: a file may have this name
        return path


def path_beside(file: Path, name: str) -> Path:
    """The absolute path of a name that is written in a file, relative to the folder of that file."""
    path = file.parent / local_path(name)
    # A path that was written on Windows, unless a file here has this name.
    if "\\" in name and not path.exists():
        path = file.parent / local_path(name.replace("\\", "/"))
    return path.resolve()


def no_such_file(path: Path) -> UsageError:
    """The error for a file that is not there: with the path in the form of this system, or with the nearest name."""
    written = str(path)
    if path.is_dir():
        return UsageError("this is a folder, not a file", where=written, fix="name a file inside it")
    if path.exists():
        return UsageError("this is neither a file nor a folder", where=written, fix="name a file")
    if os.sep == "/" and "\\" in written:
        what = "no such file: a backslash does not separate folders on this system"
        if _DRIVE.search(written):
            fix = "write the path that the file has on this machine, with `/` between the folders"
        else:
            fix = f"write `{written.replace(chr(92), '/')}`"
        return UsageError(what, where=written, fix=fix)
    try:
        names = [other.name for other in path.parent.iterdir()]
    except OSError:
        names = []
    close = [name for name in names if name.casefold() == path.name.casefold()]
    close = close or difflib.get_close_matches(path.name, names, n=1)
    fix = f"did you mean `{path.parent / close[0]}`?" if close else "check the path"
    return UsageError("no such file", where=written, fix=fix)
