"""The six nouns: data passes between two rooms as one of these types. (`Recipe` is in `core/recipe.py`.)"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer, model_validator

from penjing.core.answers import Answer, Choice, answer_to_json
from penjing.core.model_folder import ModelFolder
from penjing.core.own_code import OwnCode
from penjing.core.task import Task

Scalar = str | int | float | bool | None
_OLD_NOTES = frozenset(("base", "precision", "padding_id", "embedding_bits", "sparsity", "sparse_embeddings", "curves"))
# The newest format of a card that is known here.
CARD_FORMAT = 3
_FORMAT_2 = _OLD_NOTES | {"task_state", "calibration", "features"}
_FORMAT_3 = frozenset({"chained"})
Form = Literal["torch", "onnx", "openvino", "linear", "static", "cascade", "exit", "ngrams", "tenant"]
# What a network reads and gives: states of a text in both directions, the next token, or a text from a text.
Family = Literal["encoder", "decoder", "encoder-decoder"]


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of text in columns, all of one length; `rows` are the 1-based row numbers in the user's file.

    Rows of one group stay in one part of a split; a row with an empty group belongs to no group.
    """

    texts: Sequence[str]
    labels: Sequence[str] | None = None
    rows: Sequence[int] = ()
    groups: Sequence[str] | None = None
    fields: Mapping[str, Sequence[Scalar]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def units(self) -> list[str]:
        """The key of rows that must stay together: the group, or for a row without one its own text."""
        groups = self.groups or [""] * len(self)
        return [group or text for group, text in zip(groups, self.texts, strict=True)]

    def take(self, index: Sequence[int]) -> Table:
        """The rows at these positions, in that order."""
        return Table(
            texts=[self.texts[i] for i in index],
            labels=None if self.labels is None else [self.labels[i] for i in index],
            rows=[self.rows[i] for i in index] if len(self.rows) else (),
            groups=None if self.groups is None else [self.groups[i] for i in index],
            fields={name: [column[i] for i in index] for name, column in self.fields.items()},
        )

    def joined(self, other: Table) -> Table:
        """The rows of this table and those of another one behind them; a field that one lacks is empty there."""
        names = dict.fromkeys((*self.fields, *other.fields))
        grouped = self.groups is not None or other.groups is not None
        both = self, other
        return Table(
            texts=[*self.texts, *other.texts],
            labels=[*(self.labels or ()), *(other.labels or ())],
            rows=[*self.rows, *other.rows],
            groups=[group for each in both for group in each.groups or [""] * len(each)] if grouped else None,
            fields={name: [v for each in both for v in each.fields.get(name, [None] * len(each))] for name in names},
        )


class Curves(BaseModel):
    """The course of a training. loss: (last step of a span, its mean loss); validation: scores of each evaluation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss: tuple[tuple[int, float], ...] = ()
    validation: tuple[dict[str, int | float], ...] = ()


class Card(BaseModel):
    """The description of an artifact. It is part of the hashed content, so it holds no time, host or speed.

    task_state, calibration: what its task learned from the data, and from the model's outputs; both empty for
    `classify`, which has `labels` and `temperature`. base: the name of the base that was tuned; precision: the numbers
    that the engine computes in; padding_id: the token that pads a batch; embedding_bits: of the embedding table, where
    it has fewer than the rest; sparsity, sparse_embeddings: the share of zeros, and whether the embedding table has
    zeros too; curves: how the base was tuned; features: the declared fields that the model reads beside the text, as
    `penjing.data.features` writes them. Format 1, of the first artifacts, has most of these in `notes`, which are
    otherwise for people only. A card is written in format 2 where it has one of them. chained (format 3): the
    calibration of its tags has weights of what follows what (`penjing.tasks.tag_chain`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Form
    method: str
    task: str = "classify"
    labels: tuple[str, ...] = ()
    task_state: dict[str, Any] = {}
    language: str = "mixed"
    max_tokens: int | None = None
    temperature: float = 1.0
    calibration: dict[str, Any] = {}
    masking: str = ""
    parameters: int = 0
    data: str = ""
    lineage: tuple[dict[str, Any], ...] = ()
    metrics: dict[str, float] = {}
    base: str = ""
    precision: Literal["", "float32", "float16", "int8"] = ""
    padding_id: int | None = None
    embedding_bits: int | None = None
    sparsity: float | None = None
    sparse_embeddings: bool = False
    curves: Curves = Curves()
    features: dict[str, dict[str, Any]] = {}
    chained: bool = False
    notes: dict[str, Any] = {}

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Cards of models that read the text alone keep their bytes."""
        values: dict[str, Any] = handler(self)
        if not self.features:
            values.pop("features", None)
        return values

    @model_validator(mode="before")
    @classmethod
    def _out_of_notes(cls, given: Any) -> Any:
        """Read a card of any format: what the first artifacts have among their notes goes into the fields."""
        if isinstance(given, dict) and "format" in given:
            if given["format"] not in range(1, CARD_FORMAT + 1):
                raise ValueError(f"a card of format {given['format']}; this installation reads 1 to {CARD_FORMAT}")
            given = {name: value for name, value in given.items() if name != "format"}
        notes = given.get("notes") if isinstance(given, dict) else None
        if not isinstance(notes, dict) or not (moved := {name: notes[name] for name in notes if name in _OLD_NOTES}):
            return given
        rest = {name: value for name, value in notes.items() if name not in moved}
        return {**moved, **given, "notes": rest}

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A card without any field of formats 2 and 3 keeps the bytes of format 1, one without `chained` those of 2."""
        values: dict[str, Any] = handler(self)
        for name in (_FORMAT_2 | _FORMAT_3) & values.keys():
            if getattr(self, name) == type(self).model_fields[name].default:
                del values[name]
        newest = 3 if _FORMAT_3 & values.keys() else 2 if _FORMAT_2 & values.keys() else 1
        return ({"format": newest} if newest > 1 else {}) | values


@dataclass(frozen=True)
class Artifact:
    """One model: an immutable folder with weights, tokenizer and card; `id` is the hash of its MANIFEST."""

    folder: Path
    id: str
    card: Card


class ReleaseInfo(BaseModel):
    """`release.json`: the task of a release, how it reads a request, and the tolerance of a replay.

    columns (format 2): the columns of text and label that it was made with, as {"text", "label"}, and that of the times
    of rows as "time" where the recipe names one; labels_read_as (format 2): other words for labels, with the label that
    each means; trainable (format 2): the id of the torch
    artifact that the model was made from, which is kept next to the release for further training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1, 2, 3] = 1
    name: str
    task: str = "classify"
    language: str
    labels: tuple[str, ...] = ()
    task_state: dict[str, Any] = {}
    fields: dict[str, str | tuple[str, ...]] = {}
    masking: str
    long_texts: Literal["chunk", "review"] = "chunk"
    texts: Literal["masked", "none"] = "masked"
    artifact: str
    tolerance: float
    fingerprint: dict[str, str]
    columns: dict[str, str] = {}
    labels_read_as: dict[str, str] = {}
    trainable: str = ""

    @model_validator(mode="after")
    def _says_what_it_answers(self) -> ReleaseInfo:
        if bool(self.labels) == bool(self.task_state) or (self.format == 3) != bool(self.task_state):
            raise ValueError("formats 1 and 2 have labels, format 3 has the state of a task")
        return self

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Formats 1 and 2 keep their bytes."""
        values: dict[str, Any] = handler(self)
        if not self.task_state:
            values.pop("task_state", None)
        return values


@dataclass(frozen=True)
class Release:
    """A folder that can be put in service: artifact (`model/`), policy, certificate, suite; `id` as of an artifact."""

    folder: Path
    id: str
    info: ReleaseInfo
    artifact: Artifact


@dataclass(frozen=True)
class Prediction:
    """The answer of a model for one text, and whether the text was longer than the model takes.

    far: how far the text is from those that the model learned from, in [0, 1), where its release measures that;
    out_of_scope: whether it is too far.
    """

    artifact: str
    answer: Answer
    too_long: bool = False
    far: float | None = None
    out_of_scope: bool = False

    @property
    def scope(self) -> dict[str, Any]:
        """{"far", "out_of_scope"} where it is measured, else nothing."""
        return {} if self.far is None else {"far": self.far, "out_of_scope": self.out_of_scope}

    def to_json(self) -> dict[str, Any]:
        """The answer as plain values, with too_long; a Choice as {"label", "p", "probabilities", "too_long"}.

        Where it is measured, also far and out_of_scope.
        """
        beside = {"too_long": self.too_long} | self.scope
        if not isinstance(self.answer, Choice):
            return answer_to_json(self.answer) | beside
        label, p = self.answer.top()
        probabilities = dict(zip(self.answer.labels, self.answer.probabilities, strict=True))
        return {"label": label, "p": p, "probabilities": probabilities} | beside


@dataclass(frozen=True)
class Decision:
    """An outcome, its route, what decided it, and the trace from which it is replayed.

    queue: of a case for review, the queue that the rule names; "" for the common one.
    """

    id: str
    release: str
    outcome: str
    route: Literal["automatic", "review"]
    decided_by: Literal["model", "rule"]
    forced: bool
    reason: str
    facts: Mapping[str, Any]
    fired: tuple[str, ...] = ()
    queue: str = ""

    def to_json(self) -> dict[str, Any]:
        """The decision as the plain values whose canonical JSON a replay must repeat byte for byte."""
        values = {
            "id": self.id,
            "release": self.release,
            "outcome": self.outcome,
            "route": self.route,
            "decided_by": self.decided_by,
            "forced": self.forced,
            "reason": self.reason,
            "facts": dict(self.facts),
            "fired": list(self.fired),
        }
        return values | {"queue": self.queue} if self.queue else values


class Progress(Protocol):
    """Receives the progress of long work; the CLI shows it on stderr."""

    def start(self, title: str, total: int | None) -> None: ...
    def advance(self, amount: int = 1, note: str = "") -> None: ...
    def say(self, line: str) -> None: ...


class Silent:
    """A Progress that shows nothing."""

    def start(self, title: str, total: int | None) -> None: ...
    def advance(self, amount: int = 1, note: str = "") -> None: ...
    def say(self, line: str) -> None: ...


class TextCorpus(Protocol):
    """Documents to pre-train on, as `penjing corpus build` sealed them; `id` is the hash of their folder."""

    @property
    def id(self) -> str: ...
    @property
    def domains(self) -> tuple[str, ...]: ...
    def documents(self, part: Literal["train", "held_out"], domain: str | None = None) -> Iterator[str]: ...


@dataclass(frozen=True)
class Inputs:
    """What a method gets: parent, named teachers, train and validation. It never gets calibration and test.

    unlabelled: masked texts without a label, none of which is in a held-out part; task: what the labels mean (None:
    one label a text, learned from the tables); features: the declared fields that the model reads beside the text, with
    their types or values; base: the base that a step names itself (`compress.student`); corpora: documents to pre-train
    on, or to take texts from; pairs: texts that mean the same, each pair followed by a text that does not, or by "";
    held_out: digests of the texts of validation, calibration and test, which no altered copy of a row may be; replayed:
    positions of the train rows that are rows of an earlier release and are learned again; code: a
    function of the team's own that the recipe names, as a loss is; translators: models that translate a text into
    another language and back.
    """

    parent: Artifact | None
    train: Table
    validation: Table
    teachers: Mapping[str, Artifact] = field(default_factory=dict)
    language: str = "mixed"
    unlabelled: Sequence[str] = ()
    task: Task | None = None
    features: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    corpora: Sequence[TextCorpus] = ()
    pairs: Sequence[tuple[str, str, str]] = ()
    base: Artifact | None = None
    code: OwnCode | None = None
    translators: Sequence[ModelFolder] = ()
    held_out: frozenset[str] = frozenset()
    replayed: Sequence[int] = ()


Watch = Callable[[str, Sequence[Mapping[str, float]]], bool]


@dataclass(frozen=True)
class Run:
    """Where and how a method runs: `out` becomes the artifact; `scratch` holds checkpoints and is kept after a kill.

    shared: a folder for results that several steps of one run need (None: the scratch). watch: is told, after each
    evaluation of a training, the training's name and the scores of all its evaluations; where it returns true, the
    training is hopeless and ends with a TrainingEndedError.
    """

    out: Path
    scratch: Path
    seed: int = 0
    device: str = "cpu"
    threads: int = 2
    progress: Progress = field(default_factory=Silent)
    stop: Callable[[], bool] = lambda: False
    shared: Path | None = None
    watch: Watch = lambda *_: False
