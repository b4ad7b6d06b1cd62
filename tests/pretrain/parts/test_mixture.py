"""The loss of a step is the weighted sum of means over the whole batch, whatever the parts it is computed in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pretrain_toys import ToyCorpus, batch_of, tokenizer

from penjing.core.errors import UsageError
from penjing.data.corpus.tokens import TokenSettings, open_tokens
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.marks import find_marks
from penjing.pretrain.parts.mixture import Mixture, check_terms
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.stream import RowShape, Stream
from penjing.pretrain.parts.term import Term


class MeanId(Term):
    """The mean id of the content, times the one weight of the network."""

    def count(self, batch: TextBatch) -> int:
        return int(batch.content.sum())

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:  # noqa: ARG002
        return network.model.weight.sum() * float(batch.ids[batch.content].mean())  # type: ignore[operator, union-attr]


class MeanSquare(MeanId):
    """The mean square of the source number, over the rows of an even source alone."""

    changes = True

    def count(self, batch: TextBatch) -> int:
        return int((batch.sources % 2 == 0).sum())

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:  # noqa: ARG002
        even = batch.sources[batch.sources % 2 == 0]
        return network.model.weight.sum() * float((even**2).mean())  # type: ignore[operator, union-attr]


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    words = tokenizer()
    store = open_tokens([ToyCorpus(10)], "train", TokenSettings(words), tmp_path)
    return Stream(store, find_marks(words, "encoder"), RowShape(24, 96, packed=False), 0, 600)


def network() -> NetworkWithHeads:
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(layer.weight)
    return NetworkWithHeads(layer, {})


@pytest.mark.parametrize("parts", [1, 3, 50])
def test_the_parts_of_a_step_add_up_to_the_loss_and_gradient_of_the_whole(stream: Stream, parts: int) -> None:
    made = Mixture({"ids": (2.0, MeanId()), "even": (0.5, MeanSquare())}, stream, [], parts, 1)
    grown = network()
    for rows in made.batches(0)[:4]:
        batch = stream.read(rows)
        even = [int(source) ** 2 for source in batch.sources if source % 2 == 0]
        wanted = 2 * batch.ids[batch.content].mean() + (0.5 * sum(even) / len(even) if even else 0)
        pieces = list(made.pieces(grown, rows))
        assert len(pieces) == min(parts, len(batch))
        assert sum(piece.item() for piece in pieces) == pytest.approx(wanted, rel=1e-5)
        grown.zero_grad()
        made.loss(grown, rows).backward()
        assert grown.model.weight.grad.item() == pytest.approx(wanted, rel=1e-5)  # type: ignore[union-attr, operator]


def test_evaluations_cut_the_steps_evenly_and_leave_out_none(stream: Stream) -> None:
    made = Mixture({}, stream, [], 1, 4)
    sizes = made.sizes()
    assert len(sizes) == 4 and max(sizes) - min(sizes) <= 1
    read = [rows.tolist() for place in range(4) for rows in made.batches(place)]
    assert read == [rows.tolist() for rows in stream.batches(0, stream.steps)]
    assert Mixture({}, stream, [], 1, 1000).sizes() == [1] * stream.steps
    assert sum(made.tokens(rows) for rows in stream.batches(0, stream.steps)) >= 600


def test_a_score_is_the_mean_over_all_targets_and_leaves_the_random_numbers_alone(stream: Stream) -> None:
    held = [batch_of(stream.marks, [4, 4, 4]), batch_of(stream.marks, [9], seed=1)]
    made = Mixture({"ids": (2.0, MeanId()), "even": (0.5, MeanSquare())}, stream, held, 1, 1)
    grown = network()
    torch.manual_seed(3)
    state = torch.get_rng_state()
    found = made.score(grown)
    assert torch.equal(state, torch.get_rng_state())
    ids = np.concatenate([batch.ids[batch.content] for batch in held])
    # Rows 0, 1, 2 and 0 of the two batches: the even ones are 0, 2 and 0.
    assert found["even"] == pytest.approx((0 + 4 + 0) / 3)
    assert found["ids"] == pytest.approx(ids.mean(), rel=1e-6)
    assert found["loss"] == pytest.approx(2 * ids.mean() + 0.5 * 4 / 3, rel=1e-6)


def test_two_terms_cannot_both_hide_tokens() -> None:
    check_terms({"one": MeanId(), "two": MeanSquare()})
    with pytest.raises(UsageError, match="`one` and `two` both change the tokens") as caught:
        check_terms({"one": MeanSquare(), "two": MeanSquare()})
    assert caught.value.fix
