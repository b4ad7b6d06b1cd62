"""Whether the base supports both ends of every range: more layers or tokens than it has are refused before any work."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pydantic import ValidationError

from penjing.core.errors import PenjingError, RecipeError
from penjing.core.methods import Step
from penjing.core.nouns import Artifact, Scalar
from penjing.core.recipe import RecipeFile
from penjing.make.check_base import faults_of_forms
from penjing.make.order import order_faults
from penjing.make.plan import with_values
from penjing.make.search.ranges import Range


def end_faults(file: RecipeFile, steps: Sequence[Step], ranges: Sequence[Range], base: Artifact) -> list[PenjingError]:
    """The faults of the first step with each end of each range, the other options as in the first trial.

    None where the first trial has faults itself, which are told elsewhere.
    """
    first: dict[str, Scalar] = {one.option: one.first for one in ranges}
    places: list[tuple[str | int, ...]] = []
    forms: list[Step] = []
    for one in ranges:
        for keys, value in one.ends():
            # Values that do not go together are left by the search.
            with suppress(ValidationError):
                forms.append(with_values(steps[0], ranges, {**first, one.option: value}))
                places.append((one.option, *keys))
    if not forms or order_faults(file, steps[:1], base):
        return []
    of_first, *found = faults_of_forms(base, [steps[0], *forms])
    if of_first is not None:
        return []
    faults: list[PenjingError] = []
    for place, form, fault in zip(places, forms, found, strict=True):
        error = next(iter(order_faults(file, [form], base)), fault)
        if error is not None:
            where = file.where("steps", 0, form.name, *place)
            faults.append(RecipeError(error.what, where=where, fix=error.fix))
    return faults
