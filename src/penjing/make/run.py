"""`make`: the whole run of a recipe from rows to a sealed release and a report, resumable at every step."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from penjing.core.machine import wait_asleep
from penjing.core.nouns import Progress, Silent
from penjing.core.paths import AnyPath, local_path
from penjing.core.recipe import load_recipe
from penjing.make.cache import Cache
from penjing.make.check_recipe import check_recipe
from penjing.make.choose_rows import rows_of_choice
from penjing.make.lock import locked
from penjing.make.machine_choices import MACHINE, threads_of
from penjing.make.making import Made, Making
from penjing.make.overall import Overall, stages
from penjing.make.plan import step_faults
from penjing.make.timings import Measured
from penjing.make.unchanged import about_of, find_ended, in_language, keep_ended, key_of
from penjing.report.contract import PageLanguage
from penjing.report.verdict import note_in

# Number of train rows assumed before the data is read.
ROWS = 1200


def make_release(
    recipe: AnyPath,
    out: AnyPath,
    progress: Progress | None = None,
    *,
    texts: bool = True,
    language: PageLanguage | None = None,
    stop: Callable[[], bool] = lambda: False,
    again: bool = False,
) -> Made:
    """Make OUT/release/, OUT/report.json and OUT/report.html from a recipe.

    texts: whether the report shows texts of rows. language: that of its page (None: Chinese for Chinese texts).
    A second call with the same content returns the results of the first one at once. With `again` it takes every
    finished step from OUT/cache, measures everything again, and gives the same ids.
    The whole recipe is checked before any work. Raises RecipeError, RuleError, DataError (rows that must not be trained
    on) or RunInterruptedError (`stop` returned true; the same call continues).
    """
    wait_asleep()
    recipe, out = local_path(recipe), local_path(out).absolute()
    file = load_recipe(recipe, step_faults)
    names, searches = [name for name, _ in file.recipe.step_list()], file.recipe.search is not None
    progress = Overall(progress or Silent(), stages(names, ROWS, searches))
    with _locked(out):
        progress.enter("reading")
        progress.start("reading and auditing the data", None)
        checked = check_recipe(file, progress)
        checked.raise_faults()
        file, steps, base, rules, data = checked.file, checked.steps, checked.base, checked.rules, checked.data
        assert data is not None, "data that cannot be read is a fault"
        if checked.chosen is not None:
            progress.say(note_in(checked.chosen.note, "en"))
        choice = rows_of_choice(file, data, base)
        folds = 0 if choice is None else choice.folds
        progress.plan(stages(names, len(data.train), searches, folds))
        threads = threads_of(file, steps[0], data, base, out / "cache" / MACHINE, progress)
        cache = Cache(out / "cache", file.recipe.seed, threads, progress, stop)
        measured = Measured(out / "cache" / "measured", about_of(file, data, rules, threads))
        ended = Measured(out / "cache" / MACHINE, measured.about)
        earlier = checked.earlier
        used = [base.id if base else "", *(each for one in checked.named for each in one.ids)]
        used += [] if earlier is None else [earlier.release.id]
        key = key_of(data, used, texts)
        found = None if again else find_ended(ended, key, out)
        if found is not None:
            return Made(in_language(found[0], out, texts, language), found[1], (), unchanged=True)
        notes = () if checked.chosen is None else (checked.chosen.note,)
        made = Making(
            file, steps, data, rules, base, cache, out, progress, texts, language, measured, checked.named, notes,
            earlier,
            checked.ranges,
            folds,
        ).run()  # fmt: skip
        if made.release is not None:
            keep_ended(ended, key, made.release)
        return made


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    with locked(out, "penjing make"):
        try:
            yield
        finally:
            # An unsealed candidate is removed; the next run makes it again.
            shutil.rmtree(out / ".candidate", ignore_errors=True)
