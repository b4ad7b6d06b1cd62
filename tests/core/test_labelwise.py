"""A task that is certified label by label has two scopes for each label, and no other task is taken for one."""

from __future__ import annotations

import pytest

from penjing.core.labelwise import LabelwiseTask
from penjing.core.task import JointTask, Task
from penjing.tasks import as_certified
from penjing.tasks.classify import Classify
from penjing.tasks.several import Several

SETS = Several(";", "none", ("card", "fees", "yes.card"))


def test_only_sets_that_are_certified_by_label_have_the_contract() -> None:
    one = as_certified(SETS, "label")
    assert isinstance(one, LabelwiseTask) and not isinstance(one, JointTask)
    others: list[Task] = [SETS, Classify(("a", "b")), as_certified(SETS, "case")]
    assert not any(isinstance(other, LabelwiseTask) for other in others)


def test_each_label_has_two_scopes_of_its_own_and_the_empty_answer_one() -> None:
    one = as_certified(SETS, "label")
    assert isinstance(one, LabelwiseTask)
    sides = [scope for label in one.labels for scope in one.sides(label)]
    assert len({*sides, one.empty}) == 2 * len(one.labels) + 1
    assert {*sides, one.empty} == set(one.scopes)
    assert [one.part_of(scope) for scope in sides] == [label for label in one.labels for _ in range(2)]


@pytest.mark.parametrize(("gold", "members"), [("card;fees", ("card", "fees")), ("none", ())])
def test_members_are_the_labels_of_gold(gold: str, members: tuple[str, ...]) -> None:
    one = as_certified(SETS, "label")
    assert isinstance(one, LabelwiseTask)
    assert one.members(gold) == members
