"""Paths as people write them: `~` is a home folder, and a path that is not there is named with what was meant."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from penjing.core.errors import UsageError

_DRIVE = re.compile(r"(^|/)[A-Za-z]:\\")
_OPTION = re.compile(r"(--?[\w-]+=)(~.*)", re.DOTALL)


def expand(path: str | Path) -> Path:
    """The path with `~` or `~name` at its start replaced by the home folder; unchanged where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user
        return Path(path)


def expand_arguments(arguments: Sequence[str]) -> list[str]:
    """Words of a command line with `~` expanded at the start of a word and after `--option=`.

    A shell does this itself, but not in quotes, after `=`, or where a program calls the command.
    """
    found = []
    for word in arguments:
        option = _OPTION.fullmatch(word)
        if option:
            found.append(option[1] + str(expand(option[2])))
        else:
            found.append(str(expand(word)) if word.startswith("~") else word)
    return found


def no_such_file(path: Path) -> UsageError:
    """The error for a file that is not there: with the path in the form of this system, or the nearest name."""
    written = str(path)
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
    close = difflib.get_close_matches(path.name, names, n=1)
    fix = f"did you mean `{path.parent / close[0]}`?" if close else "check the path"
    return UsageError("no such file", where=written, fix=fix)
