"""Augmentation as options of a tuning method: train rows and altered copies of them, which keep their gold.

    swap, deletion, synonyms, mlm: shares of words that a copy alters, each copy by one of the kinds; copies: a row

The kinds, with source and when to prefer which, are in `penjing/data/augment/`. Copies are made of train rows alone,
and none that is a text of validation, calibration or test (known here by digests only) stays. Rows are not augmented
where C or a learning rate is judged: those are other rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from penjing.core.nouns import Inputs, Run
from penjing.core.options import WrongValueError
from penjing.data.augment.altered import Free
from penjing.data.augment.deletion import deletion
from penjing.data.augment.mlm import Fill, filled
from penjing.data.augment.rows import Alter, Augmentation, augmented, text_digest
from penjing.data.augment.swap import swap
from penjing.data.augment.synonyms import Near, synonyms
from penjing.data.masked import Masked
from penjing.tasks import task_for
from penjing.text.words import word_spans

WordShare = Annotated[float, Field(ge=0, le=0.5)]


class Copies(BaseModel):
    """Altered copies of train rows, each by one of the kinds; without a kind there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    swap: WordShare = Field(0.0, description="share of words that exchange their places, such as 0.1")
    deletion: WordShare = Field(0.0, description="share of words left out, such as 0.1")
    translate: WordShare = Field(0.0, description="back-translation: no translator is shipped, so it is refused")
    copies: int = Field(1, ge=1, le=20, description="copies of each row, at most")

    @field_validator("translate")
    @classmethod
    def _has_a_translator(cls, given: float) -> float:
        if given:
            raise WrongValueError("asks for back-translation, and no translator is shipped", "take `translate` out")
        return given

    @property
    def shares(self) -> dict[str, float]:
        """The kinds that are asked for, each with its share."""
        every = {name: getattr(self, name) for name in type(self).model_fields if name != "copies"}
        return {name: share for name, share in every.items() if share > 0}


class EncoderCopies(Copies):
    """The same, with kinds that ask the base."""

    synonyms: WordShare = Field(0.0, description="share of words replaced by near ones in the base's table of words")
    mlm: WordShare = Field(
        0.0, description="share of words that the base fills in; it needs the head of `pretrain.mlm`"
    )


def with_copies(inputs: Inputs, asked: Copies, run: Run) -> Inputs:
    """The inputs with the copies behind their train rows; the same inputs where no kind is asked for.

    Raises UsageError where the base has no head that fills words, DataError for gold that cannot be read.
    """
    if not asked.shares:
        return inputs
    task, known = task_for(inputs), {text_digest(text) for text in inputs.validation.texts}
    kinds = _kinds(inputs, asked.shares)
    how = Augmentation(kinds, word_spans, asked.copies, run.seed, inputs.held_out | known)
    found = augmented(inputs.train, task, how)
    made = ", ".join(f"{name} {count}" for name, count in found.made.items())
    run.progress.say(
        f"augmentation: {len(found.table) - len(inputs.train)} copies of {len(inputs.train)} rows ({made})"
    )
    if found.left_out.get("held_out"):
        run.progress.say(f"augmentation: {found.left_out['held_out']} copies were held-out texts and are left out")
    return replace(inputs, train=found.table)


def _kinds(inputs: Inputs, shares: Mapping[str, float]) -> dict[str, Alter]:
    found: dict[str, Alter] = {}
    for name, share in shares.items():
        if name in ("synonyms", "mlm"):
            found[name] = _asking(inputs, name, share)
        else:
            found[name] = _plain(name, share)
    return found


def _plain(name: str, share: float) -> Alter:
    kind = {"swap": swap, "deletion": deletion}[name]

    def alter(free: Free, source: Random) -> Masked | None:
        return kind(free, share, source)

    return alter


def _asking(inputs: Inputs, name: str, share: float) -> Alter:
    """A kind that asks the parent, which is opened once."""
    # Loads torch, which the linear model does without.
    from penjing.train.fill import open_filler
    from penjing.train.near_words import near_words_of

    assert inputs.parent is not None, "a method without a parent has no such option"
    if name == "synonyms":
        near: Near = near_words_of(inputs.parent, inputs.train.texts)
        return lambda free, source: synonyms(free, share, source, near)
    fill: Fill = open_filler(inputs.parent)
    return lambda free, source: filled(free, share, source, fill)
