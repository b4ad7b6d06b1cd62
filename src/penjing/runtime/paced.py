"""A session whose engine runs in small passes, each in a turn that the caller grants; results do not change.

An engine's result for a text does not depend on what else is in the pass (docs/ARCHITECTURE.md, Replay), so a
pass may be split between any two rows. One row, a window of at most the model's own limit, is never split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import cast

from penjing.engines.protocol import Array, Engine, Outputs, Placed, one_after_another, run_with
from penjing.runtime.session import Session
from penjing.text.tokens import BATCHES, Tokens

# Rows of one pass have at most so many tokens together: some ten milliseconds of a small encoder on one core.
PASS_TOKENS = 512
Turn = Callable[[], AbstractContextManager[None]]


class PacedEngine:
    """An engine that takes a turn for each text that it encodes and for each small pass that it runs."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self._engine, self._turn = engine, turn
        self.tokens: Tokens | None = getattr(engine, "tokens", None)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """What the engine itself gives, text by text."""
        rows: list[Array] = []
        for text in texts:
            with self._turn():
                rows += self._engine.encode([text])
        return rows

    def run(self, batch: Sequence[Array], features: Array | None = None) -> Outputs:
        """Outputs of each head, the engine's own."""
        parts, start = [], 0
        while start < len(batch):
            size = self._size(batch[start:])
            own = slice(start, start + size)
            with self._turn():
                parts.append(run_with(self._engine, batch[own], None if features is None else features[own]))
            start += size
        return one_after_another(parts)

    def places(self, texts: Sequence[str]) -> list[Array]:
        """Where the pieces of each text are, of an engine without tokens that answers about pieces."""
        return cast(Placed, self._engine).places(texts)

    def fingerprint(self) -> dict[str, str]:
        """The fingerprint of the engine: turns change no result."""
        return self._engine.fingerprint()

    def _size(self, rows: Sequence[Array]) -> int:
        # The batch sizes of a session: an engine that prepares itself for every shape has already run them.
        if self.tokens is None:
            return min(len(rows), BATCHES[0])
        widest = max(map(len, rows[: BATCHES[0]]))
        return next(size for size in BATCHES if size == 1 or (size <= len(rows) and size * widest <= PASS_TOKENS))


def paced(session: Session, turn: Turn) -> Session:
    """The same session over the same engine, in turns; for a model of several stages, each of them."""
    return session.over(lambda engine: PacedEngine(engine, turn))
