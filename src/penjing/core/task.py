"""The contract of a task: what rows mean, what a model's outputs mean, and what an error is.

A task is one file in `tasks/`, numpy only. It names heads and losses from the closed sets below. Nothing else in the
project asks which task it is. `Reader` is opened from the recipe before the data is known; `Task` is what it learns
from the data, kept in the card and restored from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from penjing.core.answers import Answer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# pooled: one vector an item, (n, size); token: one a token, n arrays (tokens, size); span: start and end of each token.
HeadKind = Literal["pooled", "token", "span"]
Loss = Literal["cross_entropy", "binary_cross_entropy", "mean_squared_error", "ordinal"]
# The types of facts that rules may name.
FactKind = Literal["label", "unit", "count", "int", "float", "date", "str", "enum", "bool", "text"]
# Outputs of n items by the name of the head.
Outputs = Mapping[str, Any]
# A target that cross entropy ignores: a special token, or a piece that has no gold of its own.
IGNORED = -100
# (start, end, type) of a piece of a text.
TextPiece = tuple[int, int, str]
# The scope of units that share one limit.
ALL = "*"
# A stratum with fewer rows is reported and reviewed; no promise covers it.
SMALL = 30


@dataclass(frozen=True)
class Head:
    """One output of a model: its kind, how many numbers it gives, and the loss that trains it.

    weight: of its loss among those of other heads.
    """

    kind: HeadKind
    size: int
    loss: Loss
    weight: float = 1.0


@dataclass(frozen=True)
class Item:
    """One row as the model reads it: the masked text, and the place of each token, (tokens, 2) in characters.

    offsets: None for heads that give nothing by token; other: the second text of a task that reads two.
    """

    text: str
    offsets: Any = None
    other: str = ""


@dataclass(frozen=True)
class Unit:
    """What a certificate counts: the scope of its limit, the confidence of the model, and whether it is wrong.

    score: in [0, 1]; outcome: what is decided.
    """

    scope: str
    score: float
    outcome: str
    wrong: bool


@dataclass(frozen=True)
class Section:
    """A block of the report: a table with its title in both languages. `kind` says how it is drawn.

    matrix: rows are the gold and columns the answers; bars: one number a row; scatter: two numbers a row.
    """

    name: str
    kind: Literal["table", "matrix", "bars", "scatter"]
    title: Mapping[Literal["en", "zh"], str]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]
    note: Mapping[Literal["en", "zh"], str] = field(default_factory=dict)


@dataclass(frozen=True)
class About:
    """What `penjing init` writes about a task.

    gold, metric: the comments in the recipe after the column of the labels, and after `keep`; line, comment: its
    `task:`; facts: the columns of the first rules file; numbers, sets, spans: whether the gold is a number, any number
    of labels, or pieces of the text with labels; one label, if none of them. further: the names of the texts that a
    case has after its first one.
    joint: whether it is several tasks. files: the options that are paths, relative to the recipe. column: that of its
    gold in annotated texts, if it is not `label`.
    epochs, max_tokens: passes over the train rows, and the longest input in tokens, where a task needs more than
    `tune.full` takes by itself.
    """

    name: str
    gold: str
    metric: str
    line: str
    comment: str
    facts: tuple[str, ...]
    numbers: bool = False
    sets: bool = False
    spans: bool = False
    further: tuple[str, ...] = ()
    joint: bool = False
    files: tuple[str, ...] = ()
    column: str = ""
    epochs: float | None = None
    max_tokens: int | None = None


class Places(Protocol):
    """Where a piece of the user's text is in the masked text; (start, end) in characters."""

    def to_masked(self, start: int, end: int) -> tuple[int, int]: ...


class MaskedText(Protocol):
    """A masked text, and the map from the user's text to it."""

    @property
    def text(self) -> str: ...

    @property
    def offsets(self) -> Places: ...


class Reader(Protocol):
    """Reads gold as it is written in a file, before anything is learned from the rows.

    golds_are_names: whether gold is a label. People write a label in several ways, and a rare one always goes to a
    person. golds_are_lists: whether a cell of gold is a JSON list, which files of JSON may hold as such.
    """

    @property
    def golds_are_names(self) -> bool: ...

    @property
    def golds_are_lists(self) -> bool: ...

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """The canonical gold of a cell; "" for none. Raises DataError for what cannot be gold."""

    def strata(self, golds: Sequence[str]) -> list[str]:
        """A short name of each gold, for splits, conflicts and counts of rows."""

    def learn(self, golds: Sequence[str]) -> Task:
        """The task of these golds: labels, grades or scale are taken from them. Raises DataError."""


@runtime_checkable
class SetReader(Protocol):
    """A reader whose cells hold several labels; words that the recipe reads as another are labels of a cell."""

    @property
    def separator(self) -> str: ...

    def parts(self, cell: str) -> tuple[str, ...]:
        """The words of a cell as they are written. Raises DataError for a cell that is no set."""


@runtime_checkable
class PartsReader(Protocol):
    """A reader whose golds name several things in a text, such as the types of entities; a split is by the rarest."""

    def names_in(self, gold: str) -> tuple[str, ...]:
        """What a gold names, each once, sorted; nothing for a text without any."""


@runtime_checkable
class PairReader(Protocol):
    """A reader whose rows are several texts, which `core/pair.py` makes one; other readers have one text a row.

    symmetric: whether the order of two texts means nothing. further: the names of the texts after the first one, under
    `data:` in a recipe and in requests.
    """

    @property
    def symmetric(self) -> bool: ...

    @property
    def further(self) -> tuple[str, ...]: ...

    def check_texts(self, texts: Sequence[str]) -> None:
        """Raise RequestError for masked texts that are no case together."""


