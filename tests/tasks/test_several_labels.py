"""Sets of labels certified label by label: scopes, confidences and units by hand."""

from __future__ import annotations

import pytest

from penjing.core.answers import Flags
from penjing.core.task import Unit
from penjing.tasks.classify import Classify
from penjing.tasks.several import Several
from penjing.tasks.several_labels import SeveralByLabel, by_label

PLAIN = Several(";", "none", ("card", "fees", "loan"))


def flags(*probabilities: float) -> Flags:
    """An answer of thresholds 0.3, which the task by label does not use."""
    return Flags(PLAIN.labels, probabilities, tuple(p >= 0.3 for p in probabilities), 0.9, 0.1)


TASK = SeveralByLabel(";", "none", PLAIN.labels)


def test_it_is_the_same_task_with_other_scopes_and_of_sets_alone() -> None:
    assert by_label(PLAIN) == TASK
    assert TASK.scopes == ("yes.card", "no.card", "yes.fees", "no.fees", "yes.loan", "no.loan", "empty")
    with pytest.raises(TypeError, match="has no sets of labels"):
        by_label(Classify(("a", "b")))


def test_scopes_name_their_labels_also_labels_that_look_like_scopes() -> None:
    odd = SeveralByLabel(";", "none", ("empty", "no.card", "yes.card"))
    for label in odd.labels:
        assert [odd.part_of(scope) for scope in odd.sides(label)] == [label, label]
    assert odd.part_of(odd.empty) == "none"


def test_a_label_is_given_from_a_half_on_and_p_is_the_least_confidence() -> None:
    facts = TASK.facts(flags(0.9, 0.4, 0.5))
    assert [facts[f"has.{label}"] for label in TASK.labels] == [True, False, True]
    assert (facts["count"], facts["p"], facts["margin"]) == (2, 0.5, 0.0)
    assert TASK.facts(flags(0.9, 0.4, 0.2))["p"] == 0.6
    assert TASK.outcome(facts) == "card;loan"


def test_every_label_is_in_one_scope_and_the_least_sure_names_the_answer() -> None:
    facts = TASK.facts(flags(0.9, 0.4, 0.2))
    apart = {scope: own["p"] for scope, (_, own) in TASK.apart(facts).items()}
    assert apart == {"yes.card": 0.9, "no.fees": 0.6, "no.loan": 0.8}
    assert TASK.scope(facts) == "no.fees"
    nothing = TASK.facts(flags(0.1, 0.4, 0.2))
    apart = {scope: own["p"] for scope, (_, own) in TASK.apart(nothing).items()}
    assert apart == {"no.card": 0.9, "no.fees": 0.6, "no.loan": 0.8, "empty": 0.6}


def test_units_are_labels_and_each_is_wrong_by_itself() -> None:
    facts = TASK.facts(flags(0.9, 0.4, 0.2))
    assert TASK.units(facts, "fees;loan") == (
        Unit("yes.card", 0.9, "yes", True),
        Unit("no.fees", 0.6, "no", True),
        Unit("no.loan", 0.8, "no", True),
    )
    assert [unit.wrong for unit in TASK.units(facts, "card")] == [False, False, False]
    nothing = TASK.facts(flags(0.1, 0.4, 0.2))
    assert [unit.wrong for unit in TASK.units(nothing, "none")] == [False, False, False], "an empty answer is no unit"
