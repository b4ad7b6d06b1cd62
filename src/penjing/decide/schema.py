"""The facts that a rule may name, their types, and the check of a request's declared fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from penjing.core.abilities import BoundedTask, Bounds, ListedTask, QuotingTask
from penjing.core.answers import Answer
from penjing.core.errors import DataError, RecipeError, RequestError, UsageError
from penjing.core.nouns import Scalar
from penjing.core.options import nearest
from penjing.core.pair import split_texts
from penjing.core.task import FactKind, MaskedText, PairReader, Task, read_words
from penjing.core.zone import UTC, TimeZone
from penjing.data import fold
from penjing.data.dates import parse_date
from penjing.data.fields import WrongFieldError, match_header, match_names, read_field, unclear_names
from penjing.data.labels import match_label, nearest_label
from penjing.data.mask import PLACEHOLDERS, VERSION, open_masking
from penjing.tasks import opened
from penjing.tasks.band import MICRO as MICRO

Kind = FactKind
FieldType = str | tuple[str, ...]
UnknownValues = Literal["refuse", "review"]

_SCALE: dict[Kind, int] = {"unit": MICRO, "float": MICRO, "int": 1, "count": 1, "date": 1}
_RESERVED = {"name", "then", "why", "text", "too_long"}
OUT_OF_SCOPE = "out_of_scope"
_TYPES = ("str", "int", "float", "bool", "date")


def scale(kind: Kind) -> int:
    """The units per one in which a numeric fact of this kind is compared: a million, or one; of a date, seconds."""
    return _SCALE[kind]


class FieldValues(dict[str, Scalar]):
    """Typed fields by name. unknown: enumerated fields that were given with a value which is not listed; here None."""

    def __init__(self, values: Mapping[str, Scalar], unknown: Sequence[str] = ()) -> None:
        super().__init__(values)
        self.unknown = tuple(unknown)


@dataclass(frozen=True)
class FactSchema:
    """Names and types of all facts of a release: those of its answers, its declared fields, and the fixed ones.

    other: a task other than one label of `labels`, as `penjing.tasks.described` writes it.
    read_as: other words for labels that the recipe merged, with the label that each stands for.
    masking, folding: the versions by which free text in a field is masked, and phrases are compared.
    features: the declared fields that the model reads, and whether each was ever empty in training.
    unknown_values: whether a new value of an enumerated field is refused, or is read as none and sends its case to
    review.
    scope: whether the release says of a text that it is out of scope.
    quotes: whether rules may ask of the words and numbers of pieces of the text, as facts of version 5 have them.
    zone: the zone by whose clock days are counted and the dates of rules are read.
    """

    labels: tuple[str, ...]
    fields: Mapping[str, FieldType] = field(default_factory=dict)
    read_as: Mapping[str, str] = field(default_factory=dict)
    masking: str = VERSION
    folding: str = fold.VERSION
    other: Mapping[str, Any] = field(default_factory=dict)
    features: Mapping[str, bool] = field(default_factory=dict)
    unknown_values: UnknownValues = "refuse"
    scope: bool = False
    zone: TimeZone = UTC
    quotes: bool = True

    @cached_property
    def task(self) -> Task:
        """The task whose answers are facts. Raises UsageError for one that is not known here."""
        return opened(self.labels, self.other)

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The facts that come from the model, not from the request."""
        return (*self.task.kinds(), "too_long", *([OUT_OF_SCOPE] if self.scope else []))

    @cached_property
    def bounds(self) -> Bounds:
        """What the task knows about the values of its facts."""
        return self.task.bounds() if isinstance(self.task, BoundedTask) else Bounds()

    @cached_property
    def quoted(self) -> dict[str, Kind]:
        """Facts about words and numbers of pieces, and about `given` texts: records have what rules ask of them."""
        found = self.task.quoted() if self.quotes and isinstance(self.task, QuotingTask) else {}
        return found | dict.fromkeys(self.given, "str")

    @cached_property
    def given(self) -> tuple[str, ...]:
        """Facts that are the texts of a case after its first one, such as `head.text`. Every case has them."""
        own = self.task.further if self.quotes and isinstance(self.task, PairReader) else ()
        return tuple(f"{name}.text" for name in own)

    @property
    def pieces(self) -> frozenset[str]:
        """Facts about pieces that a text may lack. Without a value every test of one is false but `empty`."""
        return frozenset(self.quoted.keys() - set(self.given))

    def quotes_of(self, answer: Answer, masked: str) -> dict[str, str | float | None]:
        """The values of `quoted`. masked: all texts of the case as one."""
        found = self.task.quotes(answer, masked) if self.quotes and isinstance(self.task, QuotingTask) else {}
        return found | dict(zip(self.given, split_texts(masked)[1:], strict=True) if self.given else ())

    @cached_property
    def _listed(self) -> Mapping[str, tuple[str, ...]]:
        return self.task.listed() if isinstance(self.task, ListedTask) else {}

    def __post_init__(self) -> None:
        if not self.labels and "label" in self.task.kinds().values():  # a task with a state of its own
            object.__setattr__(self, "labels", self.task.scopes)
        reserved = _RESERVED | ({OUT_OF_SCOPE} if self.scope else set())
        for name, kind in self.fields.items():
            if (
                name in reserved
                or name in {*self.task.kinds(), *self.quoted}
                or name.startswith("pii.")
                or not name.strip()
            ):
                raise RecipeError(
                    f"a field cannot be named `{name}`: rules know a fact of that name",
                    fix="give the field another name",
                )
            if isinstance(kind, str) and kind not in _TYPES:
                raise RecipeError(f"the field `{name}` has the unknown type `{kind}`", fix=nearest(kind, _TYPES))

    def kinds(self) -> dict[str, Kind]:
        """Every fact that may head a column of the rules file, with its kind."""
        fixed: dict[str, Kind] = {
            **self.task.kinds(),
            **self.quoted,
            **{f"p.{label}": "unit" for label in self.labels},
            "text": "text",
            "too_long": "bool",
            **({OUT_OF_SCOPE: "bool"} if self.scope else {}),
            **{f"pii.{kind}": "count" for kind in PLACEHOLDERS},
        }
        return {**fixed, **{name: _kind_of(kind) for name, kind in self.fields.items()}}

    def values(self, fact: str) -> tuple[str, ...]:
        """The listed values of a fact: labels, words of the task, or those of an enumerated field; else none."""
        if fact == "label":
            return self.labels
        if fact in self._listed:
            return self._listed[fact]
        kind = self.fields.get(fact)
        return tuple(kind) if kind is not None and not isinstance(kind, str) else ()

    def outcome(self, written: str, masked: MaskedText | None = None) -> str | None:
        """The outcome for this text, or None if the task does not know it.

        masked: the text of the case, where the outcome may be pieces of it. Labels that the recipe merged are replaced.
        Raises RequestError for characters that no text may have.
        """
        if self.labels:
            return match_label(written, self.labels, self.read_as)
        try:
            word = written.strip()
            return self.task.read(read_words(self.task, word, self.read_as), masked) or None
        except DataError:
            return None

    def nearest_outcome(self, written: str, masked: MaskedText | None = None) -> str:
        """A suggestion for an unknown outcome."""
        if self.labels:
            return nearest_label(written, self.labels)
        try:
            self.task.read(written.strip(), masked)
        except DataError as error:
            return error.fix or error.what
        return "write an answer of the task"

    def read(self, given: Mapping[str, object], where: str | None = None) -> FieldValues:
        """Typed, cleaned and masked fields of a request, in the order of the schema; one not given is None.

        Values and names are read by `penjing.data.fields`. Raises RequestError for an unknown field,
        for one that is given twice and for a value of another type.
        """
        names = match_names(tuple(self.fields), given.keys())
        if names.unclear:
            what, fix = unclear_names(names.unclear)
            raise RequestError(f"unclear fields: {what}", where=where, fix=fix)
        taken = set(names.found.values())
        unknown = next((name for name in given if name not in taken), None)
        if unknown is not None:
            known = nearest(unknown[:60], dict(self.fields)) if self.fields else "this release declares no fields"
            raise RequestError(f"unknown field `{unknown[:60]}`", where=where, fix=known)
        found = self._typed({name: given[found] for name, found in names.found.items()}, where)
        return FieldValues(found, sorted({*found.unknown, *unknown_of(given)}))

    def from_strings(self, row: Mapping[str, str], where: str | None = None) -> FieldValues:
        """The same from a row of a file, which may have other columns too."""
        names = match_header(tuple(self.fields), tuple(row))
        if names.unclear:
            what, fix = unclear_names(names.unclear)
            raise RequestError(f"unclear columns: {what}", where=where, fix=fix)
        return self._typed({name: row[found] for name, found in names.found.items()}, where)

    def missing_columns(self, header: Sequence[str]) -> str | None:
        """A message for a file without columns of declared fields, or None. Raises UsageError (unclear)."""
        names = match_header(tuple(self.fields), tuple(header))
        if names.unclear:
            what, fix = unclear_names(names.unclear)
            raise UsageError(f"unclear columns: {what}", fix=fix)
        if not names.absent:
            return None
        absent = ", ".join(f"`{name}`" for name in names.absent[:20])
        listed = ", ".join(f"`{name[:60]}`" for name in list(header)[:20]) or "none"
        noun, pronoun = ("field", "it") if len(names.absent) == 1 else ("fields", "one of them")
        return (
            f"no column for the {noun} {absent} of this release; the columns are {listed}. "
            f"Where a rule needs {pronoun}, the case goes to a person{self._unread(names.absent)}"
        )

    def _unread(self, absent: Sequence[str]) -> str:
        """What the model makes of the absent fields that it reads, as the end of a sentence; "" where it reads none."""
        needed = ", ".join(f"`{name}`" for name in absent if self.features.get(name) is False)
        if needed:
            return f"; the model reads {needed}, never empty in training: without it every case goes to a person"
        known = ", ".join(f"`{name}`" for name in absent if name in self.features)
        return f"; the model reads {known} and decides as where it was empty in training" if known else ""

    def strict(self) -> FactSchema:
        """The same schema, which refuses a new value of an enumerated field."""
        return replace(self, unknown_values="refuse")

    def recorded(self, facts: Mapping[str, Scalar]) -> FieldValues:
        """The fields of a record, which were read when it was made: kept if they have the type, else read again."""
        kept = {name: facts[name] for name in facts if _is(facts[name], self.fields.get(name))}
        read = self.read({name: value for name, value in facts.items() if name not in kept})
        values = {name: kept.get(name, read[name]) for name in self.fields}  # an empty text stays empty
        return FieldValues(values, sorted({*read.unknown, *unknown_of(facts)}))

    def _typed(self, given: Mapping[str, object], where: str | None) -> FieldValues:
        found: dict[str, Scalar] = {}
        unknown: list[str] = []
        masking = open_masking(self.masking)
        for name, kind in self.fields.items():
            try:
                value = read_field(name, given.get(name), kind, where)
            except WrongFieldError as error:
                if not error.unlisted or self.unknown_values == "refuse":
                    raise
                value = None
                unknown.append(name)
            found[name] = masking(value).text if kind == "str" and isinstance(value, str) else value
        return FieldValues(found, unknown)


def unknown_of(fields: Mapping[str, object]) -> tuple[str, ...]:
    """The fields whose value was not listed, where `fields` were read before."""
    return fields.unknown if isinstance(fields, FieldValues) else ()


def _is(value: Scalar, kind: FieldType | None) -> bool:
    """Whether a recorded value already has this kind."""
    if value is None or kind is None:
        return value is None and kind is not None
    if not isinstance(kind, str):
        return value in kind
    if kind == "date":
        return isinstance(value, str) and parse_date(value) == value
    return type(value) is {"str": str, "int": int, "float": float, "bool": bool}[kind]


def _kind_of(kind: FieldType) -> Kind:
    if not isinstance(kind, str):
        return "enum"
    kinds: dict[str, Kind] = {"str": "str", "int": "int", "float": "float", "bool": "bool", "date": "date"}
    return kinds[kind]
