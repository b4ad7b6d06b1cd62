"""Options as data: a bound and a sentence stand once, and the message, the docs and the tests derive from them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from penjing.core.errors import RecipeError


class Options(BaseModel):
    """What a method may be told. Every field has a default, a bound where it has one, and a description."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def nearest(word: str, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """'did you mean `x`?' for the nearest known word, else a list of the known ones."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else "known are: " + ", ".join(f"`{name}`" for name in known)


def explain(error: ValidationError, model: type[BaseModel]) -> list[tuple[tuple[str | int, ...], str, str]]:
    """Each fault of a validation as (path, what, fix), with the nearest known name for an unknown one."""
    faults = []
    for fault in error.errors():
        path = tuple(fault["loc"])
        name = str(path[-1]) if path else ""
        if fault["type"] == "extra_forbidden":
            faults.append((path, f"unknown key `{name}`", nearest(name, fields_at(model, path[:-1]))))
        elif fault["type"] == "missing":
            faults.append((path, f"the key `{name}` is missing", f"add `{name}:` there"))
        else:
            given = repr(fault.get("input"))[:80]
            faults.append((path, f"`{name}` is {given}: {fault['msg'].lower()}", "give a value within that bound"))
    return faults


def fields_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Names of the keys that a model takes at a path of keys."""
    here: Any = model
    for key in path:
        field = getattr(here, "model_fields", {}).get(key)
        if field is None:
            return []
        here = field.annotation
    return list(getattr(here, "model_fields", {}))


def build_options(model: type[Options], given: Mapping[str, Any] | None, where: str) -> Options:
    """The options of a method from what the recipe says. Raises RecipeError for the first fault."""
    try:
        return model(**(given or {}))
    except ValidationError as error:
        _, what, fix = explain(error, model)[0]
        raise RecipeError(what, where=where, fix=fix) from None
