"""The part of a report about a search over options: every trial, the best one, and its options as YAML to copy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Scalar = bool | int | float | str | None
# A word that YAML 1.2 reads as itself; others are in quotes.
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_NO_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrialRow(_Part):
    """One trial. score: the task's first metric on validation rows; of a trial that was ended early, the best so far.

    state: `finished`; `ended` early, because earlier trials were better at that point; `failed`, with the reason.
    """

    number: Annotated[int, Field(ge=1)]
    values: dict[str, Scalar]
    state: Literal["finished", "ended", "failed"]
    score: float | None = None
    seconds: float = 0.0
    reason: str = ""


class SearchPart(_Part):
    """A search over options of the first step, on train and validation rows."""

    step: str
    metric: str = Field(description="the task's first metric, which decides")
    trials: tuple[TrialRow, ...]
    best: Annotated[int, Field(ge=1)] = Field(description="number of the best trial, of several the first")
    options: dict[str, Any] = Field(description="every option of the step in that trial that the recipe names")
    yaml: str = Field(description="the step with these options, as a recipe has it")
    importance: dict[str, float] = Field(
        {}, description="share of the variance of the score by option; empty: too few finished trials to say"
    )

    @property
    def best_score(self) -> float:
        """The score of the best trial."""
        return self.trials[self.best - 1].score or 0.0

    def count(self, state: str) -> int:
        """How many trials are in a state."""
        return sum(trial.state == state for trial in self.trials)


def step_as_yaml(name: str, options: Mapping[str, Any]) -> str:
    """A step as one line of a recipe: `- tune.full: {learning_rate: 1.2e-04, dropout: 0.1}`."""
    inside = ", ".join(f"{key}: {_value(value)}" for key, value in options.items())
    return f"- {name}: {{{inside}}}"


def values_in_words(values: Mapping[str, Scalar]) -> str:
    """Values by option as a person reads them: `learning_rate 0.00012, dropout 0.1`."""
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_value(str(key))}: {_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, float):
        # YAML reads `1e-05` as text in some versions, and `1.0e-05` as a number in all.
        figure = f"{value:.12g}"
        return figure.replace("e", ".0e") if "e" in figure and "." not in figure else figure
    if isinstance(value, str) and (not _WORD.fullmatch(value) or value.lower() in _NO_WORDS):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
