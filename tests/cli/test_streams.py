"""Output is UTF-8 in every locale, and a stream that is closed, full or unread breaks nothing that is recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penjing.core.nouns import Release
from penjing.store.database import open_store
from penjing.store.records import scan_records

TEXTS = "text,channel\nwin cash now 😀,web\n明天开会 收到谢谢 €,vip\n\x00,app\n"
LOCALES = {
    "gbk": {"LC_ALL": "zh_CN.GBK"},
    "gbk-io": {"PYTHONIOENCODING": "gbk"},
    "ascii-io": {"PYTHONIOENCODING": "ascii:strict"},
    "c": {"LC_ALL": "C"},
    "posix": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin": {"PYTHONIOENCODING": "latin-1:strict"},
}


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the locale zh_CN.GBK, made here, for few machines have it."""
    folder = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef") is None:
        pytest.skip("localedef, which makes the locale zh_CN.GBK, is not installed")
    command = ["localedef", "-i", "zh_CN", "-f", "GBK", str(folder / "zh_CN.GBK")]
    made = subprocess.run(command, capture_output=True, check=False)
    if not (folder / "zh_CN.GBK").exists():
        pytest.skip(f"the locale zh_CN.GBK cannot be made here: {made.stderr.decode(errors='replace')[-200:]}")
    return folder


def run(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A shell line in which `penjing` is the command, in a folder of its own, in another locale."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONIOENCODING", "LANG", "LC_ALL"}}
    line = f'penjing() {{ "{sys.executable}" -m penjing "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=kept | environment, capture_output=True, check=False, timeout=120
    )


@pytest.fixture
def folder(tmp_path: Path, tiny_release: Release) -> Path:
    (tmp_path / "in.csv").write_text(TEXTS, encoding="utf-8")
    (tmp_path / "release").symlink_to(tiny_release.folder)
    return tmp_path


@pytest.mark.whole
@pytest.mark.parametrize("name", LOCALES)
def test_every_locale_gets_utf_8(folder: Path, locales: Path, name: str) -> None:
    environment = {**LOCALES[name], "LOCPATH": str(locales)}
    ran = run(folder, "penjing decide release in.csv; echo $? >code; penjing review export out.csv", **environment)
    assert (folder / "code").read_text(encoding="utf-8").strip() == "3", ran.stderr.decode("utf-8", "replace")
    assert b"Traceback" not in ran.stderr
    lines = [json.loads(line) for line in ran.stdout.decode("utf-8").splitlines()]
    assert [line.get("row", 0) for line in lines] == [2, 3, 4, 0]
    assert lines[1]["facts"]["contains"]["彩票"] is False and "彩票".encode() in ran.stdout
    ran.stderr.decode("utf-8")
    assert "明天开会".encode() in (folder / "out.csv").read_bytes()


def test_an_undecodable_file_name_is_shown_with_escapes(folder: Path) -> None:
    ran = run(folder, "penjing decide release $'\\xff\\xfe.csv'", LC_ALL="C.UTF-8")
    assert ran.returncode == 2
    assert b"no such file" in ran.stderr and b"Traceback" not in ran.stderr and b"udcff" in ran.stderr


@pytest.mark.whole
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_change_no_record(folder: Path, closed: str) -> None:
    ran = run(folder, f"penjing decide release in.csv {closed}")
    assert ran.returncode == 3 and b"Traceback" not in ran.stderr
    # A library that prints to a closed descriptor would write into the file that was opened with its number.
    assert (folder / "penjing.db").read_bytes().startswith(b"SQLite format 3\0")
    assert count(folder) == 2


@pytest.mark.whole
def test_a_reader_that_leaves_and_a_full_disk_leave_a_run_that_goes_on(folder: Path) -> None:
    rows = "".join(f"row {number} call me later\n" for number in range(1000))
    (folder / "many.txt").write_text(rows, encoding="utf-8")
    ran = run(folder, "penjing decide release many.txt | head -1; exit ${PIPESTATUS[0]}")
    assert ran.returncode == 130 and b"the reader of the output has ended" in ran.stderr, ran.stderr
    ran = run(folder, "penjing decide release many.txt > /dev/full")
    assert ran.returncode == 1 and b"standard output: the disk is full" in ran.stderr
    before = count(folder)
    assert 0 < before < 1000
    ran = run(folder, "penjing decide release many.txt")
    assert ran.returncode == 0 and len(ran.stdout.splitlines()) == 1000
    assert count(folder) == 1000


def test_a_short_result_that_nobody_reads(folder: Path) -> None:
    ran = run(folder, "penjing show release | true; exit ${PIPESTATUS[0]}")
    assert ran.returncode in {0, 141} and ran.stderr == b""
    ran = run(folder, "penjing show release > /dev/full")
    assert ran.returncode == 1
    assert ran.stderr.startswith(b"penjing: standard output: the disk is full\n  fix: ")
    ran = run(folder, "penjing show nowhere 2> /dev/full")
    assert ran.returncode == 2


def count(folder: Path) -> int:
    store = open_store(f"sqlite:///{folder / 'penjing.db'}", create=False)
    try:
        return len(list(scan_records(store)))
    finally:
        store.close()
