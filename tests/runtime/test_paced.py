"""A paced session: the same results to the bit, in passes that are small, of every kind of session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from penjing.core.nouns import Release
from penjing.runtime.open import open_session
from penjing.runtime.paced import PASS_TOKENS, PacedEngine, paced
from penjing.runtime.session import Session
from penjing.text.tokens import BATCHES


class Turns:
    """Counts turns and sees that none is taken within another."""

    def __init__(self) -> None:
        self.count = self.inside = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        self.count += 1
        self.inside += 1
        assert self.inside == 1
        yield
        self.inside -= 1


class Rows:
    """An engine over rows of numbers that notes the size of each pass."""

    class _Tokens:
        limit = 512

    def __init__(self, tokens: bool) -> None:
        self.passes: list[list[int]] = []
        if tokens:
            self.tokens = self._Tokens()

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [np.zeros(len(text), dtype=np.int64) for text in texts]

    def run(self, batch: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        self.passes.append([len(row) for row in batch])
        return {"label": np.array([[len(row), 0.0] for row in batch], dtype=np.float32)}

    def fingerprint(self) -> dict[str, str]:
        return {"engine": "rows"}


def test_a_pass_has_few_tokens_and_a_batch_size_that_the_engine_knows() -> None:
    turns, rows = Turns(), Rows(tokens=True)
    engine = PacedEngine(rows, turns.turn)  # type: ignore[arg-type]
    batch = [np.zeros(length, dtype=np.int64) for length in [20] * 35 + [100] * 9 + [512] * 3]
    found = engine.run(batch)["label"]
    assert [int(value) for value in found[:, 0]] == [len(row) for row in batch], "in the order of the rows"
    assert {len(each) for each in rows.passes} <= set(BATCHES)
    assert all(len(each) == 1 or sum(each) <= PASS_TOKENS for each in rows.passes)
    assert turns.count == len(rows.passes)
    assert engine.fingerprint() == rows.fingerprint()


def test_texts_are_encoded_one_a_turn_and_features_run_in_slices() -> None:
    turns, rows = Turns(), Rows(tokens=False)
    engine = PacedEngine(rows, turns.turn)  # type: ignore[arg-type]
    assert engine.tokens is None
    assert len(engine.encode(["a"] * 5)) == turns.count == 5
    engine.run([np.zeros(9)] * 40)
    assert [len(each) for each in rows.passes] == [16, 16, 8]


@pytest.mark.parametrize("texts", [["win cash now"], ["win cash now " * 300, "明天开会", "see you", "x"] * 5])
def test_predictions_are_the_same(tiny_release: Release, texts: list[str]) -> None:
    session, turns = open_session(tiny_release.artifact, threads=1), Turns()
    slow: Session = paced(session, turns.turn)
    assert slow.predict(texts) == session.predict(texts)
    assert turns.count >= len(texts)
    assert slow.fingerprint() == session.fingerprint()
    assert not isinstance(session.engine, PacedEngine), "the session itself stays as it was"
