"""The answer of a model for one item: a closed set of types, and the JSON form of each.

A record without `kind` holds a Choice. The first releases wrote it so, and their bytes do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeVar


@dataclass(frozen=True)
class Choice:
    """One label of several: calibrated probabilities in the order of the labels, rounded to 1e-6; they sum to 1."""

    kind: ClassVar[str] = "choice"
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]

    def ranked(self) -> list[tuple[str, float]]:
        """Labels with their probabilities, most probable first; ties in the order of the labels."""
        return sorted(zip(self.labels, self.probabilities, strict=True), key=lambda pair: -pair[1])

    def top(self) -> tuple[str, float]:
        """The first of `ranked`, without sorting the others."""
        p = max(self.probabilities)
        return self.labels[self.probabilities.index(p)], p


@dataclass(frozen=True)
class Ranked:
    """The nearest entries of a catalogue, nearest first, with calibrated probabilities over the whole catalogue."""

    kind: ClassVar[str] = "ranked"
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Flags:
    """Any number of labels: for each its calibrated probability, and whether the text gets it.

    p: the probability that the whole set is right; margin: how far the nearest probability is from its threshold.
    """

    kind: ClassVar[str] = "flags"
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    given: tuple[bool, ...]
    p: float
    margin: float


@dataclass(frozen=True)
class Number:
    """A number or a grade, with the interval [low, high] of the stated coverage.

    p: the estimated probability that the error is within the limit; margin: of a grade how far another one is from
    being the answer; 1 for numbers.
    """

    kind: ClassVar[str] = "number"
    value: float
    low: float
    high: float
    p: float
    margin: float = 1.0


@dataclass(frozen=True)
class Span:
    """A piece [start, end) of the masked text, in characters, with its label and calibrated probability."""

    start: int
    end: int
    label: str
    p: float


@dataclass(frozen=True)
class Spans:
    """Pieces of the text, in order; there may be none. p: the probability that the whole set is right."""

    kind: ClassVar[str] = "spans"
    spans: tuple[Span, ...]
    p: float


@dataclass(frozen=True)
class Link:
    """A relation from one span to another, with its calibrated probability."""

    head: Span
    relation: str
    tail: Span
    p: float


@dataclass(frozen=True)
class Links:
    """Relations between spans; there may be none. p: the probability that the whole set is right.

    spans: all spans that were found, those without a relation too, in order.
    """

    kind: ClassVar[str] = "links"
    links: tuple[Link, ...]
    p: float
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Written:
    """A text as an answer, "" for none; [start, end) if it is a piece of the context, else None."""

    kind: ClassVar[str] = "written"
    text: str
    p: float
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Joint:
    """The answers of several tasks that share one model, by task name."""

    kind: ClassVar[str] = "joint"
    parts: Mapping[str, Answer]


Answer = Choice | Ranked | Flags | Number | Spans | Links | Written | Joint


Kind = TypeVar("Kind", Choice, Ranked, Flags, Number, Spans, Links, Written, Joint)


class UnknownKindError(ValueError):
    """A recorded answer of a kind that is not known here, as a newer Penjing may have written it."""


def as_kind(answer: Answer, kind: type[Kind]) -> Kind:
    """The answer, which must be of that kind. Raises TypeError for another."""
    if not isinstance(answer, kind):
        raise TypeError(f"an answer of kind `{answer.kind}`, not `{kind.kind}`")
    return answer


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """Plain values from which `answer_from_json` builds an equal answer. A Choice has no `kind`."""
    if isinstance(answer, Choice):
        return {"labels": list(answer.labels), "probabilities": list(answer.probabilities)}
    if isinstance(answer, Joint):
        return {"kind": answer.kind, "parts": {name: answer_to_json(part) for name, part in answer.parts.items()}}
    return {"kind": answer.kind, **_plain(asdict(answer))}


def answer_from_json(value: Mapping[str, Any]) -> Answer:
    """The answer that `answer_to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    kind = value.get("kind", Choice.kind)
    if kind not in _READERS:
        raise UnknownKindError(f"no answer is of kind {kind!r}")
    return _READERS[kind]({name: part for name, part in value.items() if name != "kind"})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value


def _choice(value: Mapping[str, Any]) -> Choice:
    choice = Choice(tuple(value["labels"]), tuple(value["probabilities"]))
    if len(choice.labels) != len(choice.probabilities):
        raise ValueError(f"{len(choice.labels)} labels and {len(choice.probabilities)} probabilities")
    return choice


def _ranked(value: Mapping[str, Any]) -> Ranked:
    ranked = Ranked(tuple(value["labels"]), tuple(value["probabilities"]))
    if not 0 < len(ranked.labels) == len(ranked.probabilities):
        raise ValueError(f"{len(ranked.labels)} entries and {len(ranked.probabilities)} probabilities")
    return ranked


def _flags(value: Mapping[str, Any]) -> Flags:
    labels, probabilities, given = (tuple(value[name]) for name in ("labels", "probabilities", "given"))
    flags = Flags(labels, probabilities, given, value["p"], value["margin"])
    if not len(flags.labels) == len(flags.probabilities) == len(flags.given):
        raise ValueError(f"{len(flags.labels)} labels and {len(flags.probabilities)} probabilities")
    return flags


def _spans(value: Mapping[str, Any]) -> Spans:
    return Spans(tuple(Span(**span) for span in value["spans"]), value["p"])


def _links(value: Mapping[str, Any]) -> Links:
    links = (Link(Span(**one["head"]), one["relation"], Span(**one["tail"]), one["p"]) for one in value["links"])
    return Links(tuple(links), value["p"], tuple(Span(**span) for span in value["spans"]))


def _joint(value: Mapping[str, Any]) -> Joint:
    return Joint({name: answer_from_json(part) for name, part in value["parts"].items()})


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
    Choice.kind: _choice,
    Ranked.kind: _ranked,
    Flags.kind: _flags,
    Number.kind: lambda value: Number(**value),
    Spans.kind: _spans,
    Links.kind: _links,
    Written.kind: lambda value: Written(**value),
    Joint.kind: _joint,
}
