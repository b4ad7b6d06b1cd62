"""What a task may be able to do beyond its contract: who needs it asks for the ability, never for the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from penjing.core.answers import Answer
from penjing.core.task import FactKind, Item, Outputs, Section, Task, TextPiece

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """The values that numeric facts of answers can have, beyond what their kinds say.

    listed: of a fact that has few values, all of them; ordered: facts of which each is at most the next one; counted:
    of a fact that is a number of true facts, all these facts; rising: several groups of ordered facts, where the facts
    of one group have a value together or not at all; pieces: of a fact about the pieces of a text the number of these
    pieces. Where it is 0 the fact has no value; a word or a type has one wherever it is not 0.
    """

    listed: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    ordered: tuple[str, ...] = ()
    counted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rising: tuple[tuple[str, ...], ...] = ()
    pieces: Mapping[str, str] = field(default_factory=dict)

    @property
    def chains(self) -> tuple[tuple[str, ...], ...]:
        """All groups of facts of which each is at most the next one."""
        return (*([self.ordered] if self.ordered else []), *self.rising)

    def chain(self, fact: str) -> tuple[str, ...]:
        """The group that a fact is in; the fact alone where it is in none."""
        return next((chain for chain in self.chains if fact in chain), (fact,))


@runtime_checkable
class BoundedTask(Protocol):
    """A task that knows more about the values of its facts than their kinds; the check of rules uses it."""

    def bounds(self) -> Bounds: ...


@runtime_checkable
class ScopedTask(Protocol):
    """A task whose outputs tell how well a text fits anything that it learned; its releases know texts that do not."""

    def energy(self, outputs: Outputs, calibration: Mapping[str, Any]) -> Floats:
        """Of each item (n,): the larger, the less the text fits any answer."""


@runtime_checkable
class MarkedTask(Protocol):
    """A task whose gold and outcomes are pieces of the text with a type; the report marks them there."""

    def pieces(self, outcome: str) -> list[TextPiece]:
        """The pieces of an outcome or gold, in order; places in the masked text."""

    def support(
        self,
        outputs: Outputs,
        items: Sequence[Item],
        pieces: Sequence[Sequence[TextPiece | None]],
        calibration: Mapping[str, Any],
    ) -> Floats:
        """What evidence explains, (n, k): the log-odds of each of k pieces of n items, NaN for None.

        Without pieces (n, 1): the log-odds of an answer that has none.
        """


@runtime_checkable
class FittedTask(Protocol):
    """A task whose blocks of the report also show the calibration of the model, such as a threshold of each label."""

    def fitted_figures(
        self, answers: Sequence[Answer], golds: Sequence[str], calibration: Mapping[str, Any]
    ) -> tuple[Section, ...]:
        """As `Judging.figures`, for answers of a model with this calibration."""


@runtime_checkable
class QuotingTask(Protocol):
    """A task whose answers are pieces of the text, and whose rules may ask of the words and numbers in them."""

    def quoted(self) -> dict[str, FactKind]:
        """These facts: `str` is a text, `float` a number. A case without such a piece has no value of them."""

    def quotes(self, answer: Answer, text: str) -> dict[str, str | float | None]:
        """Their values in a masked text. They are compared with rules and are in no record."""


@runtime_checkable
class ListedTask(Protocol):
    """A task with facts that are one of listed words."""

    def listed(self) -> Mapping[str, tuple[str, ...]]:
        """The words of each such fact."""


@runtime_checkable
class ChainedTask(Protocol):
    """A task with outputs by token that are scores of one sequence of tags (`tasks/tag_chain.py`).

    A model may have learned what follows what beside them: weights (size, size) of each such head, which the task puts
    into its calibrations.
    """

    @property
    def chains(self) -> tuple[str, ...]:
        """The names of these heads."""

    def chained(self, following: Mapping[str, Floats]) -> Task:
        """The same task of a model with these weights by the name of the head; its state and its gold are the same."""
