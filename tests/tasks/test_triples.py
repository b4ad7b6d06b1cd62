"""The task `triples` beyond what the common checks say of every task."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from penjing.core.answers import Link, Links, Span
from penjing.core.errors import DataError, RecipeError
from penjing.core.task import Item
from penjing.tasks import open_reader, open_task
from penjing.tasks.triples import Triples, TriplesReader

TEXT = "acme buys bolt here"
ITEM = Item(TEXT, np.array([(0, 4), (5, 9), (10, 14), (15, 19)]))


def gold(*relations: tuple[int, str, int], label: str = "org") -> str:
    entities = [{"start": 0, "end": 4, "label": "org"}, {"start": 10, "end": 14, "label": label}]
    related = [{"head": head, "tail": tail, "label": name} for head, name, tail in relations]
    return json.dumps({"entities": entities, "relations": related})


def learned(*golds: str) -> Triples:
    reader = TriplesReader(None)
    return reader.learn([reader.read(one) for one in golds])


TASK = learned(gold((0, "buys", 1)), gold((1, "buys", 0)), gold())


def sure(task: Triples, written: str) -> dict[str, Any]:
    """Outputs that say this gold with near certainty."""
    targets = task.encode([written], [ITEM])
    sizes = {name: head.size for name, head in task.heads.items()}
    return {name: [np.where(each[0][:, None] == np.arange(sizes[name]), 9.0, 0.0)] for name, each in targets.items()}


@pytest.mark.parametrize("written", [gold((0, "buys", 1)), gold((1, "buys", 0)), gold()])
def test_what_is_encoded_is_decoded_with_its_direction(written: str) -> None:
    (answer,) = TASK.decode(sure(TASK, written), TASK.plain(), [ITEM])
    outcome = TASK.outcome(TASK.facts(answer))
    assert outcome == TASK.read(written) and not TASK.wrong(outcome, written)
    assert isinstance(answer, Links) and answer.p > 0.99
    assert all(link.p > 0.99 for link in answer.links)


def test_a_wrong_direction_type_or_missing_triple_makes_a_text_wrong() -> None:
    right = gold((0, "buys", 1))
    for other in (gold((1, "buys", 0)), gold(), gold((0, "buys", 1), label="place"), gold((0, "owns", 1))):
        assert TASK.wrong(other, right) and TASK.wrong(right, other)
    alone = json.dumps({"entities": [{"start": 0, "end": 4, "label": "org"}], "relations": []})
    assert not TASK.wrong(alone, gold()), "an entity without a relation is in no triple"


def test_unknown_types_and_relations_are_refused_with_the_nearest() -> None:
    with pytest.raises(DataError, match="unknown relation `buy`") as caught:
        TASK.read(gold((0, "buy", 1)))
    assert "buys" in str(caught.value.fix)
    with pytest.raises(DataError, match="unknown type `place`"):
        TASK.read(gold(label="place"))
    with pytest.raises(DataError, match="no relations"):
        learned(gold(), gold())


def test_strata_are_the_rarest_relations() -> None:
    golds = [gold((0, "a", 1), (0, "b", 1)), gold((0, "a", 1)), gold(), ""]
    assert TriplesReader(None).strata(golds) == ["b", "a", "none", ""]


def test_data_may_write_down_that_there_is_no_relation() -> None:
    reader = open_reader("triples", {"none": "unknown"})
    read = reader.read(gold((0, "unknown", 1), (1, "buys", 0)))
    assert read == TASK.read(gold((1, "buys", 0)))
    task = reader.learn([read])
    assert isinstance(task, Triples) and task.relations == ("buys",)
    again = open_task("triples", task.state)
    assert again == task and again.read(gold((0, "unknown", 1))) == TASK.read(gold())


def test_the_reach_is_an_option_with_bounds() -> None:
    task = open_reader("triples", {"reach": 3}).learn([gold((0, "a", 1))])
    assert open_task("triples", task.state) == task
    assert set(task.heads) == {"tags", "from1", "to1", "from2", "to2", "from3", "to3"}
    assert open_reader("triples", {"reach": "auto"}) == TriplesReader(None)
    for wrong in (0, 9, "far"):
        with pytest.raises(RecipeError, match="reach"):
            open_reader("triples", {"reach": wrong})


def test_metrics_are_of_triples_by_hand() -> None:
    one, other = Span(0, 4, "org", 0.9), Span(10, 14, "org", 0.8)
    right = Links((Link(one, "buys", other, 0.7),), 0.6, (one, other))
    turned = Links((Link(other, "buys", one, 0.7),), 0.6, (one, other))
    none = Links((), 0.9, (one,))
    golds = [gold((0, "buys", 1)), gold((0, "buys", 1)), gold((0, "buys", 1))]
    sums = TASK.counts([right, turned, none], golds).sum(axis=0)
    found = {name: float(value) for name, value in TASK.metrics(sums).items()}
    assert found == pytest.approx(
        {"triple_f1": 2 / 5, "precision": 1 / 2, "recall": 1 / 3, "entity_f1": 10 / 11, "texts_right": 1 / 3}
    )
    errors = {row[0]: row[1] for row in TASK.figures([right, turned, none], golds)[1].rows}
    assert errors == {
        "right": 1.0, "another relation": 0.0, "other direction": 1.0, "no relation": 0.0, "entity wrong": 0.0,
        "entity missed": 1.0, "relation missed": 1.0,
    }  # fmt: skip


def test_facts_count_relations_and_hold_no_text() -> None:
    one, other = Span(0, 4, "org", 0.9), Span(10, 14, "org", 0.8)
    facts = TASK.facts(Links((Link(one, "buys", other, 0.7),), 0.6, (one, other)))
    assert facts["relations"] == 1 and facts["relation.buys.count"] == 1 and facts["entity.org.count"] == 2
    assert facts["links"] == [[0, "buys", 1]] and set(TASK.kinds()) <= set(facts)
    assert "acme" not in json.dumps(facts)


def test_support_is_lost_with_the_role() -> None:
    outputs = sure(TASK, gold((0, "buys", 1)))
    right, turned = (TASK.pieces(TASK.read(gold(one))) for one in ((0, "buys", 1), (1, "buys", 0)))
    assert [label for *_, label in right] == ["org · buys→", "org · →buys"]
    good = TASK.support(outputs, [ITEM], [right], TASK.plain())[0]
    bad = TASK.support(outputs, [ITEM], [turned], TASK.plain())[0]
    assert (good > 3).all() and (bad < -3).all()
    assert np.isnan(TASK.support(outputs, [ITEM], [[None, right[1]]], TASK.plain())[0][0])


def test_calibration_scales_what_is_often_wrong() -> None:
    golds = [gold((0, "buys", 1))] * 20
    outputs = sure(TASK, golds[0])
    outputs = {name: each * 20 for name, each in outputs.items()}
    wrong = [gold((1, "buys", 0))] * 10 + golds[:10]
    calibration = TASK.fit(outputs, wrong, [ITEM] * 20)
    answer = TASK.decode(outputs, calibration, [ITEM] * 20)[0]
    assert isinstance(answer, Links) and answer.p == pytest.approx(0.5, abs=0.1)
    assert answer.links[0].p == pytest.approx(0.5, abs=0.1)


def test_another_set_of_triples_is_a_whole_move() -> None:
    one, other = Span(0, 4, "org", 0.9), Span(10, 14, "org", 0.8)
    first = Links((Link(one, "buys", other, 0.7),), 0.6, (one, other))
    again = Links((Link(one, "buys", other, 0.5),), 0.55, (one, other))
    assert TASK.moved(first, again) == pytest.approx(0.2)
    assert TASK.moved(first, Links((), 0.6, (one, other))) == 1.0
    assert TASK.unsettled({"p": 0.5}, 100) and not TASK.unsettled({"p": 0.51}, 100)


def test_rules_may_ask_of_the_ends_of_the_first_relation_of_a_name() -> None:
    one, other = Span(0, 4, "org", 0.9), Span(10, 14, "place", 0.8)
    task = learned(gold((0, "buys", 1), (1, "owns", 0), label="place"))
    answer = Links((Link(one, "buys", other, 0.7), Link(other, "buys", one, 0.6)), 0.6, (one, other))
    found = task.quotes(answer, TEXT)
    assert found.keys() == task.quoted().keys() == task.bounds().pieces.keys()
    assert found["relation.buys.head.text"] == found["entity.org.text"] == "acme"
    assert found["relation.buys.tail.text"] == "bolt" and found["relation.buys.tail.type"] == "place"
    assert {value for fact, value in found.items() if fact.startswith("relation.owns.")} == {None}
    assert task.listed()["relation.owns.head.type"] == ("org", "place")
    assert set(task.bounds().pieces.values()) <= set(task.kinds())
