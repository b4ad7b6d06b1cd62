"""The file that a command writes: whole or not at all, `-` for standard output, and its name in every error."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from penjing.cli import show
from penjing.cli.failures import explain
from penjing.core.errors import PenjingError, UsageError
from penjing.core.folder import replaced_file

# A path that cannot be written is a usage error; a full or failing disk is not.
_PATH = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}


def is_standard_output(file: Path) -> bool:
    """Whether a file is `-`."""
    return str(file) == "-"


def named(file: Path) -> str:
    """The name of a file for the next command; FILE for one that the reader of standard output names."""
    return "FILE" if is_standard_output(file) else str(file)


@contextmanager
def output_file(file: Path) -> Iterator[Path]:
    """Yield the path to write to, which becomes `file` once it is complete; after an error nothing has changed.

    A device or a pipe is written directly. Of `-` the complete file is copied to standard output.
    Raises UsageError (a path that cannot be written) and PenjingError, both with the name of `file`.
    """
    try:
        if is_standard_output(file):
            with tempfile.TemporaryDirectory() as folder:
                whole = Path(folder) / "output"
                yield whole
                show.out_file(whole)
            return
        with replaced_file(file) if file.is_file() or not file.exists() else nullcontext(file) as target:
            yield target
    except BrokenPipeError:
        raise
    except OSError as error:
        failure = explain(error)
        kind = UsageError if error.errno in _PATH else PenjingError
        raise kind(failure.what, where=str(file), fix=f"{failure.fix}; nothing was exported") from None


def tell_exported(file: Path, count: int, more: Mapping[str, Any] | None = None) -> None:
    """Say how many rows `file` has: one line of JSON, and where the rows are on standard output, words beside them."""
    if is_standard_output(file):
        show.tell(f"rows exported: {count:,}")
    else:
        show.out_json({"exported": count, "file": str(file), **(more or {})})
