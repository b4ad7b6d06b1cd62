"""What a pydantic model expects at a place, in words, from its types and bounds; for messages about wrong values."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Share:
    """Marks a number as a share, so that a percentage given for it is recognised."""


@dataclass(frozen=True)
class Expected:
    """One form that a value may have: a type with its bounds."""

    kind: Any
    marks: tuple[Any, ...] = ()

    @property
    def choices(self) -> tuple[Any, ...]:
        """The listed values of a choice; else none."""
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    @property
    def is_model(self) -> bool:
        """Whether it is a mapping with keys of its own."""
        return isinstance(self.kind, type) and issubclass(self.kind, BaseModel)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return get_origin(self.kind) in (list, tuple) or self.kind in (list, tuple)

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping from any names to values of one kind."""
        return get_origin(self.kind) is dict or self.kind is dict

    @property
    def is_share(self) -> bool:
        """Whether it is a share between 0 and 1."""
        return any(isinstance(mark, Share) for mark in self.marks)

    def bound(self, kind: type) -> Any:
        """The bound of this sort, or None."""
        name = {Ge: "ge", Gt: "gt", Le: "le", Lt: "lt", MinLen: "min_length", MaxLen: "max_length"}[kind]
        return next((getattr(mark, name) for mark in self.marks if isinstance(mark, kind)), None)

    def inner(self, which: int = -1) -> list[Expected]:
        """What the entries of a list or the values (0: the keys) of a mapping may be."""
        arguments = [each for each in get_args(self.kind) if each is not Ellipsis]
        return forms(arguments[which]) if arguments else []

    def words(self) -> str:
        """This form in words."""
        if self.choices:
            return _listed([f"`{choice}`" for choice in self.choices])
        if self.is_model:
            keys = list(self.kind.model_fields)
            return "a mapping with the keys " + _listed([f"`{key}`" for key in keys], "and")
        if self.is_list:
            inner = in_words(self.inner())
            return f"a list (each entry: {inner})" if inner else "a list"
        if self.is_mapping:
            inner, names = in_words(self.inner()), self.inner(0)
            named = _listed([f"`{each}`" for each in names[0].choices]) if names and names[0].choices else "a name"
            return f"a mapping ({named}, each with {inner})" if inner else "a mapping"
        if self.kind is bool:
            return "true or false"
        if self.kind in (int, float):
            noun = "a whole number" if self.kind is int else "a share" if self.is_share else "a number"
            return noun + self._bounds()
        return "text" + self._lengths() if self.kind is str else "a value"

    def _bounds(self) -> str:
        low, above, high, below = self.bound(Ge), self.bound(Gt), self.bound(Le), self.bound(Lt)
        if self.is_share and low is not None and high is not None:
            return " between 0 and 1"
        if low is not None and high is not None:
            return f" from {number(low)} to {number(high)}"
        limits = [
            f"{word} {number(bound)}"
            for word, bound in (("above", above), ("at least", low), ("below", below), ("at most", high))
            if bound is not None
        ]
        return " " + " and ".join(limits) if limits else ""

    def _lengths(self) -> str:
        least, most = self.bound(MinLen), self.bound(MaxLen)
        if most is not None:
            return f" of {least or 0} to {most:,} characters"
        return f" of at least {least} character{'s' * (least != 1)}" if least else ""


def forms(kind: Any, marks: Sequence[Any] = ()) -> list[Expected]:
    """The forms that a value of this annotation may have; null is left out."""
    if isinstance(kind, FieldInfo):
        return forms(kind.annotation, [*marks, *kind.metadata])
    if get_origin(kind) is Annotated:
        first, *rest = get_args(kind)
        inside = [one for mark in rest for one in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
        return forms(first, [*marks, *inside])
    if get_origin(kind) in (Union, types.UnionType):
        return [form for each in get_args(kind) if each is not type(None) for form in forms(each, marks)]
    return [Expected(kind, tuple(marks))]


def in_words(expected: Sequence[Expected]) -> str:
    """All forms in words, each once."""
    return ", or ".join(dict.fromkeys(form.words() for form in expected))


def number(bound: float) -> str:
    """A bound as a person writes it."""
    return f"{int(bound):,}" if bound == int(bound) else f"{bound:g}"


@dataclass(frozen=True)
class Place:
    """Where a fault is: the keys of the user's input, and the forms that are expected there.

    key: the fault is the last key itself, not its value.
    """

    path: tuple[str | int, ...]
    expected: tuple[Expected, ...]
    key: bool = False


def find_place(model: type[BaseModel], loc: Sequence[str | int]) -> Place:
    """The place of a validator's location, without the names that it gives to the forms of a value."""
    path: list[str | int] = []
    here = [Expected(model)]
    rest = list(loc)
    while rest:
        if len(here) > 1:
            rest.pop(0)  # the validator's name for the form that it tried
            here = _taking(here, rest[0]) if rest else here
            continue
        form, part = (here or [Expected(Any)])[0], rest.pop(0)
        if rest[:1] == ["[key]"]:
            return Place((*path, part), tuple(form.inner(0)), key=True)
        if form.is_model:
            path.append(part)
            field = form.kind.model_fields.get(part)
            here = forms(field) if field is not None else []
        elif form.is_list or form.is_mapping:
            path.append(part)
            here = form.inner()
        elif form.kind is Any:
            path.append(part)
    return Place(tuple(path), tuple(here))


def _taking(expected: Sequence[Expected], part: str | int) -> list[Expected]:
    """The form that can have this key or position."""
    fits = [form for form in expected if (form.is_list if isinstance(part, int) else form.is_mapping or form.is_model)]
    return fits[:1]


def _listed(words: Sequence[str], last: str = "or") -> str:
    shown = list(words[:20])
    if len(words) > len(shown):
        return ", ".join(shown) + f" {last} {len(words) - len(shown)} more"
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}" if len(shown) > 1 else "".join(shown)
