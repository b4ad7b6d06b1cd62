"""Reads a grow recipe: corpora, a base or a network from scratch, and the objectives; errors name the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from penjing.core.options import WrongValueError
from penjing.core.paths import AnyPath, local_path, path_beside
from penjing.core.yaml_file import place_of, read_yaml


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkChoice(_Part):
    """A network from scratch, out of the table of sizes."""

    type: Literal["bert", "modernbert", "llama", "t5"] = Field("bert", description="bert, modernbert, llama or t5")
    size: Literal["tiny", "mini", "small", "base"] = Field("mini", description="tiny, mini, small or base")
    length: int = Field(512, ge=16, le=8192, description="most tokens of an input, special tokens included")


class GrowRecipe(_Part):
    """The settings of `penjing grow`."""

    name: str = Field(min_length=1, max_length=80, description="name of the base that results")
    language: Literal["zh", "en", "mixed"] = Field("mixed", description="language of the texts")
    corpus: Annotated[list[str], Field(min_length=1)] = Field(
        description="one folder that `penjing corpus build` wrote, or several; relative to the recipe"
    )
    base: str | None = Field(None, description="what is trained on: a shipped base, or a folder in Hugging Face form")
    network: NetworkChoice | None = Field(None, description="a network from scratch instead of a base")
    tokenizer: str | dict[str, Any] | None = Field(
        None,
        description="of a network from scratch: a folder with tokenizer.json, or how one is trained on the corpus: "
        "`{kind: unigram, entries: 8000}`",
    )
    teachers: dict[str, str] = Field({}, description="bases that a step learns from, by the name that it gives them")
    pairs: str | None = Field(
        None, description="a file of texts that mean the same (columns 1 and 2) and one that does not (3), csv or tsv"
    )
    steps: list[dict[str, dict[str, Any] | None]] = Field(min_length=1, description="objectives, in their order")
    threads: int = Field(0, ge=0, le=256, description="threads of the training; 0: all cores")
    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?)$", description="cpu, or cuda for a GPU")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of all random choices")

    @field_validator("corpus", mode="before")
    @classmethod
    def _one_or_more(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given

    @field_validator("tokenizer")
    @classmethod
    def _not_of_a_base(cls, given: Any, info: ValidationInfo) -> Any:
        if given is not None and info.data.get("base") is not None:
            raise WrongValueError("is given beside a base, which has a tokenizer of its own", "take it out")
        return given

    @field_validator("steps")
    @classmethod
    def _one_key(cls, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for step in steps:
            if len(step) != 1:
                raise WrongValueError(
                    "has an entry that is not one step", "write each step as one `- pretrain.objective: {options}`"
                )
        return steps

    @model_validator(mode="after")
    def _one_beginning(self) -> GrowRecipe:
        fix = "give `base: penjing/mini`, or `network: {type: bert, size: tiny}` with a `tokenizer:`"
        if self.base is not None and self.network is not None:
            raise WrongValueError("has both `base` and `network`", fix)
        if self.base is None and self.network is None:
            raise WrongValueError("has neither `base` nor `network`", fix)
        if self.network is not None and self.tokenizer is None:
            raise WrongValueError(
                "has a network from scratch and no tokenizer", "add `tokenizer: {kind: unigram, entries: 8000}`"
            )
        return self

    def step_list(self) -> list[tuple[str, dict[str, Any]]]:
        """(name, options) of every step."""
        return [(name, dict(options or {})) for step in self.steps for name, options in step.items()]


class GrowFile(BaseModel):
    """A grow recipe with its path and its YAML tree, which relative paths and line numbers need."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    path: Path
    recipe: GrowRecipe
    tree: Any = None

    def resolve(self, name: str) -> Path:
        """A path in the recipe, relative to the folder of the recipe."""
        return path_beside(self.path, name)

    def where(self, *keys: str | int) -> str:
        """`FILE:LINE:COLUMN` of a key, for an error message."""
        return place_of(self.path, self.tree, keys)


def load_grow_recipe(path: AnyPath) -> GrowFile:
    """Read and validate a grow recipe. Raises UsageError (no file) or RecipeError with FILE:LINE:COLUMN."""
    path = local_path(path)
    tree, recipe = read_yaml(path, GrowRecipe, absent="write one: docs/pretraining.md has a sample")
    return GrowFile(path=path, recipe=recipe, tree=tree)
