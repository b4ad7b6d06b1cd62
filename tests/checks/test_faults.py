"""Faults at every step: no traceback, the right exit code, whole folders or none, and the next run goes on."""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penjing.core.folder import verify
from penjing.core.nouns import Release
from penjing.store.database import open_store
from penjing.store.records import scan_records

pytestmark = pytest.mark.usefixtures("short_times")

ROWS = 120
FAULTS: tuple[tuple[Callable[[], BaseException], int, str], ...] = (
    (lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1, "the disk is full"),
    (lambda: OSError(errno.EIO, os.strerror(errno.EIO)), 1, "the disk failed to read or to write"),
    (lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES), "somewhere"), 1, "permission denied"),
    (lambda: OSError(errno.EMFILE, os.strerror(errno.EMFILE)), 1, "too many files are open"),
    (MemoryError, 1, "not enough memory"),
    (KeyboardInterrupt, 130, "same command again to continue"),
)
CALLS = ("fsync", "mkdir", "rename", "replace", "link", "open")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    lines = ["text,label"]
    for number in range(ROWS):
        good = number % 2
        lines.append(f"{'lovely stay' if good else 'awful noise'} in room {number} near {number * 7919 % 1000},{good}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: rooms\ndata: {files: rows.csv}\nsteps:\n  - tune.linear: {}\n"
        "gates: {keep: 0.5, unproven: allow}\ndecide: {max_error: 0.4}\nthreads: 1\n",
        encoding="utf-8",
    )
    return path


class Failing:
    """File operations under a folder, of which one fails: the `at`-th from the start."""

    def __init__(self, under: Path, at: int, fault: Callable[[], BaseException]) -> None:
        self.under, self.at, self.fault, self.count = str(under), at, fault, 0

    def met(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise self.fault()

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def failing(first: Any, *rest: Any, **more: Any) -> Any:
            # A descriptor is one of ours where fsync is called: nothing else here calls it.
            if isinstance(first, int) or os.fspath(first).startswith(self.under):
                self.met()
            return function(first, *rest, **more)

        return failing


@contextmanager
def failing(under: Path, at: int, fault: Callable[[], BaseException]) -> Iterator[Failing]:
    """Let the `at`-th file operation under a folder fail; 0: none, they are counted only."""
    made = Failing(under, at, fault)
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, made.wrap(getattr(os, name)))
        patch.setattr(io, "open", made.wrap(io.open))
        patch.setattr(builtins, "open", io.open)
        yield made


def whole(out: Path, *, clean: bool = False) -> None:
    """Every folder under its final name is whole; `clean`: and nothing half done is left beside them."""
    for manifest in out.rglob("MANIFEST"):
        hidden = any(part.startswith(".") for part in manifest.relative_to(out).parts)
        assert not (hidden and clean), f"left behind: {manifest}"
        if not hidden:
            verify(manifest.parent)
    assert not clean or {path.name for path in out.glob(".*")} <= {".lock"}


def spread(count: int, points: int) -> list[int]:
    """So many positions from 1 to `count`, evenly."""
    return sorted({1 + round(point * (count - 1) / (points - 1)) for point in range(points)})


def hit(penjing: Callable[..., Any], recipe: Path, points: int) -> None:
    """Make a release, then again with a fault at each of so many operations, whole in between, the same at the end."""
    folder = recipe.parent
    expected = penjing("make", recipe, "--out", folder / "undisturbed")
    assert expected.code == 0, expected.err
    out = folder / "out"
    with failing(out, 0, MemoryError) as counted:
        assert penjing("make", recipe, "--out", folder / "out").code == 0
    for number, at in enumerate(spread(counted.count, points)):
        if number % 7 == 0:
            shutil.rmtree(out)
        fault, code, words = FAULTS[number % len(FAULTS)]
        with failing(out, at, fault) as made:
            ran = penjing("make", recipe, "--out", out)
        assert "Traceback" not in ran.err + ran.out
        # A few faults end nothing: where no hard link can be made there is a copy, and what was met in a clean-up is
        # cleaned up by the next run. An interrupt always ends the run.
        if made.count >= at and (code == 130 or ran.code != 0):
            assert (ran.code, words in ran.err) == (code, True), (at, ran.err)
            assert "fix:" in ran.err
        whole(out)
    again = penjing("make", recipe, "--out", out)
    assert again.code == 0, again.err
    whole(out, clean=True)
    assert verify(out / "release") == verify(folder / "undisturbed" / "release")


