"""What is told of a machine is what its kernel tells; a kernel that tells nothing is no error."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from penjing.core import machine
from penjing.core.machine import wait_asleep

INFO = (
    "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu sse2 avx2 avx512f avx512_vnni\n\nflags\t\t: other\n"
)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Files of /proc by name; one that is not there cannot be read."""
    files: dict[str, str] = {}
    real = Path.read_text

    def read(path: Path, *given: object, **named: object) -> str:
        if path.parts[:2] == ("/", "proc"):
            if path.name not in files:
                raise OSError(path.name)
            return files[path.name]
        return real(path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", read)
    machine.cpu_flags.cache_clear()
    yield files
    machine.cpu_flags.cache_clear()


def test_it_names_what_numbers_depend_on(kernel: dict[str, str]) -> None:
    kernel["cpuinfo"] = INFO
    assert machine.instruction_set() == f"{platform.machine()}+avx2+avx512f+avx512_vnni"
    assert machine.hardware() == f"Some CPU @ 2 GHz ({machine.instruction_set()})"
    assert machine.int8_instructions() == ["avx512_vnni"]


def test_an_arm_kernel_calls_them_features(kernel: dict[str, str]) -> None:
    kernel["cpuinfo"] = "processor : 0\nFeatures : fp asimd asimddp\n"
    assert machine.int8_instructions() == ["asimddp"]
    assert machine.cpu_name() == platform.machine()


def test_avx2_alone_has_no_int8(kernel: dict[str, str]) -> None:
    kernel["cpuinfo"] = "flags : avx2 fma\n"
    assert machine.int8_instructions() == []


@pytest.mark.parametrize(
    ("flags", "engine"),
    [
        ("avx2 avx512f avx512_vnni", "openvino"),
        ("avx2 avx_vnni", "openvino"),
        ("avx2 avx512f", "onnx"),
        ("avx2", "onnx"),
    ],
)
def test_the_engine_follows_the_instructions(kernel: dict[str, str], flags: str, engine: str) -> None:
    kernel["cpuinfo"] = f"processor\t: 0\nflags\t\t: {flags}\n"
    assert machine.fastest_engine() == engine


def test_a_kernel_that_tells_nothing_is_no_error(kernel: dict[str, str]) -> None:
    assert kernel == {}
    assert machine.cpu_flags() == frozenset()
    assert machine.instruction_set() == platform.machine() == machine.cpu_name()
    assert machine.available_memory() == 0


def test_memory_is_in_bytes(kernel: dict[str, str]) -> None:
    kernel["meminfo"] = "MemTotal:  100 kB\nMemAvailable:    24 kB\n"
    assert machine.available_memory() == 24 * 1024
    assert machine.cores() >= 1


def test_threads_that_wait_sleep_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
