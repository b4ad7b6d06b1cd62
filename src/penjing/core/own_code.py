"""Code of the team's own that a recipe names as FILE.py:NAME: read as text, and known by the hash of that text."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from penjing.core.canon import digest
from penjing.core.errors import UsageError
from penjing.core.options import nearest

_LARGEST = 1_000_000  # bytes


@dataclass(frozen=True)
class OwnCode:
    """name: of a function at the top of the source; file: its path, for messages."""

    name: str
    source: str
    file: str

    @property
    def id(self) -> str:
        """SHA-256 (hex) over the name and the source."""
        return digest([self.name, self.source])


def read_own_code(written: str, folder: Path) -> OwnCode:
    """The code that FILE.py:NAME names, relative to `folder`; nothing of it runs.

    Raises UsageError for a file that is missing, is no Python, or does not define that name at its top.
    """
    file, _, name = written.rpartition(":")
    path = folder / Path(file).expanduser()
    try:
        data = path.read_bytes()
    except OSError:
        what = f"there is no file `{file[:80]}`"
        raise UsageError(what, where=str(path), fix="correct the path, which is relative to the recipe") from None
    if len(data) > _LARGEST:
        raise UsageError("this file is larger than 1 MB", where=str(path), fix="give a file of Python code")
    try:
        source = data.decode("utf-8-sig")
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"{path}:{line}" if line else str(path)
        raise UsageError("this file is no Python code", where=where, fix="correct it there") from None
    known = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    known += [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    known += [
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    if name not in known:
        fix = nearest(name, known) if known else f"define `def {name}(outputs, targets):` there"
        raise UsageError(f"this file defines no `{name[:60]}`", where=str(path), fix=fix)
    return OwnCode(name, source, str(path))
