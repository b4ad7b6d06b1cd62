"""The part `continues:` of a recipe: the earlier release that a new one goes on from, so that it forgets little."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Continues(BaseModel):
    """An earlier release, and the recipe of its rows where they are still at hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release: str = Field(description="the folder of the earlier release, with its `trainable/` beside it")
    recipe: str | None = Field(
        None,
        description="its recipe: some of its train rows are learned again, and its test rows show what was forgotten",
    )
    replay: float = Field(
        0.5, ge=0, le=100, description="earlier train rows that are learned again, as a multiple of the new train rows"
    )

    @model_validator(mode="before")
    @classmethod
    def _folder_alone(cls, given: Any) -> Any:
        return {"release": given} if isinstance(given, str) else given


def with_its_base(recipe: Any) -> Any:
    """The keys of a recipe with the earlier release as its base, where it names another one and no base."""
    named = recipe.get("continues") if isinstance(recipe, dict) else None
    if named is None or "base" in recipe:
        return recipe
    release = named.get("release") if isinstance(named, dict) else named
    return {**recipe, "base": release} if isinstance(release, str) else recipe
