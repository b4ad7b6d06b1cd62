"""The three methods that every engine has, and what the last bits of its outputs depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt

from penjing.core.errors import DamageError, UsageError
from penjing.core.machine import instruction_set
from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.tasks import task_of

Array = npt.NDArray[Any]
Logits = npt.NDArray[np.float32]
Outputs = Mapping[str, Array]
Device = Literal["cpu", "cuda", "tensorrt"]


class Engine(Protocol):
    """A model ready to run. `encode` and `run` may be called from several threads; runs of one engine take turns.

    An engine over token ids also has `tokens: Tokens`; a session then cuts long texts and groups by length.
    """

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """One array a masked text: token ids (tokens,) int64 with the special tokens, or features."""
        ...

    def run(self, batch: Sequence[Array]) -> Outputs:
        """Outputs of what `encode` gave, in one pass, float32, by the name of the head (`Task.heads` of the artifact).

        pooled: (batch, size); token and span: (batch, tokens, size), where the values after a row's own tokens have
        no meaning.
        """
        ...

    def fingerprint(self) -> dict[str, str]:
        """What the last bits of the outputs depend on: engine, version, instruction set, threads."""
        ...


class ReadsFields(Engine, Protocol):
    """An engine of a model that reads declared fields beside the text."""

    def run(self, batch: Sequence[Array], features: Array | None = None) -> Outputs:
        """As of any engine; features: (batch, columns) float32 of `FieldFeatures.encode` (None: zeros)."""
        ...


class Placed(Engine, Protocol):
    """An engine without token ids whose outputs are of pieces of a text that it chooses itself."""

    def places(self, texts: Sequence[str]) -> list[Array]:
        """[start, end) of each piece of each text, (pieces, 2) in characters."""
        ...


def run_with(engine: Engine, batch: Sequence[Array], features: Array | None) -> Outputs:
    """Outputs of a batch; features: those of its rows, of a model that reads declared fields, else None."""
    return engine.run(batch) if features is None else cast(ReadsFields, engine).run(batch, features)


def fingerprint(engine: str, version: str, threads: int) -> dict[str, str]:
    """The four facts of a numeric fingerprint; `batch` and padding are not in it because no result depends on them."""
    return {"engine": engine, "version": version, "instruction_set": instruction_set(), "threads": str(threads)}


def heads_of(artifact: Artifact) -> Mapping[str, Head]:
    """The heads of an artifact's task. Raises UsageError for a task that is not known here."""
    return task_of(artifact.card, str(artifact.folder)).heads


def does_not_fit(name: str, folder: Path, error: Exception) -> DamageError:
    """The error for a file of a model that cannot be read, or whose arrays do not fit the heads."""
    return DamageError(
        f"{name} does not fit the model: {error}",
        where=str(folder),
        fix="copy the folder again from where it was made, or make it again",
    )


def label_head(artifact: Artifact, what: str) -> str:
    """The head of a model that gives one label a text. Raises UsageError for any other: `what` cannot serve it."""
    heads = heads_of(artifact)
    if [head.loss for head in heads.values()] != ["cross_entropy"]:
        raise UsageError(
            f"{what} chooses by the probability of one label a text; the task `{artifact.card.task}` has none",
            where=str(artifact.folder),
            fix="take another compression for this task",
        )
    return next(iter(heads))


def split_columns(joined: Array, heads: Mapping[str, Head]) -> Outputs:
    """Pooled outputs that are side by side, (batch, sum of the sizes), by the name of the head."""
    if len(heads) == 1:
        return dict.fromkeys(heads, joined)
    ends = np.cumsum([head.size for head in heads.values()])[:-1]
    return dict(zip(heads, np.split(joined, ends, axis=1), strict=True))


def one_after_another(parts: Sequence[Outputs]) -> Outputs:
    """Outputs of several batches as those of one; outputs by token are padded with zeros to the widest."""
    if len(parts) == 1:
        return parts[0]
    return {name: _stack([part[name] for part in parts]) for name in parts[0]}


def _stack(parts: Sequence[Array]) -> Array:
    if parts[0].ndim == 3:
        widest = max(part.shape[1] for part in parts)
        parts = [np.pad(part, ((0, 0), (0, widest - part.shape[1]), (0, 0))) for part in parts]
    return np.concatenate(parts)
