"""The steps of a recipe over its rows: what each step gets, and its result through the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from penjing.core.methods import Done, Step
from penjing.core.nouns import Artifact, Inputs
from penjing.core.recipe import RecipeFile
from penjing.data.prepare import Prepared
from penjing.make.cache import Cache
from penjing.make.continuing import Earlier
from penjing.make.fold_teachers import tune_folds
from penjing.make.named import NOTHING, Named
from penjing.make.plan import on_engine, single_step


@dataclass(frozen=True)
class Runner:
    """Runs steps on the rows of `data`.

    named: what each step of the recipe names itself. before: the release that the recipe goes on from. enter: is told
    the name of each step before it runs.
    """

    file: RecipeFile
    steps: Sequence[Step]
    data: Prepared
    base: Artifact | None
    cache: Cache
    named: Sequence[Named]
    before: Earlier | None = None
    enter: Callable[[str], None] = lambda _: None

    def inputs(self, parent: Artifact | None, teacher: Artifact | None = None, named: Named = NOTHING) -> Inputs:
        """What a step gets of the rows, of its parent, and of what it names."""
        data = self.data
        return Inputs(
            parent=parent,
            train=data.train,
            validation=data.validation,
            teachers={"tuned": teacher} if teacher else {},
            language=data.language,
            unlabelled=data.unlabelled,
            task=data.task,
            features=self.file.recipe.data.feature_types(),
            corpora=named.corpora,
            base=named.base,
            replayed=() if self.before is None else self.before.replayed_among(data.train),
            held_out=data.held_out,
            code=self.named[0].code if self.named else None,
            translators=self.named[0].translators if self.named else (),
        )

    def run(self, step: Step, parent: Artifact | None, teacher: Artifact | None = None, named: Named = NOTHING) -> Done:
        """The result of one step. teacher: the tuned model, for the steps after tuning."""
        inputs = self.inputs(parent, teacher, named)
        self.enter(step.name)
        step = on_engine(step, self.file.recipe.engine)
        folds = getattr(step.options, "out_of_fold", 0)
        if folds and teacher is not None:
            own = tune_folds(self.steps[0], self.inputs(self.base), teacher, folds, self.cache)
            inputs = replace(inputs, teachers={**inputs.teachers, **own})
        done = self.cache.run(step, inputs)
        self.cache.progress.say(f"{step.name}: {'from the cache' if done.cached else f'{done.seconds:.1f} s'}")
        return done

    def word_model(self) -> Done:
        """`tune.linear` with its defaults, with which every encoder is compared."""
        return self.run(single_step("tune.linear"), None)

    def forms(self) -> list[Done]:
        """The tuned model, its form without compression, and the result of every further step."""
        done = [self.run(self.steps[0], self.base)]
        exported = self.run(single_step("compress.export"), done[0].artifact)
        for step, named in zip(self.steps[1:], self.named[1:], strict=True):
            done.append(self.run(step, done[-1].artifact, done[0].artifact, named))
        # The exported form without compression is always measured, so that the report shows why it is not enough.
        return [done[0], exported, *done[1:]]

    def form(self, place: int) -> tuple[Artifact, Artifact]:
        """The tuned model, and the form at this place of `forms()`; no step that it does not need is run."""
        tuned = last = self.run(self.steps[0], self.base).artifact
        if place == 1:
            return tuned, self.run(single_step("compress.export"), tuned).artifact
        for step, named in zip(self.steps[1:place], self.named[1:place], strict=True):
            last = self.run(step, last, tuned, named).artifact
        return tuned, last
