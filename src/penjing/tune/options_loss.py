"""Options of the loss that the training of an encoder minimises; by default that of the task."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from penjing.core.options import Options

# A file beside the recipe and a function in it.
OWN_LOSS = r"^[^:]+\.py:[A-Za-z_]\w*$"
Weight = Annotated[float, Field(gt=0, le=1000)]
Cost = Annotated[float, Field(ge=0, le=1000)]


class LossOptions(Options):
    """Which loss, and which rows count how much in it."""

    # Whether a method learns by a loss of its own, so that it takes no other one and no other way through the model.
    fixed_loss: ClassVar[bool] = False

    loss: Literal["auto", "focal", "asymmetric", "cost"] | Annotated[str, Field(pattern=OWN_LOSS)] = Field(
        "auto",
        description="auto: the loss of the task; focal; asymmetric, for several labels a text; cost, of `costs`; or "
        "FILE.py:NAME, a function of your own",
    )
    focal_gamma: float = Field(2.0, ge=0, le=10, description="focal: how little rows count that are right already")
    asymmetric_gamma: float = Field(
        4.0, ge=0, le=10, description="asymmetric: how little absent labels count that are already unlikely"
    )
    asymmetric_margin: float = Field(
        0.05, ge=0, lt=1, description="asymmetric: probability of an absent label below which it does not count"
    )
    costs: dict[str, dict[str, Cost]] = Field(
        {}, description="cost: {true label: {said label: cost}}; an error that is not named costs 1"
    )
    class_weights: Literal["none", "balanced"] | dict[str, Weight] = Field(
        "none", description="balanced: rare labels count more, or {label: weight}; a label that is not named has 1"
    )