@runtime_checkable
class OpenReader(Protocol):
    """A reader whose golds may be many and rare: a split needs no rows of each, and all rows may have one stratum."""

    @property
    def golds_are_open(self) -> bool: ...


@runtime_checkable
class CatalogueTask(Protocol):
    """A task whose answers are entries of a catalogue, each with a text: a model compares a case with these texts."""

    @property
    def entry_texts(self) -> tuple[str, ...]:
        """The masked text of each entry, in the order of the outputs of the head."""

    def with_entries(self, ids: Sequence[str], texts: Sequence[str]) -> Task:
        """The same task over other entries, with their ids and masked texts. Raises DataError where an id cannot be."""


def words_of(reader: Reader, cell: str) -> tuple[str, ...]:
    """The words of a cell that may be read as another: its labels, or the whole cell. Raises DataError."""
    return reader.parts(cell) if isinstance(reader, SetReader) else (cell,)


def read_words(reader: Reader, cell: str, reads: Mapping[str, str]) -> str:
    """A cell with each word replaced by what it is read as. Raises DataError."""
    if not reads or not isinstance(reader, SetReader):
        return reads.get(cell, cell)
    words = reader.parts(cell)
    changed = dict.fromkeys(reads.get(word, word) for word in words)
    return reader.separator.join(changed) if any(word in reads for word in words) else cell


class Answering(Protocol):
    """Outputs of a model -> answers, facts and outcomes: all that serving needs."""

    @property
    def heads(self) -> Mapping[str, Head]: ...

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        """The calibration of a model, as JSON values, from its outputs on validation rows.

        items: needed where gold is about tokens.
        """

    def plain(self) -> dict[str, Any]:
        """The calibration that takes outputs as they are: enough to score a model while it is trained."""

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]: ...

    def kinds(self) -> dict[str, FactKind]:
        """The facts of an answer that rules may name."""

    def facts(self, answer: Answer) -> dict[str, Any]:
        """The facts of an answer; always with `p` in [0, 1], which thresholds are compared with."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """All values of `scope`; each has a threshold. Only `*` if one threshold applies to every answer."""

    def scope(self, facts: Mapping[str, Any]) -> str:
        """The scope whose threshold applies to these facts."""

    def outcome(self, facts: Mapping[str, Any]) -> str:
        """What is decided on these facts, written as gold is."""

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """Whether the outcome may change if each probability changes by `band` millionths."""

    def moved(self, one: Answer, other: Answer) -> float:
        """The difference of two answers for one item, in probability; 1 if they cannot be compared."""

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """What evidence explains: a number (n,) for each item of outputs, which falls as the answer loses support."""


@runtime_checkable
class ApartTask(Protocol):
    """A task whose answers have parts with a threshold each: a case is decided where all that it has reach theirs."""

    def apart(self, facts: Mapping[str, Any]) -> dict[str, tuple[Task, dict[str, Any]]]:
        """Each part of these facts as a task with its own facts, by the name of its scope."""

    def part_of(self, scope: str) -> str:
        """The name of the part to which a scope belongs, as people read it."""


@runtime_checkable
class PartedTask(Protocol):
    """A task whose answers have named parts that evidence can be about: labels of a set, or several tasks."""

    def part(self, answer: Answer, name: str) -> Answer:
        """The answer with this part alone. Raises UsageError for a name that there is not."""


@runtime_checkable
class JointTask(ApartTask, Protocol):
    """Several tasks in one: each of its scopes is a task with a threshold of its own, and all must reach theirs."""

    def only(self, names: Sequence[str]) -> Task:
        """The same with these of the tasks alone; it reads the same gold."""

    def metric_of(self, scope: str) -> str:
        """The metric that `keep` keeps of one of the tasks."""

    def explained(self, answer: Answer) -> Answer:
        """The part of an answer that evidence is about."""


class Judging(Protocol):
    """Answers against gold."""

    @property
    def errors(self) -> tuple[str, ...]:
        """Names of the metrics of which less is better."""

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """Additive counts of each row, (n, K)."""

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """Metrics of sums of counts, (..., K) -> (...) each. The first is what `keep` keeps; its best value is 1."""

    def with_rows(self, rows: Mapping[str, int]) -> Task:
        """The same task, its metrics without the strata that have too few of these rows for a promise."""

    def wrong(self, outcome: str, gold: str) -> bool:
        """Whether a decided outcome is an error."""

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        """What an error is, in words, for a task with a limit; empty if any answer other than the gold is an error."""

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """What a certificate counts of one case, from the facts that its policy sees: one unit, or one a limit."""

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """Blocks of the report that only this task has."""


def rare_scopes(task: Task, rows: Mapping[str, int]) -> list[str]:
    """The labels of a task with too few rows for a promise, which always go to a person. rows: of each stratum."""
    return [scope for scope in task.scopes if rows.get(scope, 0) < SMALL] if task.golds_are_names else []


class Task(Reader, Answering, Judging, Protocol):
    """A task that has learned from its data; `penjing.tasks.open_task` opens it from the card of an artifact."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> dict[str, Any]:
        """What was learned from the data, as JSON values; `restore` of the same file builds an equal task from it."""

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        """The target of each head: pooled (n,) or (n, size), token n arrays (tokens,), span (n, 2): first, last token.

        IGNORED marks what has no target.
        """
