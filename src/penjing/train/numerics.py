"""Reproducible bits: threads, deterministic kernels and the random state of a run, restored after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from penjing.core.machine import cores


@contextmanager
def repeatable(seed: int, threads: int, device: str = "cpu") -> Iterator[None]:
    """Inside the block: `threads` threads (0: all cores), deterministic kernels, the seed set. Restores all after it.

    Another number of threads sums in another order and gives other weights, so results depend on it. On a GPU, a kernel
    without a deterministic form gives a warning and runs.
    """
    before = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    on_gpu = device != "cpu"
    if on_gpu:
        # cuBLAS is deterministic only with a workspace of fixed size, which it reads when its handle is created.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads or cores())
    torch.use_deterministic_algorithms(True, warn_only=on_gpu)
    # This setting writes every new tensor twice, to make reads of uninitialized memory deterministic. None occur here.
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
    """Restore the generators to a state from `random_state`."""
    torch.set_rng_state(state["cpu"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])
