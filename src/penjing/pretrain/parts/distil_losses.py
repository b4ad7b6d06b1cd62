"""The losses of a distillation from a larger encoder, on the states of one batch.

    tokens:      mean over tokens of ((W h_s + b) - (h_t - mu) / sigma)^2, mu and sigma of each of the teacher's
                 dimensions; W and b (a linear map that is learned and thrown away) only where the widths differ
    pooled:      the same of the mean over a text's tokens, in units of the spread of the teacher's pooled states
    similarity:  mean over texts i of KL( softmax_j(cos(p_t(i), p_t(j)) / tau) || the same of the student ), j != i
    relations:   KL between the relations of queries, of keys and of values (`relation_loss` of train/states)

Sources: Wang et al., MiniLMv2, 2021 (relations); Fang et al., SEED: Self-supervised Distillation for Visual
Representation, 2021 (similarity within a batch); Jiao et al., TinyBERT, 2020 (states through a linear map);
Heo et al., A Comprehensive Overhaul of Feature Distillation, 2019 (a target in units of its own spread).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from penjing.model.heads import mean_pool

_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Spread:
    """Mean and spread of each of the teacher's dimensions: of its token states and of its pooled states, (width,).

    The spread of a dimension that never changes is 1: nothing is divided by zero.
    """

    token_mean: torch.Tensor
    token_spread: torch.Tensor
    pooled_mean: torch.Tensor
    pooled_spread: torch.Tensor

    def plain(self) -> Spread:
        """Copies that a training can use; tensors that were made in inference mode cannot be."""
        return Spread(
            *(each.clone() for each in (self.token_mean, self.token_spread, self.pooled_mean, self.pooled_spread))
        )


def measure_spread(hidden: torch.Tensor, mask: torch.Tensor) -> Spread:
    """The spread of teacher states (texts, tokens, width), texts >= 2; mask (texts, tokens) is 1 for tokens."""
    tokens, pooled = hidden[mask.bool()], mean_pool(hidden, mask)
    return Spread(tokens.mean(0), _spread(tokens), pooled.mean(0), _spread(pooled))


def _spread(states: torch.Tensor) -> torch.Tensor:
    """The standard deviation of each dimension of states (n, width); 1 where it is 0 but for rounding."""
    found = states.std(0)
    return torch.where(found > _LEAST_SPREAD, found, torch.ones_like(found))


def token_loss(given: torch.Tensor, wanted: torch.Tensor, mask: torch.Tensor, spread: Spread) -> torch.Tensor:
    """given (batch, tokens, width): standardised states of the student; wanted: the teacher's, not standardised."""
    apart = (given - (wanted - spread.token_mean) / spread.token_spread)[mask.bool()]
    return apart.square().mean()


def pooled_loss(given: torch.Tensor, wanted: torch.Tensor, mask: torch.Tensor, spread: Spread) -> torch.Tensor:
    """Arguments as of `token_loss`; 1 for a student that always answers with the teacher's mean."""
    mine = mean_pool(given, mask) * spread.token_spread + spread.token_mean
    return ((mine - mean_pool(wanted, mask)) / spread.pooled_spread).square().mean()


def similarity_loss(given: torch.Tensor, wanted: torch.Tensor, temperature: float = 0.05) -> torch.Tensor:
    """given, wanted: pooled states (texts, width), of any two widths. 0 for one text."""
    mine, goal = (_neighbours(each, temperature) for each in (given, wanted))
    return functional.kl_div(mine, goal, log_target=True, reduction="sum") / len(given)


def _neighbours(pooled: torch.Tensor, temperature: float) -> torch.Tensor:
    """(texts, texts - 1): log of how near each other text is."""
    unit = functional.normalize(pooled, dim=1)
    cosines = unit @ unit.T / temperature
    others = ~torch.eye(len(pooled), dtype=torch.bool, device=pooled.device)
    return functional.log_softmax(cosines[others].view(len(pooled), len(pooled) - 1), dim=1)