@pytest.mark.whole
def test_make_survives_a_fault_in_some_file_operations(penjing: Callable[..., Any], recipe: Path) -> None:
    hit(penjing, recipe, 5)


@pytest.mark.whole
def test_make_survives_faults_everywhere(penjing: Callable[..., Any], recipe: Path) -> None:
    hit(penjing, recipe, 40)


@pytest.mark.parametrize(("fault", "code", "words"), FAULTS, ids=["full", "io", "access", "files", "memory", "ctrl-c"])
def test_a_fault_in_a_method_is_told(
    penjing: Callable[..., Any],
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[], BaseException],
    code: int,
    words: str,
) -> None:
    def apply(*_: Any) -> None:
        raise fault()

    with monkeypatch.context() as patch:
        patch.setattr("penjing.tune.linear.apply", apply)
        ran = penjing("make", recipe)
    assert (ran.code, words in ran.err, "Traceback" in ran.err) == (code, True, False), ran.err
    whole(tmp_path / "out")


@pytest.mark.whole
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk to fill it")
def test_make_on_a_full_disk_says_so_and_goes_on(recipe: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "none", disk], capture_output=True, check=False)
    if mount.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mount.stderr.decode(errors='replace').strip()}")
    command = [sys.executable, "-m", "penjing", "make", str(recipe), "--out", str(disk / "out")]
    try:
        ran = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert (ran.returncode, "Traceback" in ran.stderr) == (1, False), ran.stderr
        assert "the disk is full" in ran.stderr and str(disk) in ran.stderr and "fix: free space" in ran.stderr
        whole(disk / "out")
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        ran = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert ran.returncode == 0, ran.stderr
        whole(disk / "out", clean=True)
    finally:
        subprocess.run(["umount", disk], check=True)


STEPS = {
    "decide": (
        "penjing.core.artifact.verify",
        "penjing.store.database.open_store",
        "penjing.store.releases.put_in_service",
        "penjing.store.runs.open_run",
        "penjing.store.runs.recorded_rows",
        "penjing.cases.record.work",
        "penjing.store.runs.record_rows",
        "penjing.store.runs.write_prepared",
        "penjing.store.runs.finish_run",
        "penjing.cli.show.out_json",
        "penjing.cli.texts.open_table",
    ),
    "replay": (
        "penjing.store.database.open_store",
        "penjing.store.records.releases_of",
        "penjing.store.releases.open_recorded",
        "penjing.store.records.get_record",
        "penjing.decide.decider.Decider",
        "penjing.cases.replay_record.replay_record",
        "penjing.cli.show.out_json",
    ),
    "review": (
        "penjing.store.database.open_store",
        "penjing.store.reviews.export_open",
        "penjing.store.reviews.import_verdicts",
        "penjing.cli.show.out_json",
    ),
}


@pytest.mark.parametrize(("command", "step"), [(name, step) for name, steps in STEPS.items() for step in steps])
def test_a_fault_at_a_step_is_told_and_the_next_run_goes_on(
    penjing: Callable[..., Any],
    tiny_release: Release,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    step: str,
) -> None:
    file, cases = tmp_path / "in.csv", tmp_path / "cases.csv"
    file.write_text("text,channel\nwin cash now,vip\nsee you at lunch,web\n", encoding="utf-8")
    lines = {
        "decide": [("decide", tiny_release.folder, file)],
        "replay": [("replay", "--all")],
        "review": [("review", "export", cases), ("review", "import", cases)],
    }[command]
    if command != "decide":
        assert penjing(*("decide", tiny_release.folder, file)).code == 0
    for fault, code, _ in (FAULTS[0], FAULTS[4], FAULTS[5]):

        def met(*_: Any, fault: Callable[[], BaseException] = fault, **__: Any) -> None:
            raise fault()

        with monkeypatch.context() as patch:
            patch.setattr(step, met)
            done = [penjing(*line) for line in lines]
        assert code in {ran.code for ran in done}, [ran.err for ran in done]
        assert not any("Traceback" in ran.err for ran in done)
        assert all("fix:" in ran.err for ran in done if ran.code)
    for line in lines:
        ran = penjing(*line)
        assert ran.code == 0, ran.err
    store = open_store("sqlite:///penjing.db", create=False)
    assert len(list(scan_records(store))) == 2, "nothing was lost, and nothing recorded twice"
    store.close()
