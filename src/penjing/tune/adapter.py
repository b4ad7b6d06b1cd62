"""Adapters: small networks between the parts of each layer learn, and the encoder around them stays as it is.

    y = W x + b   becomes   y + U gelu(D y + c) + e,   D: (size, width), U: (width, size), U = e = 0 at the start

`houlsby`: after the attention and after the feed-forward part of each trained layer, and the layers' norms learn too.
`pfeiffer`: after the feed-forward part alone, with the norms as they are: half as many parameters. Each is before the
sum with the layer's input; Pfeiffer's own place is after that sum.

Source: Houlsby et al., Parameter-Efficient Transfer Learning for NLP, 2019; Pfeiffer, Kamath, Rücklé, Cho, Gurevych,
AdapterFusion: Non-Destructive Task Composition for Transfer Learning, 2021. What is put in has a nonlinearity, so it
cannot become part of the matrices: the adapters stay in the model, in its exports and in its INT8 form, and cost some
per cent of the time. All steps of `compress` may follow.
When: some hundred to some thousand rows, and a base that should keep what it knows; the score is mostly that of
`tune.full`. When not: latency is scarce, for which `tune.bitfit`, `tune.ia3` and `tune.adalora` give a plain encoder.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from torch import nn

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.model.bottleneck import adapters_of, put_adapters
from penjing.model.encoder import Classifier
from penjing.model.inserted import check_plain
from penjing.model.layers import FAMILIES, layers_of
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.job import Job
from penjing.tune.kept_apart import keep_learned
from penjing.tune.options import Rate, TrainingOptions, head_factor_field, rates_field
from penjing.tune.trained import known_layers, learn_only, trained_layers

METHOD = "tune.adapter"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True
# The matrices that end a layer's attention and its feed-forward part.
_ENDS = {"distilbert": ("attention.out_lin", "ffn.lin2")}
_BERT_ENDS = ("attention.output.dense", "output.dense")


class Options(TrainingOptions):
    """How adapters are trained."""

    keeps_base: ClassVar[bool] = True

    learning_rate: tuple[Rate, ...] = rates_field(3e-3)
    head_factor: float = head_factor_field(3.0)
    kind: Literal["houlsby", "pfeiffer"] = Field(
        "houlsby",
        description="houlsby: two adapters a layer, and norms learn; pfeiffer: one, after the feed-forward part",
    )
    size: int = Field(32, ge=1, le=1024, description="dimensions inside an adapter")

    def check_encoder(self, encoder: nn.Module) -> None:
        """Raise UsageError for a family whose layers are not known, or an encoder that has adapters or the like."""
        known_layers(encoder, METHOD)
        check_plain(encoder, METHOD)


def _prepare(classifier: Classifier, job: Job) -> None:
    options, encoder = job.options, classifier.encoder
    assert isinstance(options, Options)
    options.check_encoder(encoder)
    trained = trained_layers(classifier, job)
    below = len(layers_of(encoder)) - len(trained)
    family = str(encoder.config.model_type)  # type: ignore[union-attr]
    ends = _ENDS.get(family, _BERT_ENDS)
    parts = ends if options.kind == "houlsby" else ends[1:]
    sizes = [0] * below + [options.size] * len(trained)
    put_adapters(encoder, {"layers": FAMILIES[family], "parts": list(parts), "sizes": sizes})
    learns = {f"{name}.{own}" for name, module in adapters_of(encoder) for own, _ in module.named_parameters()}
    if options.kind == "houlsby":
        inside = {id(norm) for layer in trained for norm in layer.modules() if isinstance(norm, nn.LayerNorm)}
        norms = [(name, module) for name, module in encoder.named_modules() if id(module) in inside]
        learns |= {f"{name}.{own}" for name, module in norms for own, _ in module.named_parameters()}
    learn_only(encoder, learns.__contains__)


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train adapters in `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on validation.

    Raises UsageError for a parent that is no encoder, of a family whose layers are not known, with adapters already or
    with fewer tokens than `max_tokens`, DataError for tables without rows or labels, RunInterruptedError when stopped.
    """
    return tune(inputs, options, run, TuningMethod(METHOD, prepare=_prepare, merge=keep_learned("adapter")))
