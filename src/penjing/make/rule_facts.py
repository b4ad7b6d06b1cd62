"""The facts that a rules file may name, for a rules file alone: from a recipe and its rows, or from a release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from penjing.core.artifact import open_release
from penjing.core.errors import UsageError
from penjing.core.nouns import Progress
from penjing.core.recipe import load_recipe
from penjing.core.zone import find_zone
from penjing.data.labels import read_as
from penjing.data.prepare import examine
from penjing.decide.policy import load_policy
from penjing.decide.schema import FactSchema
from penjing.make.candidate import has_scope
from penjing.make.plan import step_faults
from penjing.tasks import described, reader_of


def facts_of(source: Path, progress: Progress) -> FactSchema:
    """The facts of a recipe (a file) or of a release (a folder). Raises what reading one of them raises."""
    if source.is_dir():
        release = open_release(source)
        return replace(load_policy(release).schema, read_as=release.info.labels_read_as)
    file = load_recipe(source, step_faults)
    audit, data = examine(file, reader_of(file), progress)
    named: dict[str, Any] = described(data.task) if data is not None else {"labels": tuple(sorted(audit.labels))}
    if not named.get("labels") and "task" not in named:
        fix = "`penjing check` says what is wrong with its rows"
        raise UsageError("the rows of the recipe have no labels that rules could name", where=str(source), fix=fix)
    fields = {name: kind if isinstance(kind, str) else tuple(kind) for name, kind in file.recipe.data.fields.items()}
    scope = data is not None and has_scope(file.recipe, data.task)
    reads, zone = read_as(file.recipe.data), find_zone(file.recipe.decide.time_zone)
    return FactSchema(named.get("labels", ()), fields, reads, other=named.get("task", {}), scope=scope, zone=zone)


def names_of(source: Path) -> dict[str, str]:
    """The columns of the text and the label in the rows of a recipe; nothing for a release (a folder)."""
    if source.is_dir():
        return {}
    data = load_recipe(source, step_faults).recipe.data
    return {"text": data.text, "label": data.label}
