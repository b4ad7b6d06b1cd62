"""Text -> prediction: mask, tokenize, bucket by length, engine, calibrate; one path for evaluation and for serving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from penjing.core.nouns import Artifact, Prediction
from penjing.core.task import Outputs
from penjing.data.mask import Masked, open_masking
from penjing.engines.protocol import Engine, Logits
from penjing.tasks import calibration_of, task_of
from penjing.text.tokens import BUCKETS, Ids, Tokens

DIGITS = 6
# Features of the linear engine need no buckets: so many rows a pass bound its memory.
_SLICE = 256


class Session:
    """An artifact ready to predict. Safe to use from several threads: its engine takes one run at a time.

    long_texts: "chunk" scores a text of more than `max_tokens` in overlapping windows and takes the mean of their
    logits, each weighted by the tokens that it adds, so that every token counts once; "review" scores the first
    window only and says `too_long`.
    """

    def __init__(self, artifact: Artifact, engine: Engine, long_texts: Literal["chunk", "review"] = "chunk") -> None:
        self.artifact = artifact
        self.labels = artifact.card.labels
        self.masking = open_masking(artifact.card.masking, str(artifact.folder))
        self.engine = engine
        self.long_texts = long_texts
        self._tokens: Tokens | None = getattr(engine, "tokens", None)
        self.task = task_of(artifact.card, str(artifact.folder))
        self.calibration = calibration_of(artifact.card)
        self._head = next(iter(self.task.heads))

    def prepare(self, raw: str) -> Masked:
        """A raw text cleaned, and masked as the model's data was. Raises RequestError for NUL or a lone surrogate."""
        return self.masking.prepare(raw)

    def predict(self, masked: Sequence[str]) -> list[Prediction]:
        """One prediction a masked text, in their order; probabilities are calibrated and rounded to 1e-6.

        A text's probabilities depend on that text alone, not on the others of the call.
        """
        if not masked:
            return []
        return self._predictions(*self._score(masked))

    def answering(self, masked: str) -> Session:  # noqa: ARG002 - a session of one model has one answer
        """The session to explain a text with: of several stages the one that answered it, scaled as the answer was."""
        return self

    @property
    def tokens(self) -> Tokens | None:
        """The tokenizer, of a model that reads tokens."""
        return self._tokens

    def _predictions(self, logits: Logits, too_long: Sequence[bool]) -> list[Prediction]:
        answers = self.task.decode({self._head: logits}, self.calibration, ())
        return [Prediction(self.artifact.id, one, long) for one, long in zip(answers, too_long, strict=True)]

    def logits(self, masked: Sequence[str]) -> Logits:
        """Logits (n, labels) float32 of masked texts, before the temperature."""
        return self._score(masked)[0] if masked else np.zeros((0, len(self.labels)), dtype=np.float32)

    def outputs(self, masked: Sequence[str]) -> Outputs:
        """Outputs of n masked texts by the name of the head, before the calibration."""
        return {self._head: self.logits(masked)}

    def fingerprint(self) -> dict[str, str]:
        """What the last bits of a probability depend on: engine, version, instruction set, threads."""
        return self.engine.fingerprint()

    def warm(self) -> None:
        """Meet every shape once (about a second), so that no request pays for an engine's preparation of it."""
        if self._tokens is None:
            # A word in Chinese, so that a model that cuts words loads its dictionary now (one to two seconds).
            self.engine.run(self.engine.encode(["预热"]))
            return
        body = self._tokens.encode(["a"])[0]
        for length in sorted({min(bucket, self._tokens.limit) for bucket in BUCKETS}):
            self.engine.run([np.resize(body, length)])

    def _score(self, masked: Sequence[str]) -> tuple[Logits, list[bool]]:
        """Logits (n, labels) and whether a text was left unfinished."""
        rows = self.engine.encode(masked)
        if self._tokens is None and len(rows) <= _SLICE:
            return self.engine.run(rows), [False] * len(rows)
        if self._tokens is None:
            parts = [self.engine.run(rows[first : first + _SLICE]) for first in range(0, len(rows), _SLICE)]
            return np.concatenate(parts), [False] * len(rows)
        limit = self._tokens.limit
        if len(rows) == 1 and len(rows[0]) <= limit:
            return self.engine.run(rows), [False]
        return self._score_windows(self._tokens, rows)

    def _score_windows(self, tokens: Tokens, rows: Sequence[Ids]) -> tuple[Logits, list[bool]]:
        pieces: list[Ids] = []
        weights: list[int] = []
        owners: list[int] = []
        too_long = []
        for owner, row in enumerate(rows):
            windows = tokens.windows(row)
            unfinished = len(windows) > 1 and self.long_texts == "review"
            too_long.append(unfinished)
            for window in windows[:1] if unfinished else windows:
                pieces.append(window.ids)
                weights.append(window.weight)
                owners.append(owner)
        scored = np.empty((len(pieces), len(self.labels)), dtype=np.float32)
        for batch in tokens.batches(pieces):
            scored[batch] = self.engine.run([pieces[place] for place in batch])
        if len(pieces) == len(rows):
            return scored, too_long
        share = np.array(weights, dtype=np.float64)
        total = np.bincount(owners, weights=share)
        summed = np.zeros((len(rows), len(self.labels)))
        np.add.at(summed, owners, scored * share[:, None])
        result = (summed / total[:, None]).astype(np.float32)
        # A text in one piece keeps the engine's own bits.
        single = np.bincount(owners) == 1
        first = np.searchsorted(owners, np.arange(len(rows)))
        result[single] = scored[first[single]]
        return result, too_long
