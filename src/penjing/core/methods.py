"""Methods by name: a table maps a name to a dotted path, loaded only when used."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penjing.core.canon import digest, digest_file
from penjing.core.errors import MissingPackageError, RecipeError, UsageError
from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.core.options import Options, nearest
from penjing.core.task import CatalogueTask, HeadKind, JointTask, Loss, PairReader, Task

_IN_WORDS: Mapping[Loss, str] = {
    "cross_entropy": "one label a text",
    "binary_cross_entropy": "any number of labels a text",
    "mean_squared_error": "a number a text",
    "ordinal": "a grade a text",
}
_ABOUT: Mapping[HeadKind, str] = {"pooled": "whole texts", "token": "words", "span": "one passage"}

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Method:
    """A pre-training, tuning or compression method: `apply(inputs, options, run) -> Artifact`.

    heads: the kinds of heads that it supports; losses: for a method of one head, the losses that this head may have
    (one label a text has `cross_entropy`); empty: any; features: whether its model can read declared fields beside the
    text, which a method declares by `FEATURES = True`; families: the kinds of networks that a pre-training objective
    can be learned by, which it declares by `FAMILIES`; pairs: whether it serves tasks of two texts (`PAIRS = True`);
    joint: whether it serves several tasks in one (`JOINT = True`); catalogue: whether it serves a task whose answers
    are entries of a catalogue (all that do not declare `CATALOGUE = False`); unlabelled: whether it learns from texts
    without labels and cannot do without (`UNLABELLED = True`).
    """

    name: str
    path: str
    options: type[Options]
    apply: Callable[[Inputs, Options, Run], Artifact]
    heads: tuple[HeadKind, ...] = ("pooled",)
    losses: tuple[Loss, ...] = ()
    features: bool = False
    families: tuple[Family, ...] = ()
    pairs: bool = False
    joint: bool = False
    catalogue: bool = True
    unlabelled: bool = False


@dataclass(frozen=True)
class Step:
    """One entry of a recipe: `name` as the user wrote it, e.g. `tune.full`."""

    name: str
    method: Method
    options: Options


@dataclass(frozen=True)
class Done:
    """A finished step: its artifact, how long it took when it ran, and whether it came from the cache."""

    step: Step
    artifact: Artifact
    seconds: float
    cached: bool


def load_method(name: str, table: Mapping[str, str], where: str) -> Method:
    """The method of that name, its module imported now. Raises RecipeError or MissingPackageError."""
    if name not in table:
        raise RecipeError(f"unknown step `{name}`", where=where, fix=nearest(name, table))
    path = table[name]
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"the step `{name}` needs the package `{error.name}`",
            where=where,
            fix="install the packages for training: pip install 'penjing[train]'",
        ) from None
    heads, losses, families = (getattr(module, declared, ()) for declared in ("HEADS", "LOSSES", "FAMILIES"))
    features = getattr(module, "FEATURES", False)
    pairs = getattr(module, "PAIRS", False)
    joint = getattr(module, "JOINT", False)
    needs = getattr(module, "CATALOGUE", True), getattr(module, "UNLABELLED", False)
    return Method(name, path, module.Options, module.apply, heads, losses, features, families, pairs, joint, *needs)


def check_heads(step: str, heads: Sequence[HeadKind], losses: Sequence[Loss], task: Task) -> None:
    """Raise UsageError if a method with these `HEADS` and `LOSSES` does not support a task."""
    needs = ""
    if losses and [head.loss for head in task.heads.values()] not in [[loss] for loss in losses]:
        needs = " or ".join(_IN_WORDS[loss] for loss in losses)
    elif any(head.kind not in heads for head in task.heads.values()):
        needs = "answers about " + " or ".join(_ABOUT[kind] for kind in heads)
    if needs:
        raise UsageError(
            f"`{step}` does not support the task {task.name}: it needs {needs}",
            fix="leave the step out, or take another one",
        )


def check_pairs(method: Method, task: Task) -> None:
    """Raise UsageError if a task reads two texts and a method was not made for that."""
    if isinstance(task, PairReader) and not method.pairs:
        raise UsageError(
            f"`{method.name}` does not support the task {task.name}: its model does not compare two texts",
            fix="leave the step out, or take another one",
        )


def check_joint(method: Method, task: Task) -> None:
    """Raise UsageError if a task is several in one and a method was not made for that."""
    if isinstance(task, JointTask) and not method.joint:
        raise UsageError(
            f"`{method.name}` does not support the task {task.name}: it is not tested on several answers a text",
            fix="leave the step out, or take another one",
        )


def check_catalogue(method: Method, task: Task) -> None:
    """Raise UsageError if the answers of a task are entries of a catalogue and a method was not made for that."""
    if isinstance(task, CatalogueTask) and not method.catalogue:
        raise UsageError(
            f"`{method.name}` does not support the task {task.name}: it knows no texts of a catalogue",
            fix="take another step, such as `tune.full`",
        )


def check_unlabelled(step: str, method: Method, texts: int) -> None:
    """Raise UsageError if a method learns from texts without labels and there are none."""
    if method.unlabelled and not texts:
        raise UsageError(
            f"`{step}` learns from texts without labels, and there are none",
            fix="name files of such texts under `data:`, such as `unlabelled: [texts.csv]`",
        )


def source_hash(path: str) -> str:
    """SHA-256 over the sources of a module and of all that it imports from this project, directly or not."""
    seen: dict[str, str] = {}
    waiting = [path]
    while waiting:
        name = waiting.pop()
        if name in seen or (file := _file_of(name)) is None:
            continue
        seen[name] = digest_file(file)
        waiting.extend(_project_imports(file, seen[name]))
    return digest(seen)


# Cached: the path of a module and the imports of the same content do not change while a process runs. `make` needs the
# hashes of dozens of methods that share most of their files.
@functools.cache
def _project_imports(file: Path, _content: str) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(name for name in names if name.startswith("penjing.") and _file_of(name))


@functools.cache
def _file_of(name: str) -> Path | None:
    """The source of a module of this project; found by its path, because `find_spec` would import what is above it."""
    top, *parts = name.split(".")
    if top != _PACKAGE.name:
        return None
    place = _PACKAGE.joinpath(*parts)
    found = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((file for file in found if file.is_file()), None)
