"""What a model expects, in plain words: types, bounds, choices, and where in the user's input a fault is."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from penjing.core.expected import Share, find_place, forms, in_words
from penjing.core.recipe import Recipe


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (bool, "true or false"),
        (int | None, "a whole number"),
        (Annotated[float, Field(gt=0, le=100)], "a number above 0 and at most 100"),
        (Annotated[float, Field(ge=1e-4, le=1e6)], "a number from 0.0001 to 1,000,000"),
        (Annotated[float, Field(ge=0, le=1), Share()], "a share between 0 and 1"),
        (Annotated[str, Field(min_length=1, max_length=80)], "text of 1 to 80 characters"),
        (Literal["a", "b", "c"] | int, "`a`, `b` or `c`, or a whole number"),
        (list[Annotated[int, Field(ge=1)]], "a list (each entry: a whole number at least 1)"),
        (dict[Literal["train", "test"], str], "a mapping (`train` or `test`, each with text)"),
    ],
)
def test_words(kind: object, words: str) -> None:
    assert in_words(forms(kind)) == words


class Inner(BaseModel):
    """A part with two forms of one key."""

    limit: float | dict[str, Annotated[float, Field(gt=0)]]


class Outer(BaseModel):
    """A list of parts."""

    parts: list[Inner]


def test_names_of_forms_are_no_part_of_the_place() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"parts": [{"limit": {"a": -1}}]})
    places = [find_place(Outer, fault["loc"]) for fault in caught.value.errors()]
    assert {place.path for place in places} == {("parts", 0, "limit"), ("parts", 0, "limit", "a")}
    assert in_words(places[-1].expected) == "a number above 0"


def test_a_wrong_key_is_a_fault_of_the_key() -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate({"name": "t", "data": {"files": {"trian": "a"}}, "steps": [{"tune.linear": None}]})
    places = [find_place(Recipe, fault["loc"]) for fault in caught.value.errors()]
    assert [place.path for place in places if place.key] == [("data", "files", "trian")]
