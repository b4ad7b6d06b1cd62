"""The page of counters: what is counted is on it, and a cascade's own counts only where there is a cascade."""

from __future__ import annotations

from penjing.runtime.cascade import Tally
from penjing.serve.metrics import Metrics


def test_decisions_are_counted_and_the_share_of_reviews_follows() -> None:
    metrics = Metrics("id", "name")
    metrics.count_decision("refund", "automatic", "model")
    metrics.count_decision("refund", "review", "model")
    page = metrics.render().decode()
    assert 'penjing_decisions_total{decided_by="model",outcome="refund",route="review"} 1.0' in page
    assert "penjing_review_share 0.5" in page
    assert 'penjing_release_info{id="id",name="name"} 1.0' in page
    assert "cascade" not in page


def test_cascades_show_together_what_they_count_as_they_count() -> None:
    metrics, tally = Metrics("id", "name"), Tally()
    metrics.watch([tally, Tally(texts=2, exits=1)])
    tally.texts, tally.exits, tally.audited, tally.differed = 40, 30, 3, 1
    page = metrics.render().decode()
    for what, count in (("texts", 42), ("exits", 31), ("audited", 3), ("differed", 1)):
        assert f'penjing_cascade_texts{{what="{what}"}} {count}.0' in page
