"""What could be promised, before a run of `make`: the menu of a word model that takes seconds to train."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from penjing.core.methods import Step
from penjing.core.nouns import Inputs, Run
from penjing.core.recipe import RecipeFile
from penjing.data.features import FieldFeatures
from penjing.data.prepare import Prepared
from penjing.decide.table import RuleTable
from penjing.make.candidate import TOLERANCE, always_reviewed, open_policy
from penjing.make.check_periods import clocks_of
from penjing.make.plan import build_plan, single_step
from penjing.prove.certify import label_facts
from penjing.prove.forecast import Forecast, menus
from penjing.prove.misses import Promised
from penjing.prove.opened import LedgerState
from penjing.prove.periods import certified_period, counts_days, is_dated, period_at, rows_in, zone_of
from penjing.prove.scope import fit_scope
from penjing.prove.sequence import DELTA
from penjing.report.promised import Menu, menu_of
from penjing.runtime.open import open_session


def word_model_menu(
    file: RecipeFile, data: Prepared, rules: RuleTable | None, threads: int = 1, opened: LedgerState | None = None
) -> Menu | None:
    """The menu of `tune.linear` on the validation rows, under the rules of the recipe. Nothing is kept.

    An encoder that is better than this model can promise more. opened: what the ledger says of the calibration rows;
    the next promise is tested at its level.
    """
    recipe, task = file.recipe, data.task
    features = recipe.data.feature_types()
    inputs = Inputs(None, data.train, data.validation, language=data.language, task=task, features=features)
    step = linear_step(file)
    with TemporaryDirectory() as name:
        run = Run(out=Path(name) / "linear", scratch=Path(name) / "scratch", seed=recipe.seed, threads=threads)
        artifact = step.method.apply(inputs, step.options, run)
        read = FieldFeatures.from_json(artifact.card.features)
        policy = open_policy(recipe, task, rules, TOLERANCE["linear"], read)
        session = open_session(artifact, threads=threads, long_texts=recipe.data.long)
        if policy.spec.scope:
            share = recipe.decide.out_of_scope
            session = session.within(fit_scope(session, data.train.texts, data.validation, share))
        validation = label_facts(session, policy, data.validation)
    count, delta, period = len(data.calibration), DELTA * recipe.data.level_share, None
    if opened is not None:
        count, delta = opened.fresh if opened.alone else count, opened.delta
    if is_dated(rules):
        clocks = clocks_of(recipe, data.calibration)
        (first, last), count, delta = period_at(rules, clocks, int(time.time()), delta)
        validation = rows_in(validation, (first, last), zone_of(rules), timed=counts_days(rules))
        several = first is not None or last is not None
        named = certified_period(rules, (first, last))
        period = named.model_copy(update={"confidence": round(1 - delta, 6)}) if several else None
    decide = recipe.decide
    promised = Promised(decide.max_error, decide.max_miss, tuple(always_reviewed(policy, data)), delta)
    every, by_label = menus(policy, validation, count, promised)
    return menu_of(Forecast(every, by_label), count, period)


def linear_step(file: RecipeFile) -> Step:
    """`tune.linear` as the recipe has it, where that is its first step, else with its defaults."""
    name, _ = file.recipe.step_list()[0]
    return build_plan(file)[0] if name == "tune.linear" else single_step("tune.linear")
