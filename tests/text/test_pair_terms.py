"""Terms of pairs: what both have, what one has, how alike they are; their order changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.pair import join_texts
from penjing.text.pair_terms import MEASURES, pair_measures, pair_terms
from penjing.text.tfidf import Terms, fit_features

TERMS = Terms(1, 2)


def test_terms_of_both_and_of_one() -> None:
    found = pair_terms(["wa", "wb", "wb"], ["wb", "wc"])
    assert found == ["=wb", "≠wa", "≠wb", "≠wc", *MEASURES]


def test_measures_by_hand() -> None:
    found = pair_measures(TERMS.of("ab"), TERMS.of("ac"))
    assert found["~characters_1"] == pytest.approx(0.5) and found["~characters_2"] == 0 and found["~words"] == 0
    assert found["~cosine"] == pytest.approx(1 / 4) and found["~length"] == 1
    same = pair_measures(TERMS.of("ab"), TERMS.of("ab"))
    assert all(value == pytest.approx(1) for name, value in same.items() if name != "~characters_3")
    assert set(pair_measures([], []).values()) == {0.0}


def test_features_of_a_pair_have_norm_one_beside_the_measures_and_no_order() -> None:
    texts = [join_texts(f"text {i}", f"text {i % 3}") for i in range(9)]
    features = fit_features(texts)
    one, other = features.encode(join_texts("text 1", "text 2")), features.encode(join_texts("text 2", "text 1"))
    np.testing.assert_array_equal(one, other)
    assert (np.diff(one["index"]) > 0).all()
    measured = np.array([features.vocabulary[place] in MEASURES for place in one["index"]])
    assert measured.sum() == len(MEASURES)
    assert np.square(one["weight"][~measured]).sum() == pytest.approx(1, abs=1e-5)
    assert (one["weight"][measured] <= 1).all()
