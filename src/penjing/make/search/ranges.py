"""Ranges of options in a recipe: `{low, high, log, step}` or `{choose: [...]}` in place of a value.

Both ends, and every value to choose from, are validated by the method's own Options before any work starts. An option
that is itself a list, such as several learning rates, gets single values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from penjing.core.errors import RecipeError
from penjing.core.expected import Expected, forms
from penjing.core.nouns import Scalar
from penjing.core.options import Options, all_faults, explain
from penjing.tune.options_loss import OWN_LOSS

# Where a fault is, what it is, and what to do.
Fault = tuple[tuple[str | int, ...], str, str]
_DIGITS = 3  # significant digits of a number that is not on a grid: people read and copy it
_CORNERS = 256  # combinations of other ends with which an end is tried
_LIKE_A_RANGE = frozenset(("low", "high", "choose"))
_KEYS = _LIKE_A_RANGE | {"log", "step"}


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Ends(_Form):
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    step: float | None = Field(None, gt=0)


class Choose(_Form):
    """One of several values."""

    choose: list[bool | int | float | str | None] = Field(min_length=2, max_length=100)


@dataclass(frozen=True)
class Range:
    """The values that a search may give to an option.

    choices: the values, or none for the numbers from `low` to `high`; whole: these are whole numbers. first: the value
    of the first trial, which is the option's default where it is in the range, else the middle of the range. listed:
    the option is a list, and gets one with the value alone.
    """

    option: str
    first: Scalar
    choices: tuple[Scalar, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    whole: bool = False
    listed: bool = False

    @property
    def count(self) -> int | None:
        """How many values there are; None for a continuous range."""
        if self.choices:
            return len(self.choices)
        step = self.step or (1.0 if self.whole else None)
        return None if step is None else math.floor((self.high - self.low) / step + 1e-9) + 1

    @property
    def top(self) -> float:
        """The highest number: of a grid its last point."""
        return self.high if self.step is None else self.low + ((self.count or 1) - 1) * self.step

    def values(self) -> list[Scalar]:
        """All values of a range that can be counted."""
        if self.choices:
            return list(self.choices)
        return [self.written(self.low + place * (self.step or 1.0)) for place in range(self.count or 0)]

    def ends(self) -> list[tuple[tuple[str | int, ...], Scalar]]:
        """Both ends, or every choice, each with its keys inside the range."""
        if self.choices:
            return [(("choose", place), value) for place, value in enumerate(self.choices)]
        both: list[tuple[str, float]] = [("low", self.low), ("high", self.high)]
        return [((key,), round(end) if self.whole else end) for key, end in both]

    def written(self, value: float) -> int | float:
        """A number of the range as a recipe has it: whole, on the grid, or with three significant digits."""
        if self.step is not None:
            place = min(round((value - self.low) / self.step), (self.count or 1) - 1)
            value = self.low + place * self.step
            return round(value) if self.whole else round(value, 12)
        if self.whole:
            return round(value)
        return min(self.high, max(self.low, float(f"{value:.{_DIGITS}g}")))

    def as_option(self, value: Scalar) -> Any:
        """A value in the form that the option takes."""
        return [value] if self.listed else value

    def to_json(self) -> dict[str, Any]:
        """The range as plain values, for a key."""
        return {name: getattr(self, name) for name in ("option", "choices", "low", "high", "log", "step", "whole")}


def looks_like_a_range(value: Any) -> bool:
    """Whether a mapping of a recipe is meant as a range."""
    keys = {*map(str, value)} if isinstance(value, Mapping) else set[str]()
    return bool(keys & _LIKE_A_RANGE) and keys <= _KEYS


def split_ranges(
    model: type[Options], given: Mapping[str, Any], place: Callable[..., str]
) -> tuple[dict[str, Any], tuple[Range, ...]]:
    """The options with one value each (a range has its first value), and the ranges.

    place: gives the position of a key of the step in the recipe. Raises RecipeError with all faults of ranges.
    """
    plain = dict(given)
    ranges: list[Range] = []
    faults: list[Fault] = []
    for name, value in given.items():
        field = model.model_fields.get(name)
        if field is None or not isinstance(value, Mapping):
            continue
        expected = forms(field)
        # Where an option is a mapping itself, such as weights by label, only `choose` with a list cannot be one.
        takes_mappings = any(form.is_mapping or form.is_model for form in expected)
        if takes_mappings and not (list(value) == ["choose"] and isinstance(value["choose"], list)):
            continue
        found = _read(model, name, value, expected)
        if isinstance(found, Range):
            ranges.append(found)
            plain[name] = found.as_option(found.first)
        else:
            faults += found
    faults += [fault for one in ranges for fault in _out_of_bounds(model, plain, one, ranges)]
    if faults:
        raise all_faults([(place(*keys), what, fix) for keys, what, fix in faults])
    return plain, tuple(ranges)


def range_elsewhere(step: str, given: Mapping[str, Any], place: Callable[..., str]) -> RecipeError | None:
    """The fault of a range in a step whose options are not searched."""
    for name, value in given.items():
        if looks_like_a_range(value):
            what = f"`{name[:60]}` of `{step}` is a range, and only the options of the first, tuning step are searched"
            return RecipeError(what, where=place(name), fix="write one value")
    return None


def _read(
    model: type[Options], name: str, value: Mapping[str, Any], expected: Sequence[Expected]
) -> Range | list[Fault]:
    form: type[_Form] = Choose if "choose" in value else Ends
    try:
        read = form.model_validate(dict(value))
    except ValidationError as error:
        return [((name, *keys), f"the range of `{name}`: {what}", fix) for keys, what, fix in explain(error, form)]
    listed = _is_listed(model, name, expected)
    if isinstance(read, Choose):
        return _choices(model, name, read, listed=listed)
    assert isinstance(read, Ends)
    kinds = {one.kind for form in expected for one in (form, *(form.inner() if form.is_list else ()))}
    faults = _number_faults(name, read, kinds)
    if faults:
        return faults
    whole = float not in kinds
    step = 1.0 if whole and read.step is None and not read.log else read.step
    found = Range(name, None, (), read.low, read.high, read.log, step, whole, listed)
    return replace(found, first=_first(found, _default(model, name)))


def _is_listed(model: type[Options], name: str, expected: Sequence[Expected]) -> bool:
    """Whether a single value of the option must be in a list: some options take one as it is too."""
    default = model.model_fields[name].get_default(call_default_factory=True)
    if not all(form.is_list for form in expected) or not default:
        return all(form.is_list for form in expected)
    try:
        model(**{name: default[0]})
    except ValidationError:
        return True
    return False


def _choices(model: type[Options], name: str, read: Choose, *, listed: bool) -> Range | list[Fault]:
    kinds = [(type(value) is bool, value) for value in read.choose]
    for place, kind in enumerate(kinds):
        if kind in kinds[:place]:
            return [((name, "choose", place), f"`choose` of `{name}` has a value twice", "leave one of the two out")]
    # Files are read once, for the first trial, and their content is part of the key of its result alone.
    for place, value in enumerate(read.choose):
        if isinstance(value, str) and re.fullmatch(OWN_LOSS, value):
            what = f"`choose` of `{name}` names the file `{value[:60]}`, and a loss of your own is not searched"
            return [((name, "choose", place), what, "leave it out, or write it as the one value")]
    default = _default(model, name)
    usual = (type(default) is bool, default)
    first = read.choose[kinds.index(usual)] if usual in kinds else read.choose[0]
    return Range(name, first, tuple(read.choose), listed=listed)


def _number_faults(name: str, read: Ends, kinds: set[Any]) -> list[Fault]:
    whole = int in kinds and float not in kinds
    if not kinds & {int, float}:
        return [((name,), f"`{name}` takes no numbers, so it has none between two ends", "write `{choose: [A, B]}`")]
    given = {"low": read.low, "high": read.high} | ({} if read.step is None else {"step": read.step})
    faults: list[Fault] = [
        ((name, key), f"`{key}` of `{name}` is `{value:g}`, and the option takes whole numbers", "write a whole number")
        for key, value in given.items()
        if whole and value != int(value)
    ]
    if read.high <= read.low:
        what = f"`high` of `{name}` is `{read.high:g}`, and `low` is `{read.low:g}`: there is nothing between them"
        faults.append(((name, "high"), what, "write a higher `high`, or one value"))
    elif read.log and read.low <= 0:
        what = f"`log: true` of `{name}` needs a `low` above 0"
        faults.append(((name, "low"), what, "write a higher `low`, or take `log` out"))
    elif read.log and read.step is not None:
        what = f"`{name}` has `log: true` and a `step`: equal steps are not logarithmic"
        faults.append(((name, "step"), what, "leave one of the two out"))
    elif read.step is not None and read.step > read.high - read.low:
        what = f"`step` of `{name}` is `{read.step:g}`, which is more than from `low` to `high`"
        faults.append(((name, "step"), what, "write a smaller `step`"))
    return faults


def _first(found: Range, default: Any) -> int | float:
    if isinstance(default, int | float) and not isinstance(default, bool) and found.low <= default <= found.high:
        return found.written(default) if found.step is not None or found.whole else default
    middle = math.sqrt(found.low * found.high) if found.log else (found.low + found.high) / 2
    return found.written(middle)


def _default(model: type[Options], name: str) -> Any:
    """The default of an option; of a list of numbers the middle one, as the one that a single value replaces."""
    default = model.model_fields[name].get_default(call_default_factory=True)
    if not isinstance(default, tuple | list):
        return default
    values = [one for one in default if isinstance(one, int | float) and not isinstance(one, bool)]
    return sorted(values)[len(values) // 2] if values else None


def _out_of_bounds(
    model: type[Options], plain: Mapping[str, Any], found: Range, ranges: Sequence[Range]
) -> list[Fault]:
    """Faults of the ends or choices of a range by the option's own bounds.

    Options that must fit each other are a fault only where no end of another range fits: the search leaves such values.
    """
    faults: list[Fault] = []
    others = [one for one in ranges if one is not found]
    for keys, value in found.ends():
        given = {**plain, found.option: found.as_option(value)}
        own = _faults_of(model, given, found.option)
        if own and any(not _faults_of(model, {**given, **corner}, found.option) for corner in _corners(others)):
            continue
        faults += [((found.option, *keys), f"the `{keys[0]}` of `{found.option}`: {what}", fix) for _, what, fix in own]
    return faults


def _faults_of(model: type[Options], given: Mapping[str, Any], option: str) -> list[Fault]:
    """Faults of one option, and those of all together, whose path is empty."""
    try:
        model(**given)
    except ValidationError as error:
        return [one for one in explain(error, model) if one[0][:1] in ((), (option,))]
    return []


def _corners(ranges: Sequence[Range]) -> Iterator[dict[str, Any]]:
    """The first combinations of the ends of ranges."""
    every = product(*([one.as_option(value) for _, value in one.ends()] for one in ranges))
    for values in islice(every, _CORNERS):
        yield {one.option: value for one, value in zip(ranges, values, strict=True)}
