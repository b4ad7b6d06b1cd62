"""Reads a YAML 1.2 file into settings of a model; every fault is told with its line and column."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from penjing.core.errors import PenjingError, RecipeError, UsageError
from penjing.core.options import all_faults, explain

Described = TypeVar("Described", bound=BaseModel)
_YAML_FIX = "indent with spaces, and put a value with `: ` or ` #` in it in quotes"


def read_yaml(
    path: Path,
    model: type[Described],
    more: Callable[[Any, Described], Sequence[PenjingError]] = lambda *_: (),
    absent: str = "check the path",
) -> tuple[Any, Described]:
    """The YAML tree of a file and the settings in it. Raises UsageError or RecipeError as `load_recipe`.

    absent: what to do where there is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        inside = path / "recipe.yaml"
        fix = f"did you mean `{inside}`?" if inside.is_file() else absent
        raise UsageError("no such recipe", where=str(path), fix=fix) from None
    except UnicodeDecodeError:
        raise RecipeError("the recipe is not UTF-8", where=str(path), fix="save it as UTF-8") from None
    yaml = YAML(typ="rt", pure=True)
    try:
        tree = yaml.load(StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise RecipeError(f"not valid YAML: {error.problem}", where=where, fix=_YAML_FIX) from None
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"not valid YAML: {error}", where=str(path), fix=_YAML_FIX) from None
    if not isinstance(tree, dict):
        raise RecipeError("a recipe is a mapping of keys", where=str(path), fix="begin with `name: my-service`")
    plain = _plain(tree)
    try:
        return tree, model.model_validate(plain)
    except ValidationError as error:
        faults = [(place_of(path, tree, keys), what, fix) for keys, what, fix in explain(error, model)]
        try:
            rest = model.model_validate(_without(plain, [fault["loc"] for fault in error.errors()]))
        except ValidationError:
            raise all_faults(faults) from None
        faults += [(other.where or str(path), other.what, other.fix or "") for other in more(tree, rest)]
        raise all_faults(faults) from None


def _without(plain: dict[str, Any], places: Sequence[tuple[str | int, ...]]) -> dict[str, Any]:
    """The mapping without the keys at these places; an entry of a list takes the whole list with it."""
    rest = copy.deepcopy(plain)
    for place in places:
        here: Any = rest
        for key, below in zip_longest(place, place[1:]):
            inner = here.get(key) if isinstance(here, dict) else None
            if isinstance(inner, dict) and below in inner:
                here = inner
            elif isinstance(here, dict):
                here.pop(key, None)
                break
    return rest


def as_text(value: Any) -> Any:
    """A word that YAML read as a number or a truth value, as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def place_of(path: Path, tree: Any, keys: tuple[str | int, ...]) -> str:
    """`FILE:LINE:COLUMN` of a key in a YAML tree."""
    line, column, here = 0, 0, tree
    for key in keys:
        try:
            if isinstance(here, Mapping):
                line, column = here.lc.key(key)  # type: ignore[attr-defined]
            else:
                line, column = here.lc.item(key)
            here = here[key]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return f"{path}:{line + 1}:{column + 1}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(as_text(_plain(key))): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)
