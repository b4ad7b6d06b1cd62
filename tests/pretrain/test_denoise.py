"""Span denoising: what is written put in the place of the sentinels gives the text back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pretrain_toys import batch_of, kit_of, network_of

from penjing.pretrain.denoise import NOTHING, HiddenSpans, Options, hide_spans
from penjing.pretrain.parts.network import NetworkWithHeads


@pytest.mark.parametrize("length", [2, 3, 7, 40, 300])
def test_the_spans_restore_the_text(length: int) -> None:
    _, _, marks = network_of("t5")
    ids = np.random.default_rng(0).choice(marks.ordinary, size=length)
    for seed in range(20):
        read, written = hide_spans(ids, marks, Options(), np.random.default_rng(seed))
        assert read[-1] == written[-1] == marks.after[-1]
        spans: dict[int, list[int]] = {}
        for token in written[:-1]:
            if token in marks.sentinels:
                spans[int(token)] = []
            else:
                spans[list(spans)[-1]].append(int(token))
        restored = [part for token in read[:-1] for part in spans.get(int(token), [int(token)])]
        assert restored == ids.tolist()
        assert list(spans) == list(marks.sentinels[: len(spans)])
        assert sum(map(len, spans.values())) == min(max(1, round(0.15 * length)), length - 1)


def test_spans_are_of_the_mean_length() -> None:
    _, _, marks = network_of("t5")
    ids = np.random.default_rng(0).choice(marks.ordinary, size=200)
    _, written = hide_spans(ids, marks, Options(), np.random.default_rng(1))
    assert np.isin(written, marks.sentinels).sum() == 10


def test_the_loss_is_that_of_the_written_tokens(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "t5")
    network, term = NetworkWithHeads(kit.model, {}).eval(), HiddenSpans(kit, Options())
    batch = term.change(batch_of(kit.marks, [20, 9]), np.random.default_rng(0))
    loss = term.loss(network, batch, lambda: torch.empty(0))
    own = kit.model(
        input_ids=torch.from_numpy(batch.ids),
        attention_mask=torch.from_numpy((batch.documents > 0).astype(np.int64)),
        labels=torch.from_numpy(batch.targets["written"]),
    ).loss
    assert loss.item() == pytest.approx(own.item(), abs=1e-5)
    assert term.count(batch) == (batch.targets["written"] != NOTHING).sum()
