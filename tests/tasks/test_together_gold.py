"""Gold of several tasks: one form, what is none, and the stratum of a row."""

from __future__ import annotations

import json

import pytest

from penjing.core.errors import DataError
from penjing.tasks import open_reader
from penjing.tasks.together_gold import JointGold, write_golds

GOLD = JointGold(
    {"topic": open_reader("classify", {}), "level": open_reader("score", {})}, {"topic": 1.0, "level": 1.0}
)


def test_gold_is_in_the_order_of_the_tasks_and_a_missing_one_is_empty() -> None:
    assert GOLD.read('{"level": 2.50, "topic": " a "}') == '{"topic": "a", "level": "2.5"}'
    assert GOLD.read('{"topic": "a"}') == GOLD.read('{"topic": "a", "level": null}') == '{"topic": "a", "level": ""}'
    assert GOLD.read(" ") == GOLD.read('{"topic": "", "level": null}') == "" == write_golds({"topic": ""})


@pytest.mark.parametrize(
    ("cell", "said"),
    [("a", "is not JSON"), ("[1]", "is no mapping"), ('{"topics": "a"}', "`topics`"),
     ('{"level": "high"}', "`level`: "),
     ("[" * 100_000, "is not JSON")],
)  # fmt: skip
def test_what_is_no_gold_is_refused_with_its_task(cell: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        GOLD.read(cell)


def test_the_gold_of_one_task_and_the_rarest_stratum_of_each_row() -> None:
    rows = [json.dumps({"topic": topic, "level": level}) for topic, level in (("a", "1"), ("a", "1"), ("b", "1"))]
    assert GOLD.golds("topic", [*rows, ""]) == ["a", "a", "b", ""]
    strata = GOLD.strata([*rows, '{"topic": "a", "level": ""}', ""])
    assert strata[2] == "topic: b" and strata[3] == "topic: a" and strata[4] == ""
