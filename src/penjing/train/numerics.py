"""Bits that repeat: threads, deterministic kernels and the random state of a run, put back as they were after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from penjing.core.machine import cores


@contextmanager
def repeatable(seed: int, threads: int, device: str = "cpu") -> Iterator[None]:
    """Within: `threads` threads (0: all cores), deterministic kernels, the seed set. After: all as before.

    Another thread count sums in another order and gives other weights, so it is part of what a result depends on.
    On a GPU a kernel that has no deterministic form warns and runs.
    """
    before = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    on_gpu = device != "cpu"
    if on_gpu:
        # cuBLAS repeats itself only with a workspace of fixed size, read when its handle is made.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads or cores())
    torch.use_deterministic_algorithms(True, warn_only=on_gpu)
    # It would write every new tensor twice to make the reading of unset memory repeat itself; nothing here reads it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with torch.random.fork_rng(devices=None if on_gpu else []):
            torch.manual_seed(seed)
            yield
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(strict, warn_only=warn_only)
        torch.set_num_threads(before)


def random_state(device: str) -> dict[str, torch.Tensor]:
    """The state of the random generators that a training draws from."""
    state = {"cpu": torch.get_rng_state()}
    if device != "cpu":
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict[str, torch.Tensor]) -> None:
    """Go on drawing where `random_state` was taken."""
    torch.set_rng_state(state["cpu"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])
