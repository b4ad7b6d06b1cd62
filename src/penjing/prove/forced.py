"""Limits on misses that rules alone exceed: whatever the model does, `max_miss` cannot hold, so nothing is sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from penjing.core.certificate import Gate
from penjing.core.labelwise import LabelwiseTask
from penjing.decide.policy import Policy
from penjing.decide.table import RuleTable
from penjing.prove.certify import Labelled
from penjing.prove.sequence import DELTA, lower_bound

# The name of such a gate, and of the key in the recipe.
MISS = "max_miss"
_SHOWN = 5


def forced_gates(policy: Policy, labelled: Labelled, max_miss: Mapping[str, float], delta: float = DELTA) -> list[Gate]:
    """A broken gate for each limit that wrong outcomes which rules force exceed; none for the other limits.

    Of the n labelled rows of a true label, rules force another outcome in k. The one-sided lower bound of Clopper and
    Pearson (1934) on the share of such cases is at level delta. A limit below it is broken. One above it is not thereby
    held: the model's own misses count too, and the certificate tests both together.
    """
    decided = [(policy.decide("", facts), gold) for facts, gold in zip(labelled.facts, labelled.truth, strict=True)]
    found, task = [], policy.task
    members = task.members if isinstance(task, LabelwiseTask) else lambda gold: (gold,)
    for label, limit in max_miss.items():
        own = [one for one, gold in decided if label in members(gold)]
        missed = [one for one in own if one.forced and label not in members(one.outcome)]
        low = lower_bound(len(missed), len(own), delta)
        if low > limit:
            rules = Counter(one.fired[0] if one.fired else "" for one in missed)
            note = in_words(label, len(own), len(missed), _listed(policy, rules))
            share = len(missed) / len(own)
            found.append(Gate(name=MISS, promised=limit, measured=share, bound=low, state="broken", note=note))
    return found


def in_words(label: str, rows: int, missed: int, rules: str) -> str:
    """What the rules do to the cases of a true label, in one sentence for a person."""
    return f"of {rows:,} labelled rows of `{label}`, rules alone give {missed:,} another outcome: {rules}"


def _listed(policy: Policy, rules: Counter[str]) -> str:
    """The rules with the row of each in its file and the cases that it decided, those with most cases first."""
    table = policy.rules
    places = {rule.name: rule.row for rule in table.rules} if isinstance(table, RuleTable) else {}
    file = Path(table.path).name if isinstance(table, RuleTable) else ""
    named = [f"`{name}` ({file}:{places.get(name, 0)}): {count:,}" for name, count in rules.most_common(_SHOWN)]
    return ", ".join([*named, *(["…"] if len(rules) > _SHOWN else [])])
