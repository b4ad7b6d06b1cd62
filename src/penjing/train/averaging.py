"""An exponential moving average of the weights, which is what is scored and kept.

    m_1 = w_1,   m_t = d_t m_{t-1} + (1 - d_t) w_t,   d_t = min(decay, t / (t + 10))

w_t are the weights after step t. The smaller d_t of the first steps lets the average forget where it began. The
training goes on from w_t: only validation, and so the choice of the best epoch, sees the average.

Source: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992; Izmailov and others, Averaging
Weights Leads to Wider Optima and Better Generalization, 2018; Tarvainen and Valpola, Mean Teachers Are Better Role
Models, 2017 (exponential, with a smaller decay in the first steps).
When: scores that differ much from seed to seed or from epoch to epoch. When not: trainings of fewer than some hundred
steps with a decay of 0.999, whose average is still that of early weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from penjing.train.hooks import Hook, Moment

_RAMP = 10
_STEPS = "steps"
_MEAN = "mean/"


class AverageHook(Hook):
    """Keeps the average of all parameters that learn, and puts it in their place while the model is scored."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        """decay: in (0, 1). The parameters of `model` that require a gradient now are averaged."""
        self._decay = decay
        self._names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
        self._steps = 0
        self._mean: dict[str, torch.Tensor] = {}

    def after_step(self, moment: Moment) -> None:
        assert moment.model is not None
        self._steps += 1
        decay = min(self._decay, self._steps / (self._steps + _RAMP))
        with torch.no_grad():
            for name, now in self._parameters(moment.model).items():
                if name in self._mean:
                    self._mean[name].lerp_(now, 1 - decay)
                else:
                    self._mean[name] = now.detach().clone()

    @contextmanager
    def around_evaluation(self, model: nn.Module) -> Iterator[None]:
        if not self._mean:
            yield
            return
        parameters = self._parameters(model)
        own = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        _put(parameters, self._mean)
        try:
            yield
        finally:
            _put(parameters, own)

    def state(self) -> dict[str, torch.Tensor]:
        return {_STEPS: torch.tensor(self._steps)} | {_MEAN + name: value for name, value in self._mean.items()}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        self._steps = int(state[_STEPS])
        self._mean = {name.removeprefix(_MEAN): value for name, value in state.items() if name.startswith(_MEAN)}

    def _parameters(self, model: nn.Module) -> dict[str, nn.Parameter]:
        found = dict(model.named_parameters())
        return {name: found[name] for name in self._names}


def _put(parameters: Mapping[str, nn.Parameter], values: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(values[name])
