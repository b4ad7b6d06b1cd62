"""Early exit: a text stops at the first classifier that is confident enough, and the layers above do not run.

The encoder is cut into stages, each with a classifier at its top: ids -> (logits, hidden), hidden -> (logits, hidden),
hidden -> logits. Each text runs by itself, so that other texts neither delay it nor change its result. A machine that
sums in another order may stop a text at another stage if its probability is exactly at a threshold. Its probability
may then change by more than the tolerance.
Source: Xin, Tang, Lee, Yu, Lin, DeeBERT, 2020; Schwartz, Stanovsky, Swayamdipta, Dodge, Smith, The Right Tool for the
Job, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from penjing.core.errors import DamageError
from penjing.core.formats import refuse_newer
from penjing.core.nouns import Artifact
from penjing.engines.onnx import open_model
from penjing.engines.protocol import Array, Device, Logits, Outputs, label_head
from penjing.tasks.metrics import softmax
from penjing.text.tokens import Tokens

EXITS = "exits.json"
# Probabilities are compared as rounded as a prediction's are.
_DIGITS = 6


class Exits(BaseModel):
    """`exits.json`: the least probability with which a text stops at each stage; the last stage has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    thresholds: tuple[float, ...] = Field(min_length=1)


class ExitEngine:
    """Stages of an encoder in ONNX Runtime; its `run` may be called from several threads."""

    def __init__(self, stages: Sequence[Any], exits: Exits, tokens: Tokens, facts: dict[str, str], head: str) -> None:
        self.tokens, self._head = tokens, head
        self._stages, self._thresholds = stages, exits.thresholds
        self._fingerprint = facts

    @classmethod
    def load(cls, artifact: Artifact, threads: int, device: Device = "cpu") -> ExitEngine:
        """Open every stage. Raises MissingPackageError (no onnxruntime, or no device), DamageError, or UsageError for
        a task that does not give one label a text."""
        head = label_head(artifact, "dynamic depth")
        try:
            exits = Exits.model_validate_json((artifact.folder / EXITS).read_bytes())
        except (FileNotFoundError, ValidationError) as error:
            if isinstance(error, ValidationError):
                refuse_newer((artifact.folder / EXITS).read_bytes(), 1, EXITS, str(artifact.folder))
            raise DamageError(
                f"{EXITS} cannot be used: {error}",
                where=str(artifact.folder),
                fix="copy the folder again from where it was made, or make it again",
            ) from None
        names = [stage_name(place) for place in range(len(exits.thresholds) + 1)]
        opened = [open_model(artifact, name, threads, device) for name in names]
        return cls([session for session, _ in opened], exits, Tokens.load(artifact), opened[0][1], head)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """Token ids of each text, (tokens,) int64."""
        return list(self.tokens.encode(texts))

    def run(self, batch: Sequence[Array]) -> Outputs:
        """Logits (batch, labels) float32 of the one head, for each row those of the stage at which it stops."""
        return {self._head: np.concatenate([self._run(row)[0] for row in batch])}

    def depths(self, batch: Sequence[Array]) -> list[int]:
        """The stage at which each row stops, from 0."""
        return [self._run(row)[1] for row in batch]

    def every(self, batch: Sequence[Array]) -> Outputs:
        """Logits (batch, stages * labels) float32 of all stages side by side; no row stops early."""
        return {self._head: np.concatenate([np.concatenate(list(self._stagewise(row)), axis=1) for row in batch])}

    def fingerprint(self) -> dict[str, str]:
        """Engine, version, instruction set, threads."""
        return dict(self._fingerprint)

    def _run(self, row: Array) -> tuple[Logits, int]:
        for stage, logits in enumerate(self._stagewise(row)):
            if stage == len(self._thresholds) or sureness(logits)[0] >= self._thresholds[stage]:
                return logits, stage
        raise AssertionError("the last stage always answers")

    def _stagewise(self, row: Array) -> Any:
        """Yields the logits (1, labels) of each stage; a stage runs only when its logits are asked for."""
        ids = np.asarray(row, dtype=np.int64)[None, :]
        mask, given = np.ones_like(ids), {"input_ids": ids}
        for session in self._stages:
            logits, *hidden = session.run(None, given | {"attention_mask": mask})
            yield logits
            given = {"hidden": hidden[0]} if hidden else {}


def sureness(logits: Logits) -> Any:
    """The highest probability of each row, (n,) float64, as thresholds are compared with it."""
    return np.round(softmax(logits, 1.0).max(axis=1), _DIGITS)


def stage_name(place: int) -> str:
    """The file of a stage, from 0."""
    return f"stage{place}.onnx"


def stage_files(folder: Path) -> list[Path]:
    """The files of all stages, in their order."""
    return sorted(folder.glob("stage*.onnx"), key=lambda path: int(path.stem.removeprefix("stage")))
