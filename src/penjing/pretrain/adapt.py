"""Continued pre-training of a base on texts of a domain, by one objective or by several at once.

    minimise  sum over objectives k of  w_k  L_k(batch)       in one step, L_k as in the file of objective k

Source: Gururangan and others, Don't Stop Pretraining: Adapt Language Models to Domains and Tasks, 2020.
When: a base for general text meets a domain with its own words, and there are far more unlabelled texts than labelled
ones; `mlm` is the usual objective, with a low rate. When not: a few hundred short texts, or a domain near the base's
own text; the base forgets what the domain does not have. Check it by the score of the task, not by the perplexity.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.core.options import WrongValueError, build_options
from penjing.pretrain import clm, contrastive, denoise, mlm, nsp, rtd, sop
from penjing.pretrain.parts.grow import grow
from penjing.pretrain.parts.options import LoopOptions

FAMILIES: tuple[Family, ...] = ("encoder", "decoder", "encoder-decoder")
ObjectiveName = Literal["clm", "contrastive", "denoise", "mlm", "nsp", "rtd", "sop"]
TERMS: dict[str, tuple[Any, Any]] = {
    "clm": (clm, clm.NextToken),
    "contrastive": (contrastive, contrastive.NearTexts),
    "denoise": (denoise, denoise.HiddenSpans),
    "mlm": (mlm, mlm.MaskedTokens),
    "nsp": (nsp, nsp.NextSentence),
    "rtd": (rtd, rtd.ReplacedTokens),
    "sop": (sop, sop.SentenceOrder),
}


class Options(LoopOptions):
    """The options of `pretrain.adapt`."""

    learning_rate: float = Field(1e-4, gt=0, le=0.1, description="the highest rate")
    objectives: dict[ObjectiveName, Annotated[float, Field(gt=0, le=1000)]] = Field(
        {"mlm": 1.0}, min_length=1, description="objectives with the weights of their losses: `{mlm: 1.0, sop: 0.2}`"
    )
    settings: dict[ObjectiveName, dict[str, Any]] = Field(
        {}, description="options of single objectives, as in their own steps: `{mlm: {unit: span}}`"
    )

    @field_validator("settings")
    @classmethod
    def _are_of_objectives(cls, settings: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        for name, given in settings.items():
            if name not in info.data.get("objectives", {name: 1.0}):
                raise WrongValueError(f"names `{name}`, which is not among the objectives", f"add `{name}: 1.0` there")
            own = set(TERMS[name][0].Options.model_fields) - set(LoopOptions.model_fields)
            for key in given:
                if key not in own:
                    known = ", ".join(f"`{each}`" for each in sorted(own)) or "none"
                    raise WrongValueError(f"gives `{name}` the unknown option `{key[:60]}`", f"it has: {known}")
            build_options(TERMS[name][0].Options, given, name)
        return settings


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the base `inputs.parent` on `inputs.corpora`. Raises UsageError for objectives that do not fit together."""
    chosen = [
        (name, weight, build_options(TERMS[name][0].Options, options.settings.get(name), name))
        for name, weight in options.objectives.items()
    ]
    return grow("adapt", inputs, options, run, chosen, {name: term for name, (_, term) in TERMS.items()})
