"""Options that make the training of an encoder steadier: rates by layer, averages, noise; each is off by default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from penjing.core.options import Options


class SteadyOptions(Options):
    """Switches of the optimizer, of what learns when, and of noise while training."""

    optimizer: Literal["adamw", "adafactor", "sgd"] = Field(
        "adamw", description="what changes the weights; adafactor needs less memory, sgd needs rates such as 0.01"
    )
    schedule: Literal["linear", "cosine", "wsd", "plateau"] = Field(
        "linear",
        description="how the rate falls after the warm-up; wsd: only in the last fifth; plateau: it is halved after "
        "each epoch without a better score",
    )
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="rate of each layer as a share of the rate of the layer above it"
    )
    reinit: int = Field(0, ge=0, le=100, description="how many top layers begin with new random weights")
    unfreeze: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the steps in which the layers begin to learn one after another from the top",
    )
    encoder_dropout: Literal["base"] | Annotated[float, Field(ge=0, lt=1)] = Field(
        "base", description="dropout inside the encoder; base: as its configuration says"
    )
    rdrop: float = Field(
        0.0, ge=0, le=100, description="R-Drop: weight of the difference of two passes with other dropout; 0: one pass"
    )
    mixup: float = Field(
        0.0, ge=0, le=10, description="mixup of the vectors of texts: the parameter of its Beta distribution; 0: none"
    )
    ema: float = Field(
        0.0, ge=0, lt=1, description="decay of an average of the weights, which is what is scored and kept; 0: none"
    )
    adversarial: Literal["none", "fgm", "freelb"] = Field(
        "none", description="adversarial training on the embeddings, or on the hidden states below the trained layers"
    )
    epsilon: float = Field(
        0.02, gt=0, le=1, description="size of an adversarial change, as a share of the length of a text's embeddings"
    )
    adversarial_steps: int = Field(3, ge=1, le=10, description="passes of freelb for each batch")
    accumulate: int = Field(
        1, ge=1, le=1024, description="batches whose gradients make one step; memory is that of one batch"
    )
    precision: Literal["float32", "bf16"] = Field(
        "float32", description="numbers of the matrix products in training; bf16 is slow without hardware for it"
    )
