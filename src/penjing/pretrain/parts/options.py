"""The options that every objective of pre-training has: how much is read, in which batches, at which rate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penjing.core.options import Options
from penjing.train.optim import Schedule


class LoopOptions(Options):
    """How long a network is trained, and how."""

    tokens: int = Field(
        1_000_000, ge=1, le=10**12, description="tokens to read in all, special tokens included; over several passes"
    )
    learning_rate: float = Field(5e-4, gt=0, le=0.1, description="the highest rate")
    schedule: Schedule = Field(
        "cosine", description="how the rate falls: linear, cosine, or wsd (constant, then down in the last part)"
    )
    warmup: float = Field(0.06, ge=0, le=1, description="share of the steps in which the rate rises")
    decay: float = Field(0.2, gt=0, le=1, description="with wsd: share of the steps in which the rate falls")
    weight_decay: float = Field(0.01, ge=0, le=1, description="decoupled weight decay of matrices")
    clip: float = Field(1.0, gt=0, le=1000, description="largest norm of the gradient; a longer one is shortened")
    length: int = Field(128, ge=8, le=8192, description="most tokens of a row; documents are packed into rows or cut")
    batch_tokens: int = Field(4096, ge=8, le=10_000_000, description="most tokens of a step, padding included")
    parts: int = Field(
        1, ge=1, le=1024, description="parts in which the gradient of a step is added up; more take less memory"
    )
    evaluations: int = Field(10, ge=1, le=1000, description="how often the loss on held-out documents is measured")
    held_out: int = Field(
        20_000, ge=16, le=10**9, description="most tokens of held-out documents for each of these measurements"
    )
    positions: int = Field(
        64,
        ge=0,
        le=1_000_000,
        description="held-out tokens of each domain that give its pseudo-perplexity, each hidden alone; 0: none. Its "
        "error falls with the square root of their number",
    )
    precision: Literal["auto", "float32", "bf16"] = Field(
        "auto", description="numbers of matrix products; auto: bf16 where the hardware multiplies it, else float32"
    )
    checkpointing: bool = Field(
        False, description="compute the states of the layers twice instead of storing them: less memory, more time"
    )
    spike: float = Field(
        2.0, gt=1, le=1e6, description="a loss above this multiple of the last ones' median goes back to a good state"
    )
