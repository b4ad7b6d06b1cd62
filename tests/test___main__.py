"""`python -m penjing` is the command: its name, its exit codes; importing the module runs nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "penjing", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_module_is_the_command(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    assert "Usage: penjing " in done.stdout and "__main__" not in done.stdout
    assert done.stderr == ""


def test_an_error_keeps_its_exit_code(tmp_path: Path) -> None:
    done = run(tmp_path, "show", "nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("penjing: nowhere: no such folder") and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_importing_it_runs_nothing() -> None:
    importlib.import_module("penjing.__main__")
