"""Pooled states are those of the encoder, computed once for all steps of a run, kept through a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from penjing.compress.parts import pooled, slices
from penjing.compress.parts.pooled import pooled_states
from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.encoder import load_encoder
from penjing.text.tokens import open_tokenizer


def by_hand(artifact: Artifact, text: str, limit: int) -> np.ndarray:
    ids = open_tokenizer(artifact.folder).encode(text).ids
    ids = ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]
    with torch.inference_mode():
        hidden = load_encoder(artifact)(input_ids=torch.tensor([ids])).last_hidden_state[0]
    return np.asarray(hidden.mean(dim=0).numpy())


def test_they_are_means_of_the_last_states_in_the_order_of_the_texts(
    inputs: Inputs, parent: Artifact, other_base: Artifact, tmp_path: Path
) -> None:
    texts = list(inputs.train.texts)[:20]
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    for one, limit in ((parent, 48), (other_base, 48), (parent, 10)):
        found = pooled_states(one, texts, limit, run, "")
        assert found == pytest.approx(np.stack([by_hand(one, text, limit) for text in texts]), abs=1e-5)
    # A base has no embedding of a placeholder: it gets that of the mean, as in a tuning.
    masked = pooled_states(other_base, ["the room ⟦mobile⟧"], 48, run, "")
    assert np.isfinite(masked).all() and masked.shape == (1, 24)
    assert pooled_states(parent, [], 48, run, "").shape == (0, 32)


def test_slices_are_stored_shared_and_made_again_where_they_are_damaged(
    inputs: Inputs, parent: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "_SLICE", 16)
    texts, made = list(inputs.train.texts)[:40], []
    compute = pooled._compute

    def counted(*given: Any) -> np.ndarray:
        rows = compute(*given)
        made.append(len(rows))
        return rows

    monkeypatch.setattr(pooled, "_compute", counted)
    first = Run(tmp_path / "a", tmp_path / "a.scratch", threads=1, shared=tmp_path / "shared")
    found = pooled_states(parent, texts, 48, first, "")
    assert made == [16, 16, 8]
    second = Run(tmp_path / "b", tmp_path / "b.scratch", threads=1, shared=tmp_path / "shared")
    assert (pooled_states(parent, texts[::-1], 48, second, "")[::-1] == found).all() and len(made) == 3
    stored = sorted((tmp_path / "shared" / "pooled").iterdir())
    stored[0].write_bytes(stored[0].read_bytes()[:-5])
    stored[1].unlink()
    with pytest.raises(RunInterruptedError):
        pooled_states(parent, texts, 48, Run(tmp_path / "c", tmp_path / "c.s", stop=lambda: True), "")
    assert (pooled_states(parent, texts, 48, second, "") == found).all() and len(made) == 5
    # Cut at another length, or by another encoder, they are others.
    pooled_states(parent, texts, 12, second, "")
    assert len(made) == 8
