"""What a step names itself: a smaller base, a corpus of texts; opened before any work begins.

Their content ids are part of the key of the step's result, so that other files of the same name make it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penjing.core.errors import PenjingError, UsageError
from penjing.core.methods import Step
from penjing.core.nouns import Artifact
from penjing.core.recipe import RecipeFile
from penjing.data.corpus.folder import Corpus, open_corpus
from penjing.model.base import open_base

_OPTION = {"compress.student": "base", "compress.distill": "corpus"}


@dataclass(frozen=True)
class Named:
    """The base and the corpora of one step; most steps name none."""

    base: Artifact | None = None
    corpora: tuple[Corpus, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The content ids of all of them."""
        return [*([self.base.id] if self.base else []), *(corpus.id for corpus in self.corpora)]


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
            where = file.where("steps", index, step.name, _OPTION[step.name])
            faults.append(type(error)(what, where=where, fix=error.fix))
        found.append(one)
    return found, faults


def _open(file: RecipeFile, step: Step) -> Named:
    options: Any = step.options
    if step.name == "compress.student":
        return Named(base=open_base(options.base, file.path.parent))
    if step.name == "compress.distill" and options.corpus:
        folder = file.resolve(options.corpus)
        if not folder.is_dir():
            what = f"there is no folder of the corpus `{options.corpus[:80]}`"
            raise UsageError(what, where=str(folder), fix="give the folder that `penjing corpus build` wrote")
        return Named(corpora=(open_corpus(folder),))
    return Named()
