"""The scope: usual texts stay in it as often as was asked, planted ones do not, and figures against brute force."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from penjing.core.nouns import Inputs, Run, Table
from penjing.prove.scope import compared, fit_scope, measure_scope, rank, seen_grams
from penjing.runtime.open import open_session
from penjing.runtime.session import Session
from penjing.tune import linear

WORDS = {
    "card": "card lost stolen blocked pin chip replace new debit credit limit raise expired arrive post",
    "loan": "loan rate house mortgage interest repay term early month broker offer fixed sum borrow lend",
    "fees": "fee charge twice refund statement abroad transfer monthly wrong month waive cost price bill pay",
}
COMMON = "please my the a is about why can you tell me help with this today again for"
PLANTED = ["xqzv kkwj zzpl", "今天天气怎么样", "@@@@ #### 77777", "lorem ipsum dolor sit amet", "çà et là, l'été"]


def sample(count: int, seed: int) -> Table:
    draw, texts, labels = random.Random(seed), [], []
    while len(texts) < count:
        label = draw.choice(sorted(WORDS))
        words = draw.choices(WORDS[label].split(), k=draw.randint(2, 5))
        words += draw.choices(COMMON.split(), k=draw.randint(2, 6))
        texts.append(" ".join(draw.sample(words, len(words))))
        labels.append(label)
    return Table(texts, labels, range(count))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("scope")
    run = Run(out=folder / "linear", scratch=folder / "scratch", threads=1)
    options = linear.Options(c=(4.0,))
    return open_session(linear.apply(Inputs(None, sample(500, 0), sample(400, 1)), options, run), threads=1)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
def test_usual_texts_are_rejected_as_often_as_was_asked(share: float, session: Session) -> None:
    train, validation, fresh = sample(500, 0), sample(400, 1), sample(4000, 2)
    scope = fit_scope(session, train.texts, validation, share)
    served = session.within(scope)
    out = sum(each.out_of_scope for each in served.predict(validation.texts))
    assert out == rank(400, share) - 1 and scope.spec.share <= share
    rejected = np.mean([each.out_of_scope for each in served.predict(fresh.texts)])
    # Of 400 validation rows, the share beyond the k-th largest is beta distributed: k of 401.
    spread = 3.3 * np.sqrt(share * (1 - share) / 400) + 0.002
    assert share - spread < rejected < share + spread
    assert all(each.out_of_scope for each in served.predict(PLANTED))


def test_the_same_rows_give_the_same_scope(session: Session) -> None:
    train, validation = sample(500, 0), sample(400, 1)
    one, two = (fit_scope(session, train.texts, validation, 0.02) for _ in range(2))
    assert one.spec == two.spec and one.grams is not None and two.grams is not None
    assert (one.grams.seen == two.grams.seen).all()


def test_with_too_few_rows_only_what_is_beyond_all_of_them_is_out(session: Session) -> None:
    validation = sample(20, 1)
    scope = fit_scope(session, sample(500, 0).texts, validation, 0.015)
    assert scope.spec.share == round(1 / 21, 6) and scope.spec.rows == 20
    assert not any(each.out_of_scope for each in session.within(scope).predict(validation.texts))
    assert session.within(scope).predict(PLANTED[:1])[0].out_of_scope


def test_the_rank_is_that_of_the_share() -> None:
    assert [rank(rows, 0.015) for rows in (1, 65, 66, 199, 3000)] == [1, 1, 1, 3, 45]
    assert [rank(rows, 0.2) for rows in (1, 4, 5, 9)] == [1, 1, 1, 2]


def test_buckets_grow_with_the_texts() -> None:
    few, many = seen_grams(["abc"]), seen_grams([f"{n * 7919 % 10007} words" for n in range(8000)])
    assert few.bits == 12 < many.bits
    assert many.seen.mean() <= 1 / 8 and many.unseen("7919 words") == 0.0
    assert seen_grams([]).unseen("a") == 1.0


def test_figures_are_those_of_brute_force() -> None:
    random = np.random.default_rng(0)
    inside, outside = random.normal(size=300).round(1), random.normal(1.2, size=80).round(1)
    auroc, false = compared(inside, outside, draws=400)
    pairs = [(out > one) + 0.5 * (out == one) for out in outside for one in inside]
    assert auroc.value == pytest.approx(np.mean(pairs), abs=1e-6)
    limit = max(each for each in outside if np.mean(outside >= each) >= 0.95)
    assert false.value == pytest.approx(np.mean(inside >= limit), abs=1e-6)
    assert auroc.low < auroc.value < auroc.high and false.low < false.value < false.high
    assert 0.02 < auroc.high - auroc.low < 0.15
    assert compared(inside, outside, draws=400) == (auroc, false)


def test_without_an_error_the_bounds_are_those_of_a_proportion() -> None:
    auroc, false = compared(np.zeros(50), np.ones(20), draws=50)
    assert (auroc.value, auroc.high, false.value, false.low) == (1.0, 1.0, 0.0, 0.0)
    assert auroc.low == pytest.approx(0.025 ** (1 / 20), abs=1e-6) and false.high == pytest.approx(1 - auroc.low)


def test_the_scope_of_a_release_is_measured_on_named_sets(session: Session) -> None:
    served = session.within(fit_scope(session, sample(500, 0).texts, sample(400, 1), 0.02))
    test = sample(300, 3)
    found = measure_scope(
        served, served.predict(test.texts), {"planted": PLANTED, "usual": sample(200, 4).texts, "": []}
    )
    assert found is not None and found.asked == served.scope.spec.share  # type: ignore[union-attr]
    assert found.rejected.low <= found.rejected.value <= found.rejected.high < 0.08
    planted, usual = found.outside
    assert (planted.texts, planted.recall.value, planted.auroc.value) == (5, 1.0, 1.0)
    assert usual.auroc.low < 0.5 < usual.auroc.high and usual.recall.value < 0.08
    assert measure_scope(session, session.predict(test.texts), {}) is None


def test_a_folder_keeps_what_the_session_says(session: Session, tmp_path: Path) -> None:
    from penjing.runtime.scope import read_scope

    scope = fit_scope(session, sample(500, 0).texts, sample(400, 1), 0.02)
    scope.write(tmp_path)
    texts = [*sample(50, 5).texts, *PLANTED]
    assert session.within(read_scope(tmp_path)).predict(texts) == session.within(scope).predict(texts)
