"""A task that is certified item by item has one scope for its items and one for an empty answer; others have none."""

from __future__ import annotations

import pytest

from penjing.core.itemwise import MOST_ITEMS, ItemwiseTask
from penjing.core.labelwise import LabelwiseTask
from penjing.core.task import Task
from penjing.tasks.classify import Classify
from penjing.tasks.several import Several
from penjing.tasks.tag import Tag
from penjing.tasks.tag_items import by_item

TAGS = Tag(("org", "place"))


def test_only_tags_that_are_certified_by_item_have_the_contract() -> None:
    one = by_item(TAGS, 3)
    assert isinstance(one, ItemwiseTask) and not isinstance(one, LabelwiseTask)
    others: list[Task] = [TAGS, Classify(("a", "b")), Several(";", "none", ("a", "b"))]
    assert not any(isinstance(other, ItemwiseTask) for other in others)


def test_every_item_has_the_scope_of_items_and_the_empty_answer_another() -> None:
    one = by_item(TAGS, 3)
    assert isinstance(one, ItemwiseTask)
    assert {one.item, one.empty} == set(one.scopes) and one.item != one.empty


@pytest.mark.parametrize(("asked", "most"), [(3, 3), (0, MOST_ITEMS)])
def test_a_text_has_at_most_so_many_items_decided(asked: int, most: int) -> None:
    one = by_item(TAGS, asked)
    assert isinstance(one, ItemwiseTask) and one.most == most
