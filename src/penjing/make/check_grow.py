"""Whether every step of a grow recipe suits its network, before any of them runs: a step may take days.

A base keeps its family and its positions through every step, so a fault of the last step is known at the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penjing.core.artifact import CARD
from penjing.core.errors import RecipeError, UsageError
from penjing.core.folder import check_place
from penjing.core.grow_recipe import GrowFile
from penjing.core.methods import Step
from penjing.core.nouns import Artifact, Family


@contextmanager
def placed(file: GrowFile, index: int, step: Step) -> Iterator[None]:
    """Inside the block, a UsageError becomes a RecipeError with the line of the step, or of the option it names."""
    try:
        yield
    except UsageError as error:
        keys = [error.where] if error.where in type(step.options).model_fields else []
        where = file.where("steps", index, step.name, *keys)
        raise RecipeError(error.what, where=where, fix=error.fix) from None


def check_steps(file: GrowFile, steps: Sequence[Step], base: Artifact | None) -> None:
    """Raise RecipeError, with its line, for an objective or a length that does not suit the network, for objectives
    that one step cannot have at once, and for a step without its teacher. base: None for a network from scratch.
    """
    from penjing.pretrain import adapt, distil
    from penjing.pretrain.parts.grow import check_family, check_length
    from penjing.pretrain.parts.mixture import check_terms

    terms: dict[str, Any] = {name: term for name, (_, term) in adapt.TERMS.items()} | {"distil": distil.TeacherStates}
    family, longest = _network(file, base)
    for index, step in enumerate(steps):
        name = step.name.partition(".")[2]
        chosen = list(getattr(step.options, "objectives", None) or [name])
        with placed(file, index, step):
            for one in chosen:
                check_family(one, terms[one].families, family)
            if longest is not None:
                check_length(longest, step.options.length)  # type: ignore[attr-defined]
            check_terms({one: terms[one] for one in chosen})
            if name == "distil":
                distil.check_teacher(file.recipe.teachers)


def _network(file: GrowFile, base: Artifact | None) -> tuple[Family, int | None]:
    """The family of the network, and the most tokens that it reads where its positions are counted."""
    if base is None:
        from penjing.model.sizes import FAMILY

        choice = file.recipe.network
        assert choice is not None
        return FAMILY[choice.type], None if choice.type == "t5" else choice.length
    from penjing.model.encoder import longest_of
    from penjing.model.pretrained import family_of, read_network_config

    config = read_network_config(base)
    return family_of(config), longest_of(config) if hasattr(config, "max_position_embeddings") else None


def check_base_place(folder: Path, base: Artifact | None) -> None:
    """Raise UsageError where OUT/base is what is trained on, or something else than a base that was sealed."""
    if base is not None and base.folder.resolve() == folder.resolve():
        what = "this is the base that is trained on, and the new one would take its place"
        raise UsageError(what, where=str(folder), fix="give another --out")
    check_place(folder, "penjing grow", CARD)
