"""The options that every method of tuning an encoder has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from penjing.core.options import Options, WrongValueError
from penjing.tune.augmented import EncoderCopies
from penjing.tune.options_loss import LossOptions
from penjing.tune.options_steady import SteadyOptions

if TYPE_CHECKING:
    from torch import nn

Rate = Annotated[float, Field(gt=0, le=0.1)]


def rates_field(*rates: float) -> Any:
    """The field `learning_rate` of a method whose default is these rates."""
    what = "one rate, or up to five of which validation chooses the best"
    return Field(rates, min_length=1, max_length=5, description=what)


def head_factor_field(factor: float) -> Any:
    """The field `head_factor` of a method whose default is this factor."""
    return Field(factor, ge=1, le=1000, description="the new head learns at this multiple of the rate")


def refuse_change(options: type[Options], given: Any, about: ValidationInfo, why: str) -> Any:
    """The value of an option that a method does not read. Raises WrongValueError for another than the default."""
    assert about.field_name is not None
    if given != options.model_fields[about.field_name].get_default(call_default_factory=True):
        raise WrongValueError(f"has no effect here: {why}", "take it out")
    return given


class _LengthOptions(Options):
    """How long and how fast an encoder is trained, and on what."""

    epochs: float = Field(3.0, gt=0, le=100, description="passes over the train rows; may be a fraction")
    learning_rate: tuple[Rate, ...] = rates_field(5e-5, 1e-4, 2e-4)
    head_factor: float = head_factor_field(10.0)
    layers: Literal["auto", "all"] | Annotated[int, Field(ge=0, le=100)] = Field(
        "auto",
        description="how many top layers are trained (those below are computed once), or all with embeddings; auto: "
        "the top three quarters with at most 10,000 train rows, else all",
    )
    max_tokens: int = Field(128, ge=8, le=8192, description="longest input in tokens; longer texts are cut in training")
    batch_rows: int = Field(16, ge=1, le=4096, description="most rows in a batch")
    batch_tokens: int = Field(2048, ge=8, le=1_000_000, description="most tokens in a batch, padding included")
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(0.01, ge=0, le=1, description="decoupled weight decay of matrices")
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout before the head")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of each label spread over all")
    patience: int = Field(3, ge=0, le=100, description="epochs without a better score before training stops")
    metric: Literal["macro_f1", "score", "loss"] = Field(
        "macro_f1",
        description="what chooses epoch and rate on validation: the task's first metric, which is macro-F1 for labels "
        "(`macro_f1` or `score`), or the loss",
    )

    augment: EncoderCopies = Field(
        default_factory=lambda: EncoderCopies(),
        description="altered copies of the train rows: `{swap: 0.1, copies: 2}`",
    )

    @field_validator("learning_rate", mode="before")
    @classmethod
    def _one_or_more(cls, given: Any) -> Any:
        return (given,) if isinstance(given, int | float) and not isinstance(given, bool) else given


class TrainingOptions(SteadyOptions, LossOptions, _LengthOptions):
    """How an encoder is trained on labelled rows. All of `SteadyOptions` and `LossOptions` is off by default."""

    @field_validator("optimizer")
    @classmethod
    def _has_its_rates(cls, given: str, others: ValidationInfo) -> str:
        if given == "sgd" and others.data.get("learning_rate") == cls.model_fields["learning_rate"].default:
            what = "is `sgd`, which needs other rates than the default ones"
            raise WrongValueError(what, "add `learning_rate: 0.01`")
        return given

    # Whether the method needs the layers of the base as they are: it trains little beside them, or keeps to them.
    keeps_base: ClassVar[bool] = False
    # Whether `layers: auto` means all, because what is trained is below every layer.
    whole: ClassVar[bool] = False

    @property
    def further_tokens(self) -> int:
        """Places of the input that the method itself takes, beside those of the text."""
        return 0

    def check_encoder(self, encoder: nn.Module) -> None:
        """Raise UsageError for an encoder on which the method cannot work; called before anything is trained."""
