"""Ctrl-C, SIGTERM and SIGHUP: the first one asks, the second ends, and what happens next is told truly."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penjing.cli.interrupts import EndedError, catching, interrupted, stopping, whole
from penjing.core.errors import RunInterruptedError, RunTerminatedError

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def test_the_first_signal_asks_and_the_second_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunInterruptedError, match="same command again to continue"), stopping() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise KeyboardInterrupt
    assert "stopping at the next safe point" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), zip(SIGNALS, (130, 143, 130), strict=True))
def test_each_signal_has_its_code(number: int, code: int) -> None:
    with pytest.raises(RunInterruptedError) as met, stopping() as stop:
        signal.raise_signal(number)
        assert stop()
        raise RunInterruptedError("stopped after step 3", fix="x")
    assert met.value.exit_code == code
    by = {signal.SIGINT: "", signal.SIGTERM: " by SIGTERM", signal.SIGHUP: " by SIGHUP"}[signal.Signals(number)]
    assert str(met.value).startswith(f"stopped{by} after step 3\n")
    assert "run the same command again to continue" in str(met.value)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "handlers are put back"


def test_terminations_are_raised_like_ctrl_c_and_told_apart() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        with pytest.raises(EndedError) as met, catching():
            signal.raise_signal(number)
        assert met.value.number == number
    told = interrupted(EndedError(signal.SIGTERM), "do this", "3 rows are recorded")
    assert isinstance(told, RunTerminatedError) and str(told) == (
        "stopped by SIGTERM: 3 rows are recorded\n  fix: do this"
    )
    assert str(interrupted(KeyboardInterrupt(), "do this")) == "stopped\n  fix: do this"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_whole_step_is_not_cut_by_the_first_signal(number: int) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt) as met, catching(), whole():
        signal.raise_signal(number)
        done.append(1)
    assert done == [1] and (number == signal.SIGINT or met.value.number == number)
    with pytest.raises(KeyboardInterrupt), catching(), whole():
        signal.raise_signal(number)
        signal.raise_signal(number)
        done.append(2)
    assert done == [1], "the second signal ends at once"


def test_a_library_that_logs_the_interrupt_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    pool, root = logging.getLogger("a.pool"), logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        with catching():
            for error in (EndedError(signal.SIGTERM), ValueError("a fault")):
                try:
                    raise error
                except BaseException:  # noqa: BLE001 - as a pool of connections does
                    pool.error("met while a connection was reset", exc_info=True)
    finally:
        root.handlers = handlers
    told = capfd.readouterr().err
    assert "a fault" in told and "SIGTERM" not in told


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with catching(), stopping() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop()
    finally:
        signal.signal(signal.SIGHUP, before)


RECIPE = """\
name: rooms
data: {files: rows.csv}
steps:
  - tune.linear: {}
gates: {keep: 0.5, unproven: allow}
decide: {max_error: 0.4}
threads: 1
"""


@pytest.mark.whole
@pytest.mark.parametrize(
    ("number", "nohup", "code"),
    [(signal.SIGINT, False, 130), (signal.SIGTERM, False, 143), (signal.SIGHUP, False, 130), (signal.SIGHUP, True, 0)],
)
def test_make_ends_resumable_or_outlives_its_terminal(tmp_path: Path, number: int, nohup: bool, code: int) -> None:
    lines = [f"{('awful noise', 'lovely stay')[n % 2]} in room {n} near {n * 7919 % 1000},{n % 2}" for n in range(120)]
    (tmp_path / "rows.csv").write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    command = [sys.executable, "-m", "penjing", "make", "recipe.yaml"]
    process = subprocess.Popen(
        ["nohup", *command] if nohup else command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    while b"reading" not in (line := process.stderr.readline()):
        assert line or process.poll() is None
    process.send_signal(number)
    if not nohup:
        time.sleep(0.2)
        process.send_signal(number)  # the first one asks, this one ends at once
    told = process.stderr.read().decode()
    assert process.wait() == code, told
    assert "Traceback" not in told
    assert nohup or "run the same command again to continue" in told
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
