"""A soft prompt: vectors before the tokens of every text learn, and the whole encoder stays as it is.

    h = encoder([p_1 ... p_n ; e(x_1) ... e(x_t)]),   p = v + network(v) while it is trained,   outputs from h_{n+1} on

`encoder: none`: the vectors learn by themselves. `mlp` and `lstm`: they are made by a small network, which learns with
them and is left out of the model (P-tuning). The vectors begin as the embeddings of the most frequent train tokens.

Source: Lester, Al-Rfou, Constant, The Power of Scale for Parameter-Efficient Prompt Tuning, 2021 (vectors, and words as
their start); Liu, Zheng, Du, Ding, Qian, Yang, Tang, GPT Understands, Too, 2021 (their network); Razdaibiedina et al.,
Residual Prompt Tuning, 2023 (the vectors are added to what the network makes of them). The prompt stays in the model:
its tokens count against the longest input, and cost the time of as many tokens of text. `compress.exit` cannot follow.
When: a base that must not change, and as few numbers as possible. It needs a high rate (`penjing/nano`, 600 rows of 20
intents: macro-F1 0.803 at 1e-3, 0.867 at 1e-2, 0.926 at 3e-2; the head alone 0.900). When not: latency is scarce, or
texts are as long as the base allows; `tune.bitfit` is as small and costs no tokens.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.model.encoder import Classifier
from penjing.model.inserted import check_plain
from penjing.model.prompt import SoftPrompt, put_prompt
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.frequent import frequent_tokens
from penjing.tune.job import Job
from penjing.tune.kept_apart import keep_apart, values_of
from penjing.tune.options import Rate, TrainingOptions, head_factor_field, rates_field
from penjing.tune.writing import Files

METHOD = "tune.prompt"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True


class Options(TrainingOptions):
    """How a soft prompt is trained."""

    keeps_base: ClassVar[bool] = True

    whole: ClassVar[bool] = True

    learning_rate: tuple[Rate, ...] = rates_field(3e-2)
    head_factor: float = head_factor_field(1.0)
    layers: Literal["auto", "all"] = Field(
        "auto", description="the prompt is below all layers, so that all are computed at every step; both mean this"
    )
    tokens: int = Field(16, ge=1, le=512, description="vectors of the prompt; together with `max_tokens` they must fit")
    encoder: Literal["none", "mlp", "lstm"] = Field(
        "none", description="what makes the vectors while they are trained: nothing, two matrices, or an LSTM too"
    )

    @property
    def further_tokens(self) -> int:
        """The tokens of the prompt."""
        return self.tokens

    def check_encoder(self, encoder: nn.Module) -> None:
        """Raise UsageError for an encoder that has a prompt, adapters or the like."""
        check_plain(encoder, METHOD)


class PromptNetwork(nn.Module):
    """What makes vectors (count, width) of vectors: an LSTM in both directions or none, then two matrices.

    It begins as zero, so that the prompt begins as its vectors.
    """

    def __init__(self, width: int, *, lstm: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, bidirectional=True, batch_first=True) if lstm else None
        self.first, self.second = nn.Linear(width * (1 + lstm), width), nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        states = vectors if self.lstm is None else self.lstm(vectors.unsqueeze(0))[0].squeeze(0)
        made: torch.Tensor = self.second(torch.relu(self.first(states)))
        return made


def _prepare(classifier: Classifier, job: Job) -> None:
    options, encoder = job.options, classifier.encoder
    assert isinstance(options, Options)
    options.check_encoder(encoder)
    encoder.requires_grad_(False)
    words = encoder.get_input_embeddings().weight.detach()  # type: ignore[operator]
    vectors = words[torch.from_numpy(frequent_tokens(job.train.ids, options.tokens))].clone()
    network = PromptNetwork(vectors.shape[1], lstm=options.encoder == "lstm") if options.encoder != "none" else None
    put_prompt(encoder, SoftPrompt(vectors, network))


def _merge(classifier: Classifier, job: Job) -> Files:
    """Leave the network out: the prompt is what it makes."""
    encoder = classifier.encoder
    prompt = encoder.prompt
    assert isinstance(prompt, SoftPrompt)
    with torch.no_grad():
        put_prompt(encoder, SoftPrompt(prompt().detach().clone()))
    return keep_apart("prompt", classifier, job, values_of(encoder, {"prompt.vectors"}))


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train a prompt of `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on validation.

    Raises UsageError for a parent that is no encoder, has a prompt or adapters already, or takes fewer tokens than
    `max_tokens` and the prompt together, DataError for tables without rows or labels, RunInterruptedError when stopped.
    """
    return tune(inputs, options, run, TuningMethod(METHOD, prepare=_prepare, merge=_merge))
