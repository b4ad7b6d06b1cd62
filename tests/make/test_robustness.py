"""Noise on test rows, decided by the release itself: counted on the rows that it alters, the same again by the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.conftest import tiny_texts

from penjing.core.nouns import Artifact, Release, Table
from penjing.core.recipe import Recipe
from penjing.data.audit import Audit
from penjing.data.prepare import Prepared
from penjing.decide.decider import Decided, Decider
from penjing.make.in_their_time import by_model, decide_in_their_time, requests_of
from penjing.make.robustness import measure_robustness
from penjing.prove.score import Scored, score
from penjing.prove.sequence import upper_bound
from penjing.report.robust_part import NoiseRow, RobustPart
from penjing.train import near_words


@dataclass(frozen=True)
class Shop:
    """A release with its test rows as they were decided without noise."""

    decider: Decider
    data: Prepared
    scored: Scored
    decided: list[Decided]

    def measured(self, asked: Any, teacher: Artifact | None = None, seed: int = 0) -> RobustPart | None:
        recipe = {"name": "shop", "data": {"files": "a.csv"}, "steps": [{"tune.linear": None}], "seed": seed}
        given = Recipe.model_validate({**recipe, "robustness": asked})
        teacher = teacher or self.decider.release.artifact
        return measure_robustness(self.decider, self.scored, self.decided, self.data, given, teacher)


@pytest.fixture(scope="module")
def shop(tiny_release: Release) -> Shop:
    decider = Decider(tiny_release, threads=1)
    texts, labels = tiny_texts(80, seed=5)
    texts[0] = "⟦email⟧"
    fields = {"channel": ["web", "app"] * 40, "amount": [1.0] * 80}
    test = Table(texts, labels, range(2, 82), None, fields)
    empty = Table([], [], fields={"channel": [], "amount": []})
    train = Table(*tiny_texts(60), rows=range(60))
    data = Prepared(train, empty, empty, test, ("ham", "spam"), decider.session.task, "mixed", Audit(), "")
    scored = score(decider.session, test)
    return Shop(decider, data, scored, decide_in_their_time(decider, requests_of(test)))


def kinds(part: RobustPart | None) -> dict[str, NoiseRow]:
    assert part is not None
    return {one.kind: one for one in part.kinds}


def test_nothing_asked_is_nothing_measured(shop: Shop) -> None:
    assert shop.measured(False) is None and shop.measured({}) is None


def test_every_kind_is_counted_on_the_rows_that_it_alters(shop: Shop) -> None:
    part = shop.measured(True)
    assert part is not None and part.rows == 80 and part.unaltered == ()
    found = kinds(part)
    assert list(part.skipped) == ["synonyms"], "a linear model has no table of embeddings"
    assert set(found) == {"typos", "case", "homophones", "lookalikes", "traditional", "spaces", "invisible"}
    chinese = sum(any("\u4e00" <= one <= "\u9fff" for one in text) for text in shop.data.test.texts)
    assert found["homophones"].rows == chinese < 80, "the placeholder is never altered, English has none"
    for one in found.values():
        assert one.automated_before >= one.other_outcome + one.reviewed
        assert one.errors <= one.automated_after <= one.rows
        assert one.error_high == round(upper_bound(one.errors, one.automated_after), 6)
        assert one.difference.value == pytest.approx(one.score_after.value - one.score_before.value, abs=1e-5)
    # What cleaning removes changes nothing, and folding takes no account of case.
    for name in ("invisible", "case"):
        same = found[name]
        assert same.score_before == same.score_after and same.other_outcome == same.reviewed == 0


def test_the_same_seed_gives_the_same_figures_and_strength_matters(shop: Shop) -> None:
    asked = {"spaces": 0.9, "lookalikes": 0.9}
    assert shop.measured(asked) == shop.measured(asked)
    strong, weak = kinds(shop.measured(asked)), kinds(shop.measured({"spaces": 0.01, "lookalikes": 0.01}))
    moved = [one.other_outcome + one.reviewed for one in (strong["lookalikes"], weak["lookalikes"])]
    assert moved[0] > moved[1]
    assert strong["lookalikes"].score_after.value < strong["lookalikes"].score_before.value


def test_rows_are_at_most_as_many_as_asked(shop: Shop) -> None:
    part = shop.measured({"spaces": 0.5, "rows": 20})
    assert part is not None and part.rows == 20 and kinds(part)["spaces"].rows <= 20


def test_figures_without_noise_are_those_of_the_release(shop: Shop) -> None:
    one = kinds(shop.measured({"spaces": 0.5}))["spaces"]
    altered = [place for place, text in enumerate(shop.data.test.texts) if text != "⟦email⟧"]
    assert one.rows == len(altered)
    assert one.automated_before == sum(by_model(shop.decided[place].decision) for place in altered)
    assert one.score_before.value == shop.scored.interval(rows=altered).value


def test_a_search_is_as_strong_as_any_noise(
    shop: Shop, torch_artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {word.casefold() for text in shop.data.test.texts for word in text.split() if word.isalpha()}
    others = tuple(sorted(words))
    near = near_words.NearWords({word: tuple(other for other in others if other != word) for word in words})
    monkeypatch.setattr(near_words, "near_words_of", lambda artifact, texts: near)  # noqa: ARG005
    one = kinds(shop.measured({"synonyms": 1.0}, torch_artifact))["synonyms"]
    assert 0 < one.rows <= 80 and one.other_outcome + one.reviewed > 0
    assert one.score_after.value < one.score_before.value
