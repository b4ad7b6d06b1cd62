"""The house: imports point down, wings meet only in folders, no torch in the Counter, no file over 400 lines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "penjing"
FLOOR = {
    "core": 0, "data": 0, "tasks": 1, "model": 1, "runtime": 2, "train": 3, "decide": 3, "explain": 3, "watch": 3,
    "store": 3, "pretrain": 4, "tune": 4, "compress": 4, "serve": 4, "console": 4, "make": 5, "cluster": 6, "cli": 7,
}  # fmt: skip
WORKSHOP = {"train", "pretrain", "tune", "compress"}
COUNTER = {"decide", "explain", "watch", "store", "serve", "console"}
# Within a floor these may see the other: `data` stands on `core`, `explain` asks the policy what a change would do.
SIBLINGS = {("data", "core"), ("explain", "decide"), ("console", "serve")}
TORCH = {"torch", "transformers", "accelerate", "nncf", "sklearn", "polars", "matplotlib"}
TORCH_FILES = {"engines/torch.py", "engines/export.py", "measure/rivals.py"}
FILES = sorted(SOURCE.rglob("*.py"))


def imports(path: Path, *, lazy: bool) -> set[str]:
    """Dotted names that a file imports; without `lazy`, only those at its top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree) if lazy else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    if room not in FLOOR:
        assert room in {"__init__.py", "__main__.py", "bases"}, f"{room} has no floor"
        return
    for name in imports(path, lazy=True):
        parts = name.split(".")
        if parts[0] != "penjing" or len(parts) < 2 or parts[1] == room or parts[1] not in FLOOR:
            continue
        other = parts[1]
        below = FLOOR[other] < FLOOR[room] or (room, other) in SIBLINGS
        assert below, f"{path.name}: {room} (floor {FLOOR[room]}) imports {name} (floor {FLOOR[other]})"
        apart = {room, other} & WORKSHOP and {room, other} & COUNTER
        assert not apart, f"{path.name}: {room} and {other} are in different wings"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_torch_stays_in_the_workshop(path: Path) -> None:
    room, name = room_of(path), path.relative_to(SOURCE).as_posix()
    used = {dotted.split(".")[0] for dotted in imports(path, lazy=room in COUNTER | {"runtime", "core", "tasks"})}
    if room in {"model", *WORKSHOP} or name in TORCH_FILES:
        return
    assert not used & TORCH, f"{name} imports {used & TORCH}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
