"""Any exception becomes what happened, where, and what to do; its traceback goes to a file where one is asked for."""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
import types
from pathlib import Path

import pytest

from penjing.cli import failures
from penjing.cli.failures import explain, write_details
from penjing.core.errors import DataError, MissingPackageError


def caused(by: BaseException) -> BaseException:
    error = RuntimeError("the writer failed")
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "x", "a/b"), "a/b: the disk is full"),
        (OSError(errno.EIO, "x"), "the disk failed"),
        (PermissionError(errno.EACCES, "x", "中文.csv"), "中文.csv: permission denied"),
        (OSError(errno.EMFILE, "x"), "too many files"),
        (FileNotFoundError(errno.ENOENT, "x", b"a"), "a: no such file or folder"),
        (OSError(errno.EPROTO, "x"), "protocol error"),
        (MemoryError(), "not enough memory"),
        # As safetensors, tokenizers, onnxruntime and torch say it.
        (
            RuntimeError('Error while serializing: I/O error: Os { code: 28, message: "No space left on device" }'),
            "full",
        ),
        (RuntimeError("Io Error: Permission denied (os error 13)"), "permission denied"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried"), "not enough memory"),
        (RuntimeError("std::bad_alloc"), "not enough memory"),
        (caused(OSError(errno.ENOSPC, "x", "deep")), "deep: the disk is full"),
        (ModuleNotFoundError("No module named 'torch'", name="torch.nn"), "needs the package `torch`"),
        (io.UnsupportedOperation("File or stream is not seekable."), "a regular file is needed"),
        (UnicodeEncodeError("ascii", "数据.csv", 0, 1, "x"), "this system's encoding (ascii) lacks: 数据.csv"),
        (UnicodeEncodeError("utf-8", "\udcff.csv", 0, 1, "surrogates"), r"`\udcff.csv` is not readable"),
        (ValueError("odd\nthing " + "x" * 999), "an unexpected error: ValueError: odd thing x"),
        (AssertionError(), "an unexpected error: AssertionError"),
    ],
)
def test_every_exception_is_told(error: BaseException, said: str) -> None:
    told = explain(error)
    assert said in str(told) and told.fix
    assert len(told.what) < 300, "an error never repeats more than 200 characters"
    assert told.exit_code == (2 if isinstance(told, MissingPackageError) else 1)


def test_our_own_errors_stay_as_they_are() -> None:
    error = DataError("x", fix="y")
    assert explain(error) is error


def test_where_in_penjing_it_happened() -> None:
    from penjing.core.canon import canonical_json

    with pytest.raises(ValueError, match="JSON") as met:
        canonical_json(float("nan"))
    assert (explain(met.value).where or "").startswith("penjing/core/canon.py:")


def test_a_library_that_does_not_say_why_finds_the_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["penjing", "make", str(tmp_path)])
    usage = failures.shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(failures.shutil, "disk_usage", lambda path: Path(path).stat() and usage)
    told = explain(RuntimeError("unexpected pos 64 vs 0"))
    assert (told.what, told.where) == ("the disk is full", str(tmp_path))
    # /proc has no size, and is not full.
    monkeypatch.setattr(failures.shutil, "disk_usage", lambda _: usage._replace(total=0))
    assert "unexpected" in explain(RuntimeError("unexpected pos 64 vs 0")).what


def test_details_are_written_for_their_owner_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_details(caused(ValueError("中文 \udcff")))
    assert path is not None and path.parent == tmp_path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert "RuntimeError: the writer failed" in text and "ValueError: 中文" in text and "Python" in text
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "x")))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert write_details(ValueError("x")) is None


def test_a_disk_that_takes_no_more_files_is_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)

    def statvfs(_: object, free: int) -> types.SimpleNamespace:
        return types.SimpleNamespace(f_files=30, f_favail=0, f_bavail=free, f_frsize=disk.f_frsize)

    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "new"))
    monkeypatch.setattr(os, "statvfs", lambda path: statvfs(path, 10**6))
    assert explain(error).what == "the disk can hold no more files (inodes)"
    monkeypatch.setattr(os, "statvfs", lambda path: statvfs(path, 1))
    assert explain(error).what == "the disk is full"
