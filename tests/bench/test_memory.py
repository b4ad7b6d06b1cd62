"""Memory is that of a process of its own, and a subject that can't be opened says why."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from penjing.core.nouns import Release

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("memory")


def test_a_model_without_torch_takes_a_process_of_some_tens_of_megabytes(
    memory: ModuleType, tiny_release: Release
) -> None:
    # An interpreter with numpy takes twenty or more, torch alone over two hundred.
    assert 20 < memory.peak_mb("penjing", tiny_release.folder / "model", 1, ["good", "很好"]) < 200


def test_what_cannot_be_opened_says_why(memory: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)pipeline of .*this folder is not an artifact"):
        memory.peak_mb("pipeline", tmp_path, 1, ["good"])
