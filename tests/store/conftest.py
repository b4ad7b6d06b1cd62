"""A fresh database and decisions to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penjing.core.answers import Choice
from penjing.core.nouns import Decision, Prediction
from penjing.store.database import Store, open_store
from penjing.store.records import Record, make_record


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'penjing.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def make() -> Callable[..., Record]:
    def make_one(identity: str, *, route: str = "automatic", text: str | None = "免费领奖 ⟦mobile⟧") -> Record:
        probabilities = {"ham": 0.125, "spam": 0.875}
        decision = Decision(
            id=identity,
            release="a" * 64,
            outcome="spam",
            route=route,  # type: ignore[arg-type]
            decided_by="model",
            forced=False,
            reason="p 0.875 is at or above the threshold 0.8",
            facts={"label": "spam", "p": 0.875, "probabilities": probabilities, "fields": {}},
        )
        prediction = Prediction("b" * 64, Choice(("ham", "spam"), (0.125, 0.875)))
        return make_record(decision, prediction, text, {"engine": "linear 1"}, {"spans": []})

    return make_one
