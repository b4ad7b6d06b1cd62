"""The house: imports point down and never in a circle, no torch in the Counter, no file over 400 lines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "penjing"
FLOOR = {
    "core": 0, "data": 0, "tasks": 1, "model": 1, "text": 1, "engines": 2, "runtime": 3, "measure": 4, "train": 5,
    "decide": 5, "explain": 5, "watch": 5, "store": 5, "prove": 5, "cases": 5, "pretrain": 6, "tune": 6, "compress": 6,
    "serve": 6, "console": 6, "report": 7, "make": 7, "cluster": 8, "cli": 9,
}  # fmt: skip
WORKSHOP = {"train", "pretrain", "tune", "compress"}
COUNTER = {"prove", "cases", "decide", "explain", "watch", "store", "serve", "console"}
# Within a floor the first may import the second; docs/ARCHITECTURE.md says why.
SIBLINGS = {
    ("data", "core"), ("model", "text"), ("explain", "decide"), ("prove", "decide"), ("cases", "decide"),
    ("cases", "explain"), ("cases", "store"), ("console", "serve"), ("make", "report"),
}  # fmt: skip
TORCH = {"torch", "transformers", "accelerate", "nncf", "sklearn", "polars", "matplotlib"}
# No torch at the top of a file or inside a function: these rooms run where it is not installed.
WITHOUT_TORCH = COUNTER | {"core", "data", "tasks", "text", "engines", "runtime", "measure"}
LOADED_WHEN_USED = {"data/sheets.py": {"polars"}, "data/parquet.py": {"polars"}}
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
    if room in {"model", *WORKSHOP} or name in TORCH_FILES:
        return
    used = {dotted.split(".")[0] for dotted in imports(path, lazy=False)}
    if room in WITHOUT_TORCH:
        used |= {dotted.split(".")[0] for dotted in imports(path, lazy=True)} - LOADED_WHEN_USED.get(name, set())
    assert not used & TORCH, f"{name} imports {used & TORCH}"


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def find_circle(edges: dict[str, list[str]]) -> list[str]:
    """Modules that import each other in a ring, the first one again at the end; nothing where there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in edges[name]:
            if circle := visit(other, [*way, name]):
                return circle
        done.add(name)
        return []

    return next((circle for name in edges if (circle := visit(name, []))), [])


def test_a_circle_is_found() -> None:
    assert find_circle({"a": ["b"], "b": ["c"], "c": ["b"], "d": []}) == ["b", "c", "b"]
    assert find_circle({"a": ["b", "c"], "b": ["c"], "c": []}) == []


def test_no_modules_import_each_other() -> None:
    paths = {module_of(path): path for path in FILES}
    edges = {}
    for module, path in paths.items():
        names = imports(path, lazy=True)
        # `from package.module import name` names the module or something in it.
        found = {name if name in paths else name.rpartition(".")[0] for name in names}
        edges[module] = sorted(found & paths.keys() - {module})
    assert not (circle := find_circle(edges)), f"a circle of imports: {' -> '.join(circle)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


MOST_LINES, MOST_PARAMETERS = 60, 7
# Functions over these limits that are to be made smaller: the set only shrinks.
Function = ast.FunctionDef | ast.AsyncFunctionDef


def commands_of(tree: ast.Module) -> set[str]:
    """Names of the functions that `@app.command()` or `app.command()(function)` make a command: options are many."""

    def registers(node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "command"

    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, Function) and any(map(registers, node.decorator_list)):
            found.add(node.name)
        elif isinstance(node, ast.Call) and registers(node.func):
            found |= {argument.id for argument in node.args if isinstance(argument, ast.Name)}
    return found


def too_large(source: str, *, command_line: bool = False) -> dict[str, str]:
    """Functions of more lines or parameters than allowed, with what they have; `self` and `cls` are not counted."""
    tree = ast.parse(source)
    commands = commands_of(tree) if command_line else set()
    methods = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for inner in node.body}
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, Function):
            continue
        # A command's options are its head: what it does is counted.
        first = node.body[0].lineno if node.name in commands else node.lineno
        lines = (node.end_lineno or 0) - first + 1
        given = [*node.args.posonlyargs, *node.args.args]
        bound = id(node) in methods and bool(given) and given[0].arg in {"self", "cls"}
        several = (node.args.vararg, node.args.kwarg)
        parameters = len(given) + len(node.args.kwonlyargs) + sum(map(bool, several)) - bound
        if lines > MOST_LINES or (parameters > MOST_PARAMETERS and node.name not in commands):
            found[node.name] = f"{lines} lines, {parameters} parameters"
    return found


def test_what_is_too_large_is_found() -> None:
    many = ", ".join(f"p{number}" for number in range(8))
    assert set(too_large(f"def f({many}): ...")) == {"f"}
    assert set(too_large(f"async def f(*, {many}): ...")) == {"f"}
    assert not too_large(f"class C:\n    def f(self, {many[4:]}): ...")
    head, line = "def f():\n", "    x = 1\n"
    assert not too_large(head + 59 * line) and set(too_large(head + 60 * line)) == {"f"}
    command = f"def f({many}): ...\napp.command('f')(f)\n@app.command()\ndef g({many}): ..."
    assert not too_large(command, command_line=True) and set(too_large(command)) == {"f", "g"}


def test_no_function_is_too_large() -> None:
    found = {
        f"{path.relative_to(SOURCE).as_posix()}: {name}": what
        for path in FILES
        for name, what in too_large(path.read_text(encoding="utf-8"), command_line=room_of(path) == "cli").items()
    }
    assert found == {}


# Every file may have these: the options of its method, the base of its records.
REPEATED = {"Options", "_Part"}
# The first edition of rules has the nouns of the second: it reads what was sealed before, and nothing else.
FIRST_EDITION = SOURCE / "decide" / "first"


def classes_of(source: str) -> list[str]:
    """Names of the classes in a file, those inside others and inside functions too."""
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]


def test_a_class_name_is_used_once() -> None:
    files: dict[str, list[str]] = {}
    for path in FILES:
        if path.parent == FIRST_EDITION:
            continue
        for name in classes_of(path.read_text(encoding="utf-8")):
            files.setdefault(name, []).append(path.relative_to(SOURCE).as_posix())
    twice = {name: places for name, places in files.items() if len(places) > 1 and name not in REPEATED}
    assert not twice, f"rename all but one: {twice}"
