"""What a step names itself: a smaller base, a corpus of texts, a loss of the team's own; read before any work begins.

Their content ids are part of the key of the step's result, so that other files of the same name make it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penjing.core.errors import PenjingError, UsageError
from penjing.core.methods import Step
from penjing.core.nouns import Artifact
from penjing.core.own_code import OwnCode, read_own_code
from penjing.core.recipe import RecipeFile
from penjing.data.corpus.folder import Corpus, open_corpus
from penjing.model.base import open_base
from penjing.tune.options import TrainingOptions

_OPTION = {"compress.student": "base", "compress.distill": "corpus"}


@dataclass(frozen=True)
class Named:
    """The base, the corpora and the code of one step; most steps name none."""

    base: Artifact | None = None
    corpora: tuple[Corpus, ...] = ()
    code: OwnCode | None = None

    @property
    def ids(self) -> list[str]:
        """The content ids of all of them."""
        first = [one.id for one in (self.base, self.code) if one is not None]
        return [*first, *(corpus.id for corpus in self.corpora)]


NOTHING = Named()


def open_named(file: RecipeFile, steps: Sequence[Step]) -> tuple[list[Named], list[PenjingError]]:
    """What each step names, and a fault with the line of the option for what cannot be opened."""
    found: list[Named] = []
    faults: list[PenjingError] = []
    for index, step in enumerate(steps):
        one = Named()
        try:
            one = _open(file, step)
        except PenjingError as error:
            what = error.what if error.where is None else f"{error.where}: {error.what}"
            where = file.where("steps", index, step.name, _OPTION.get(step.name, "loss"))
            faults.append(type(error)(what, where=where, fix=error.fix))
        found.append(one)
    return found, faults


def _open(file: RecipeFile, step: Step) -> Named:
    options: Any = step.options
    if isinstance(options, TrainingOptions) and ":" in options.loss:
        return Named(code=read_own_code(options.loss, file.path.parent))
    if step.name == "compress.student":
        return Named(base=open_base(options.base, file.path.parent))
    if step.name == "compress.distill" and options.corpus:
        folder = file.resolve(options.corpus)
        if not folder.is_dir():
            what = f"there is no folder of the corpus `{options.corpus[:80]}`"
            raise UsageError(what, where=str(folder), fix="give the folder that `penjing corpus build` wrote")
        return Named(corpora=(open_corpus(folder),))
    return Named()
