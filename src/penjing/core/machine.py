"""What numeric results may depend on: the instruction set of the processor and the number of cores."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import Literal

EngineName = Literal["openvino", "onnx"]

_VECTOR_FLAGS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "i8mm",
)


@cache
def cpu_flags() -> frozenset[str]:
    """Flags of the first processor that the kernel lists; empty if it lists none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in {"flags", "Features"}:
            return frozenset(value.split())
    return frozenset()


def instruction_set() -> str:
    """The architecture and the vector instructions by which numeric libraries choose their code: `x86_64+avx2`."""
    return "+".join([platform.machine(), *(flag for flag in _VECTOR_FLAGS if flag in cpu_flags())])


def cpu_name() -> str:
    """The processor's name as the kernel gives it, or the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def hardware() -> str:
    """What a speed was measured on: `NAME (x86_64+avx2)`."""
    return f"{cpu_name()} ({instruction_set()})"


def int8_instructions() -> list[str]:
    """The instructions of this processor that multiply eight-bit numbers and add them up; without any, INT8 is slow."""
    return [name for name in ("avx512_vnni", "avx_vnni", "amx_int8", "i8mm", "asimddp") if name in cpu_flags()]


def fastest_engine() -> EngineName:
    """The engine that was the faster one on this kind of processor: `openvino` or `onnx`.

    With an INT8 dot product OpenVINO was faster in batches and for texts of one length. (For one text at a time, of
    changing lengths, ONNX Runtime was faster on a Zen 4: LOG.md.) Without one, ONNX Runtime was faster, by a factor of
    1.1 to 2.5 (`bench/speed.py`). This is a fixed rule, not a measurement, so that a recipe made twice gives the same
    release.
    """
    return "openvino" if {"avx512_vnni", "avx_vnni", "amx_int8"} & set(int8_instructions()) else "onnx"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def wait_asleep() -> None:
    """Let training threads sleep while they wait for each other; it must be called before torch is loaded.

    By default they spin. Next to one other process that computes, two threads on two cores took 3.25 s for a training
    step that one thread did in 0.57 s. Asleep they took 0.55 s; on idle cores 0.35 s instead of 0.36 s (torch 2.11).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def available_memory() -> int:
    """Bytes of memory that can be used without swapping; 0 if the kernel does not say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
