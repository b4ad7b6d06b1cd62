"""A path as a person gives it: text or a Path, with `~` for the home folder."""

from __future__ import annotations

import os
from pathlib import Path

from penjing.core.errors import UsageError

# What a function takes where it takes a path.
AnyPath = str | os.PathLike[str]


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
    except RuntimeError:  # ~name where nobody has this name: a file may be called so
        return path
