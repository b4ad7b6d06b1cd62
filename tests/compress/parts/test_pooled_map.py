"""The loss of pooled states is the written one, and what is beside the classifier does not change its outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from penjing.compress.parts.pooled_map import PooledTargets, WithMap
from penjing.compress.parts.ridge import LinearMap
from penjing.core.nouns import Artifact
from penjing.model.encoder import load_classifier
from penjing.model.heads import mean_pool


def test_the_loss_is_the_written_one() -> None:
    # Means 2 and 10, spreads 1 and 2; a dimension without spread counts as nothing where it is met.
    states = np.array([[1.0, 8.0, 5.0], [3.0, 12.0, 5.0]], dtype=np.float32)
    targets = PooledTargets.of(states)
    assert targets.states.tolist() == [[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]]
    mapped = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
    # Row 1 first: 0, 0, 0; then row 0: 1, 4, 9; the mean of six.
    assert targets.loss(mapped, np.array([1, 0])).item() == pytest.approx(14 / 6)


def test_one_pass_gives_the_outputs_of_the_classifier_and_the_mapped_states(parent: Artifact) -> None:
    classifier = load_classifier(parent)
    generator = torch.Generator().manual_seed(0)
    fitted = LinearMap(torch.randn(5, 32, generator=generator), torch.randn(5, generator=generator), 0.1, 0.0)
    model = WithMap(classifier, fitted).eval()
    ids, mask = torch.randint(4, 20, (3, 9), generator=generator), torch.ones(3, 9, dtype=torch.int64)
    mask[1, 5:] = 0
    with torch.no_grad():
        outputs, mapped = model.both(ids, mask)
        assert torch.equal(model(ids, mask), classifier(ids, mask)) and torch.equal(outputs, classifier(ids, mask))
        states = mean_pool(classifier.encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask)
    assert mapped.numpy() == pytest.approx((states @ fitted.weight.T + fitted.bias).numpy(), abs=1e-5)
