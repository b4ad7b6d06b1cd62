"""Augmentation as options of a tuning method: train rows and altered copies of them, which keep their gold.

    swap, deletion, synonyms, mlm: shares of words that a copy alters, each copy by one of the kinds; translate,
    translate_back: models that translate a text there and back; copies: a row

The kinds, with source and when to prefer which, are in `penjing/data/augment/`. Copies are made of train rows alone,
and none that is a text of validation, calibration or test (known here by digests only) stays. Rows are not augmented
where C or a learning rate is judged: those are other rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs, Run
from penjing.core.options import WrongValueError
from penjing.data.augment.altered import Free
from penjing.data.augment.deletion import deletion
from penjing.data.augment.mlm import Fill, filled
from penjing.data.augment.rows import Alter, Augmentation, augmented, drawn_kind, text_digest
from penjing.data.augment.swap import swap
from penjing.data.augment.synonyms import Near, synonyms
from penjing.data.augment.translate import ThereAndBack, back_translated
from penjing.data.masked import Masked
from penjing.tasks import task_for
from penjing.text.words import word_spans

WordShare = Annotated[float, Field(ge=0, le=0.5)]


class Copies(BaseModel):
    """Altered copies of train rows, each by one of the kinds; without a kind there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    swap: WordShare = Field(0.0, description="share of words that exchange their places, such as 0.1")
    deletion: WordShare = Field(0.0, description="share of words left out, such as 0.1")
    translate: str = Field("", description="folder of a translation model, for back-translation: into another language")
    translate_back: str = Field("", validate_default=True, description="folder of the model that translates back")
    copies: int = Field(1, ge=1, le=20, description="copies of each row, at most")

    @field_validator("translate_back")
    @classmethod
    def _is_there_and_back(cls, given: str, info: ValidationInfo) -> str:
        if bool(given) != bool(info.data.get("translate", given)):
            fix = "name both folders, or take both out"
            raise WrongValueError("and `translate` belong together: one translates there, the other back", fix)
        return given

    @property
    def shares(self) -> dict[str, float]:
        """The kinds that are asked for, each with its share of words; a translation is of all of them."""
        every = {name: getattr(self, name) for name in type(self).model_fields if name != "copies"}
        words = {name: share for name, share in every.items() if isinstance(share, float) and share > 0}
        return words | ({"translate": 1.0} if self.translate else {})

    @property
    def times(self) -> int:
        """How many rows, at most, become of one."""
        return 1 + self.copies if self.shares else 1


class EncoderCopies(Copies):
    """The same, with kinds that ask the base."""

    synonyms: WordShare = Field(0.0, description="share of words replaced by near ones in the base's table of words")
    mlm: WordShare = Field(
        0.0, description="share of words that the base fills in; it needs the head of `pretrain.mlm`"
    )


def with_copies(inputs: Inputs, asked: Copies, run: Run) -> Inputs:
    """The inputs with the copies behind their train rows; the same inputs where no kind is asked for.

    Raises UsageError where the base has no head that fills words or no translator was given, DataError for gold that
    cannot be read.
    """
    if not asked.shares:
        return inputs
    task, known = task_for(inputs), {text_digest(text) for text in inputs.validation.texts}
    kinds = _kinds(inputs, asked, run)
    how = Augmentation(kinds, word_spans, asked.copies, run.seed, inputs.held_out | known)
    found = augmented(inputs.train, task, how)
    made = ", ".join(f"{name} {count}" for name, count in found.made.items())
    run.progress.say(
        f"augmentation: {len(found.table) - len(inputs.train)} copies of {len(inputs.train)} rows ({made})"
    )
    if found.left_out.get("held_out"):
        run.progress.say(f"augmentation: {found.left_out['held_out']} copies were held-out texts and are left out")
    return replace(inputs, train=found.table)


def _kinds(inputs: Inputs, asked: Copies, run: Run) -> dict[str, Alter]:
    found: dict[str, Alter] = {}
    for name, share in asked.shares.items():
        if name == "translate":
            found[name] = _translating(inputs, asked, run)
        elif name in ("synonyms", "mlm"):
            found[name] = _asking(inputs, name, share)
        else:
            found[name] = _plain(name, share)
    return found


def _plain(name: str, share: float) -> Alter:
    kind = {"swap": swap, "deletion": deletion}[name]

    def alter(free: Free, source: Random) -> Masked | None:
        return kind(free, share, source)

    return alter


def _translating(inputs: Inputs, asked: Copies, run: Run) -> Alter:
    """Back-translation by the two models that the step names."""
    # Loads torch, which the linear model does without.
    from penjing.train.translator import BATCH, open_translator

    if len(inputs.translators) != 2:
        fix = "run it by `penjing make`, or give them in `Inputs.translators`"
        raise UsageError("the translation models were not read", where="augment", fix=fix)
    names = list(asked.shares)
    place = names.index("translate")
    wanted = [
        text
        for text in inputs.train.texts
        if any(drawn_kind(len(names), run.seed, copy, text) == place for copy in range(asked.copies))
    ]
    there, back = (open_translator(one, run) for one in inputs.translators)
    run.progress.start("translating train rows there and back", None)

    def both(texts: Sequence[str]) -> list[str]:
        found = back(there(texts))
        run.progress.advance(len(texts))
        return found

    known = ThereAndBack(wanted, both, BATCH)
    return lambda free, _: back_translated(free, known)


def _asking(inputs: Inputs, name: str, share: float) -> Alter:
    """A kind that asks the parent, which is opened once."""
    # Loads torch, which the linear model does without.
    from penjing.train.fill import open_filler
    from penjing.train.near_words import near_words_of

    assert inputs.parent is not None  # a method without a parent has no such option
    if name == "synonyms":
        near: Near = near_words_of(inputs.parent, inputs.train.texts)
        return lambda free, source: synonyms(free, share, source, near)
    fill: Fill = open_filler(inputs.parent)
    return lambda free, source: filled(free, share, source, fill)
