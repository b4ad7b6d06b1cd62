"""Several limits on test rows: what of the cases that each is about was decided wrongly without a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from penjing.core.task import ALL, JointTask
from penjing.prove.sequence import lower_bound, upper_bound
from penjing.report.contract import Decisions, LimitOnTest, PageLanguage
from penjing.report.phrases import as_written, joined, percent, words

if TYPE_CHECKING:
    from penjing.report.found import ReleaseTest

_SHOWN = 8


def limits_on_test(tested: ReleaseTest) -> dict[str, LimitOnTest]:
    """Of each task of several in one, or each decided label, that has a limit; empty where one limit is for all."""
    limits = tested.certificate.max_error
    if not isinstance(limits, dict) or tested.certificate.by_label or tested.certificate.most_items:
        return {}
    return {name: _of(tested, name) for name in limits}


def _of(tested: ReleaseTest, name: str) -> LimitOnTest:
    task, golds, automated = tested.scored.task, tested.scored.golds, tested.automated.tolist()
    if isinstance(task, JointTask):
        one = task.only([name])
        rows = [row for row, gold in enumerate(golds) if automated[row] and json.loads(gold)[name]]
        errors = sum(one.wrong(tested.outcomes[row], golds[row]) for row in rows)
    else:
        rows = [row for row, said in enumerate(tested.outcomes) if automated[row] and name in (ALL, said)]
        errors = int(tested.scored.wrong[rows].sum()) if rows else 0
    return LimitOnTest(
        cases=len(rows),
        errors=errors,
        value=round(errors / len(rows), 6) if rows else None,
        high=round(upper_bound(errors, len(rows), tested.level), 6) if rows else None,
    )


def limit_sentences(decisions: Decisions, language: PageLanguage) -> list[str]:
    """Each limit with its test rows, and whether chance explains what is above its limit."""
    limits, phrases = decisions.max_error, words(language)
    if not isinstance(limits, Mapping):
        return []
    found = {name: one for name, one in decisions.on_test.items() if one.value is not None}
    if not found:
        return []
    level = 1 - decisions.confidence
    above = {name: one for name, one in found.items() if (one.value or 0.0) > limits[name]}
    hardly = [name for name, one in above.items() if lower_bound(one.errors, one.cases, level) > limits[name]]
    chance = [name for name in above if name not in hardly]

    def listed(some: Mapping[str, LimitOnTest]) -> str:
        said = [
            phrases["limit_on_test"].format(
                name=name, value=percent(one.value or 0.0, language), max=as_written(limits[name], language),
                rows=f"{one.cases:,}",
            )
            for name, one in list(some.items())[:_SHOWN]
        ]  # fmt: skip
        return phrases["comma"].join(said)

    said = [phrases["says_limits_on_test"].format(limits=listed(found))]
    for key, some in (("says_limits_by_chance", chance), ("says_limits_than_chance", hardly)):
        if some:
            said.append(phrases[key].format(names=phrases["comma"].join(some[:_SHOWN])))
    return [joined(said, language)]
