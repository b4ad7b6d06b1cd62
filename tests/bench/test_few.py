"""The bench of few labels: parts that never overlap, equal numbers of steps, results that survive a kill."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penjing.data.dedupe import Duplicates

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(BENCH))
    import few

    yield few
    sys.modules.pop("few", None)


def rows(count: int) -> list[tuple[str, str]]:
    return [(f"text number {place} of {'abc'[place % 3]} {place * 7919}", "abc"[place % 3]) for place in range(count)]


@pytest.fixture
def parts(few: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(few, "TEST", 30)
    monkeypatch.setattr(few, "UNLABELLED", 30)
    monkeypatch.setattr(few, "find_duplicates", lambda *_: Duplicates((), (), (), (), ()))
    return few.split(rows(300))


def test_no_text_is_in_two_parts_and_a_draw_has_as_many_rows_of_each_label(parts: Any) -> None:
    train, validation = parts.drawn(8, 0)
    texts = [*train.texts, *validation.texts, *parts.unlabelled, *(text for text, _ in parts.test)]
    assert len(set(texts)) == len(texts) == 24 + 24 + 60
    for table in (train, validation):
        assert sorted(table.labels or ()) == ["a"] * 8 + ["b"] * 8 + ["c"] * 8
    assert parts.drawn(8, 0)[0].texts == train.texts != parts.drawn(8, 1)[0].texts


def test_every_size_takes_about_sixty_steps(few: Any) -> None:
    for size in few.SIZES:
        for labels in (2, 3):
            rows_in_all = size * labels
            assert 60 <= few.passes(rows_in_all) * -(-rows_in_all // few.ROWS) < 60 + -(-rows_in_all // few.ROWS)


def test_every_method_takes_its_options_and_results_are_added(few: Any, tmp_path: Path) -> None:
    from penjing.core.methods import load_method
    from penjing.core.options import build_options

    for method in few.COMPARED:
        options = load_method(method, few.METHODS, "").options
        build_options(options, few.options_of(method, 16, few.SETS["phrasebank"]), "")
    path = tmp_path / "few.json"
    few.add_result(path, "a", {"macro_f1": 0.5})
    few.add_result(path, "b", {"macro_f1": 0.25})
    assert few.read_results(path) == {"a": {"macro_f1": 0.5}, "b": {"macro_f1": 0.25}}


def test_every_tenth_text_is_held_out(few: Any) -> None:
    corpus = few.Texts([str(place) for place in range(20)])
    assert list(corpus.documents("held_out")) == ["9", "19"]
    assert len(list(corpus.documents("train"))) == 18
