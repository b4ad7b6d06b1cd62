"""Scores are in the order of the rows, and agreement counts labels."""

from __future__ import annotations

from penjing.core.nouns import Release, Table
from penjing.prove.score import score
from penjing.runtime.open import open_session


def test_score(tiny_release: Release) -> None:
    session = open_session(tiny_release.artifact, threads=1)
    table = Table(texts=["free prize claim your reward", "see you at lunch"], labels=["spam", "ham"])
    scored = score(session, table)
    assert [scored.labels[i] for i in scored.truth] == ["spam", "ham"]
    assert scored.guess.tolist() == scored.truth.tolist()
    assert scored.probabilities.shape == (2, 2)
    assert scored.agreement(scored) == 1.0
    assert score(session, Table(texts=[], labels=[])).agreement(scored) == 1.0
