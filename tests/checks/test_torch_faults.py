"""Faults where a model is trained, compressed and sealed: told, no half of anything taken for whole, the same ids."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError
from tests.checks.test_faults import failing, spread, whole

from penjing.compress import METHODS
from penjing.core.folder import remove, verify
from penjing.make.run import make_release
from penjing.measure import latency
from penjing.report.found import ChosenVariant

pytestmark = [pytest.mark.whole, pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("short_times")]

TUNE = "  - tune.full: {epochs: 1, learning_rate: [1.0e-3, 2.0e-3], layers: 1, max_tokens: 32}\n"
TUNES = {"tenant": TUNE.replace("tune.full", "tune.lora")}
# The options that a tiny model needs, and what must stand before.
STEPS = {
    "cascade": "  - compress.int8: {engine: onnx}\n  - compress.cascade: {bits: 10, epochs: 2}\n",
    "distill": "  - compress.layers: {keep: 1}\n  - compress.distill: {epochs: 1, copies: 0}\n",
    "embeddings": "  - compress.export: {engine: onnx}\n  - compress.embeddings: {}\n",
    "exit": "  - compress.exit: {after: [1], epochs: 1}\n",
    "heads": "  - compress.heads: {}\n",
    "layers": "  - compress.layers: {keep: 1}\n",
    "magnitude": "  - compress.magnitude: {}\n",
    "student": "  - compress.student: {base: BASE}\n",
    "ngrams": "  - compress.ngrams: {engine: onnx, bits: 12}\n",
    "static": "  - compress.static: {bits: 10, epochs: 2}\n",
}
FAULTS: tuple[tuple[Callable[[], BaseException], int, str], ...] = (
    (lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1, "the disk is full"),
    (lambda: SafetensorError("Error: I/O error: No space left on device (os error 28)"), 1, "the disk is full"),
    (lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:121] not enough memory: 99 bytes"), 1, "not enough memory"),
    (lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES), "somewhere"), 1, "permission denied"),
    (lambda: OSError(errno.EIO, os.strerror(errno.EIO)), 1, "the disk failed to read or to write"),
    (MemoryError, 1, "not enough memory"),
    (KeyboardInterrupt, 130, "same command again to continue"),
)
# Where a training, a compression and a seal can fail, in the order in which `make` comes there.
PLACES = (
    "penjing.make.run.check_recipe",
    "penjing.tune.fitting.prepare_job",
    "penjing.tune.job.hidden_rows",
    "penjing.train.activations._reserve",
    "penjing.train.loop.save",
    "penjing.train.loop.load",
    "penjing.train.checkpoint.save_file",
    "penjing.train.checkpoint.sync",
    "penjing.train.loop._Training.one_step",
    "penjing.train.loop._Training.score",
    "penjing.tune.fitting.write_tuned",
    "penjing.tune.writing.validation_metrics",
    "penjing.tune.writing.save_classifier",
    "penjing.model.encoder.save_file",
    "penjing.core.artifact.open_artifact",
    "penjing.make.cache.write_whole",
    "penjing.compress.export.write_engine",
    "penjing.engines.export.export_onnx",
    "penjing.compress.parts.sealing.score",
    "penjing.compress.parts.sealing.validation_metrics",
    "penjing.compress.parts.sealing.write_artifact",
    "penjing.make.making.score",
    "penjing.make.making.measure",
    "penjing.make.choose.open_session",
    "penjing.make.making.certify_and_seal",
    "penjing.make.candidate.prove",
    "penjing.make.making.test_release",
    "penjing.make.making.put_with_gates",
    "penjing.prove.seal.write_gates",
    "penjing.prove.seal.put_in_place",
    "penjing.make.making.keep_trainable",
    "penjing.make.making.fill",
    "penjing.report.page.render",
    "penjing.report.page.write_whole",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows whose labels a tiny encoder learns."""
    folder = tmp_path_factory.mktemp("faults")
    drawn, lines = random.Random(0), ["text,label"]
    for number in range(160):
        label = ("delivery", "price")[number % 2]
        words = [f"{label}{drawn.randrange(10)}" for _ in range(3)] + [f"common{drawn.randrange(10)}" for _ in range(4)]
        drawn.shuffle(words)
        lines.append(f"{' '.join(words)} {number},{label}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def recipe(place: Path, tiny_base: Path, name: str, steps: str) -> Path:
    path = place / f"{name}.yaml"
    path.write_text(
        f"name: rooms\ndata: {{files: rows.csv}}\nbase: {tiny_base}\nsteps:\n{TUNES.get(name, TUNE)}"
        f"{steps.replace('BASE', str(tiny_base))}"
        "gates: {keep: 0.1, unproven: allow}\ndecide: {max_error: 0.4}\nthreads: 1\nchoose: validation\n",
        encoding="utf-8",
    )
    return path


def ids(out: Path) -> dict[str, str]:
    """Every result by its name, each one whole; nothing else is left."""
    found = {
        str(manifest.parent.relative_to(out)): verify(manifest.parent)
        for manifest in out.rglob("MANIFEST")
        if "releases" not in manifest.parts
    }
    left = [path.name for path in (out / "cache").iterdir() if path.name.endswith(".scratch") or path.name[0] == "."]
    assert not left and {path.name for path in out.glob(".*")} <= {".lock"}
    return found


@pytest.fixture(autouse=True)
def encoder_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small a model never beats a linear one: it is sealed all the same, to come through all of `make`."""
    monkeypatch.setattr("penjing.make.making.choose", lambda variants, *_, **__: ChosenVariant(variants[-1], False))


@pytest.fixture(scope="module")
def tuned(place: Path, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """What the linear and the tuned model left in the cache, made once; called with OUT it is put there."""
    made = tmp_path_factory.mktemp("tuned") / "out"
    path = recipe(place, tiny_base, "tuned", "  - compress.export: {engine: onnx}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "_window", lambda *_, **__: 4)
        make_release(path, made)
    kept = [one for one in (made / "cache").iterdir() if one.name.startswith("tune-")]
    assert {one.name.split("-")[1] for one in kept} == {"linear", "full"}

    def put(out: Path) -> None:
        shutil.rmtree(out, ignore_errors=True)
        for one in kept:
            (shutil.copytree if one.is_dir() else shutil.copyfile)(one, _beside(out / "cache" / one.name))

    return put


def told(ran: Any, code: int, words: str) -> None:
    assert "Traceback" not in ran.err + ran.out
    assert (ran.code, words in ran.err) == (code, True), ran.err
    assert "fix:" in ran.err


def test_a_fault_at_every_place_of_a_torch_run(
    penjing: Callable[..., Any], place: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recipe(place, tiny_base, "places", "  - compress.layers: {keep: 1}\n  - compress.int8: {}\n")
    assert penjing("make", path, "--out", place / "undisturbed").code == 0
    expected = ids(place / "undisturbed")
    for number, name in enumerate(PLACES):
        # An interrupt at every third place: each run to a place takes seconds.
        for fault, code, words in (FAULTS[number % 6], *([FAULTS[6]] if number % 3 == 0 else [])):
            for done in (place / "out" / "cache").glob("compress-*"):  # a fault behind a sealed step keeps that step
                remove(done)
            met: list[int] = []

            def fail(*_: Any, raised: Callable[[], BaseException] = fault, met: list[int] = met, **__: Any) -> None:
                met.append(1)
                raise raised()

            with monkeypatch.context() as patch:
                patch.setattr(name, fail)
                ran = penjing("make", path, "--out", place / "out")
            assert met, f"{name} is never reached"
            told(ran, code, words)
    assert penjing("make", path, "--out", place / "out").code == 0
    assert ids(place / "out") == expected


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_fault_in_the_files_of_every_compression(
    penjing: Callable[..., Any],
    place: Path,
    tiny_base: Path,
    tmp_path: Path,
    tuned: Callable[[Path], None],
    name: str,
) -> None:
    path, out = recipe(place, tiny_base, name, STEPS.get(name, f"  - compress.{name}: {{}}\n")), tmp_path / "out"
    tuned(out)
    with failing(out, 0, MemoryError) as counted:
        assert penjing("make", path, "--out", out).code == 0
    expected = ids(out)
    for number, at in enumerate(spread(counted.count, 2)):
        fault, code, words = FAULTS[(number + len(name)) % len(FAULTS)]
        tuned(out)  # all is to do but the tuning
        with failing(out, at, fault) as made:
            ran = penjing("make", path, "--out", out)
        if made.count >= at and (code == 130 or ran.code != 0):
            told(ran, code, words)
        whole(out)
        assert penjing("make", path, "--out", out).code == 0
        assert ids(out) == expected, f"after {words} at operation {at} of {counted.count}"


def _beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk to fill it")
@pytest.mark.parametrize("options", ["size=40k", "size=200k", "size=350k", "size=450k", "size=550k", "nr_inodes=40"])
def test_a_torch_run_on_a_full_disk(
    penjing: Callable[..., Any], place: Path, tiny_base: Path, tmp_path: Path, options: str
) -> None:
    path = recipe(place, tiny_base, "disk", "  - compress.int8: {}\n")
    if not (place / "whole").exists():
        assert penjing("make", path, "--out", place / "whole").code == 0
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", disk], capture_output=True, check=False)
    if mount.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mount.stderr.decode(errors='replace').strip()}")
    try:
        ran = penjing("make", path, "--out", disk / "out")
        assert ran.code in (1, 2) and "Traceback" not in ran.err and "fix:" in ran.err, ran.err
        words = "no more files (inodes)" if "inodes" in options else "the disk is full"
        assert (words if ran.code == 1 else "MB are free") in ran.err and str(disk) in ran.err, ran.err
        subprocess.run(["mount", "-o", "remount,size=30m,nr_inodes=9999", disk], check=True)
        assert penjing("make", path, "--out", disk / "out").code == 0
        assert ids(disk / "out") == ids(place / "whole")
    finally:
        os.chdir("/")
        subprocess.run(["umount", disk], check=True)


@pytest.fixture(scope="module")
def undisturbed(place: Path, tiny_base: Path) -> tuple[list[str], dict[str, str], float]:
    """A command that lacks its OUT, what it ends in, and the seconds that it takes."""
    path = recipe(place, tiny_base, "ended", "  - compress.layers: {keep: 1}\n  - compress.int8: {}\n")
    command = [sys.executable, "-m", "penjing", "make", str(path), "--out"]
    # The hash seed and the locale are of no account.
    first = {**os.environ, "PYTHONHASHSEED": "1", "LC_ALL": "C"}
    began = time.monotonic()
    subprocess.run([*command, str(place / "undisturbed-ended")], check=True, capture_output=True, env=first)
    return command, ids(place / "undisturbed-ended"), time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_torch_run_that_is_ended_at_random_moments(
    undisturbed: tuple[list[str], dict[str, str], float], tmp_path: Path, number: int
) -> None:
    command, expected, seconds = undisturbed
    drawn, code = random.Random(int(number)), {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGHUP: 130}[number]
    for _ in range(5 if number == signal.SIGKILL else 2):
        process = subprocess.Popen([*command, str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            # Not before the command catches signals, which takes some seconds on a busy machine.
            process.wait(drawn.uniform(0.3, 0.9) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        said = process.communicate()[0].decode()
        # A signal may also arrive after the last line, while Python ends and no longer catches it.
        finished = (0, -number) if "next: penjing serve" in said else ()
        assert process.returncode in (code, *finished) and "Traceback" not in said, said
        if process.returncode > 0:
            assert "run the same command again to continue" in said or "run the same command to start again" in said
    last = {**os.environ, "PYTHONHASHSEED": "2", "LC_ALL": "zh_CN.GBK"}
    subprocess.run([*command, str(tmp_path / "out")], check=True, capture_output=True, env=last)
    assert ids(tmp_path / "out") == expected
