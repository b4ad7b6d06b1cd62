"""What a step names itself: a smaller base, texts, a loss of the team's own, translators; read before any work begins.

Their content ids are part of the key of the step's result, so that other files of the same name make it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from penjing.core.errors import PenjingError, UsageError
from penjing.core.methods import Step
from penjing.core.model_folder import ModelFolder, read_translator_folder
from penjing.core.nouns import Artifact
from penjing.core.own_code import OwnCode, read_own_code
from penjing.core.recipe import RecipeFile
from penjing.data.corpus.folder import Corpus, open_corpus
from penjing.model.base import open_base
from penjing.tune.augmented import Copies
from penjing.tune.options import TrainingOptions


@dataclass(frozen=True)
class Named:
    """The base, the corpora, the code and the translators of one step; most steps name none."""

    base: Artifact | None = None
    corpora: tuple[Corpus, ...] = ()
    code: OwnCode | None = None
    translators: tuple[ModelFolder, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The content ids of all of them."""
        first = [one.id for one in (self.base, self.code) if one is not None]
        return [*first, *(one.id for one in self.corpora), *(one.id for one in self.translators)]


NOTHING = Named()


def open_named(file: RecipeFile, steps: Sequence[Step]) -> tuple[list[Named], list[PenjingError]]:
    """What each step names, and a fault with the line of the option for what cannot be opened."""
    found: list[Named] = []
    faults: list[PenjingError] = []
    for index, step in enumerate(steps):
        one = NOTHING
        for option, opened in _OPENED.items():
            try:
                one = replace(one, **opened(file, step))
            except PenjingError as error:
                what = error.what if error.where is None else f"{error.where}: {error.what}"
                where = file.where("steps", index, step.name, option)
                faults.append(type(error)(what, where=where, fix=error.fix))
        found.append(one)
    return found, faults


def _code(file: RecipeFile, step: Step) -> dict[str, Any]:
    if not isinstance(step.options, TrainingOptions) or ":" not in step.options.loss:
        return {}
    return {"code": read_own_code(step.options.loss, file.path.parent)}


def _translators(file: RecipeFile, step: Step) -> dict[str, Any]:
    asked = getattr(step.options, "augment", None)
    if not isinstance(asked, Copies) or not asked.translate:
        return {}
    both = asked.translate, asked.translate_back
    return {"translators": tuple(read_translator_folder(one, file.path.parent) for one in both)}


def _base(file: RecipeFile, step: Step) -> dict[str, Any]:
    options: Any = step.options
    return {"base": open_base(options.base, file.path.parent)} if step.name == "compress.student" else {}


def _corpora(file: RecipeFile, step: Step) -> dict[str, Any]:
    options: Any = step.options
    if step.name != "compress.distill" or not options.corpus:
        return {}
    folder = file.resolve(options.corpus)
    if not folder.is_dir():
        what = f"there is no folder of the corpus `{options.corpus[:80]}`"
        raise UsageError(what, where=str(folder), fix="give the folder that `penjing corpus build` wrote")
    return {"corpora": (open_corpus(folder),)}


# The option that names it -> the fields of `Named` that it gives.
_OPENED = {"loss": _code, "augment": _translators, "base": _base, "corpus": _corpora}
