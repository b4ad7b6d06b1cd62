"""The page of a grown base: what was measured on held-out text, and what was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.nouns import Artifact, Card
from penjing.report.grown import GrownPage, render_grown

LINES = [
    {"of": "1 pretrain.mlm", "step": n, "loss": 3.0, "rate": 1e-3, "tokens_per_s": 9.0, "held_out_loss": 2.0}
    for n in (1, 2)
]


def page(held_out: bool) -> GrownPage:
    notes = {"family": "encoder", "held_out": held_out, "pseudo_perplexity": {}}
    card = Card(form="torch", method="pretrain.mlm", notes=notes, lineage=({"method": "pretrain.mlm"},))
    perplexity = {"law": {"before": None, "after": 12.5}} if held_out else {}
    return GrownPage("base", Artifact(Path("x"), "0" * 64, card), perplexity, LINES)


@pytest.mark.parametrize(("language", "said"), [("en", "hold out no documents"), ("zh", "没有留出的文档")])
def test_without_held_out_documents_no_perplexity_is_shown(language: str, said: str) -> None:
    with_it, without = render_grown(page(True), language), render_grown(page(False), language)
    assert said not in with_it and "12.50" in with_it
    assert said in without and "12.50" not in without
    assert with_it.count("<polyline") + with_it.count("<path") > without.count("<polyline") + without.count("<path")
